"""Roots of many increasing functions at once, each inside its own bracket."""

from collections.abc import Callable

import numpy as np

from flnft_sim.arrays import Bools, Floats

MOST_STEPS = 80  # a bisection of the widest bracket down to the last bit needs about 60
LAST_BITS = 1e-14  # relative change of a root that ends the search


def increasing_roots(
    function: Callable[[Floats], tuple[Floats, Floats]],
    low: Floats,
    high: Floats,
    start: Floats,
    at_start: tuple[Floats, Floats] | None = None,
) -> Floats:
    """Where each of N increasing functions crosses 0 in [low, high], or the end nearest to it; arrays (N,).

    `function` gives values and slopes. Newton's steps from `start`, and a bisection wherever one leaves the bracket
    known so far: from a good start two steps do. `at_start` is what `function` gives at a start inside all brackets,
    where that is known already.
    """
    lower, upper, place = low, high, np.minimum(np.maximum(start, low), high)
    seen_lower, seen_upper = (np.zeros(place.shape, dtype=bool) for _ in range(2))
    for _ in range(MOST_STEPS):
        value, slope = function(place) if at_start is None else at_start
        at_start = None
        below, above = value < 0, value > 0
        lower, upper = np.where(below, place, lower), np.where(above, place, upper)
        seen_lower, seen_upper = seen_lower | below, seen_upper | above
        target = _inside(place - newton_step(value, slope), lower, upper, seen_lower, seen_upper)
        still = np.abs(target - place) <= LAST_BITS * np.abs(target)
        place = target
        if still.all():
            break
    return place


def at_least(least: float, values: Floats) -> Floats:
    """As `np.maximum`, five times faster where nothing lies below."""
    return values if values.min(initial=np.inf) >= least else np.maximum(least, values)


def newton_step(value: Floats, slope: Floats) -> Floats:
    """value/slope, infinite against a slope that falls, and 0 at a root."""
    if slope.min(initial=np.inf) > 0:
        return value / slope
    rising = slope > 0
    step = np.divide(value, slope, out=np.copysign(np.inf, value), where=rising)
    return np.where(value == 0, 0.0, step)


def _inside(
    target: Floats,
    lower: Floats,
    upper: Floats,
    seen_lower: Bools,
    seen_upper: Bools,
) -> Floats:
    """Newton's target; the middle of the bracket where it leaves it, but an end not looked at yet comes first."""
    if ((target >= lower) & (target <= upper)).all():
        return target
    middle = (lower + upper) / 2.0
    target = np.where(target < lower, np.where(seen_lower, middle, lower), target)
    return np.where(target > upper, np.where(seen_upper, middle, upper), target)

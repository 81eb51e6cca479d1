"""What many noisy steps on random lots of records reveal in all: ε at δ, and the noise that a given ε needs.

A segment is a number of equal steps. In each, every record joins the lot by its own coin of probability q (Poisson
sampling), the records' gradients are clipped to norm C and summed, and N(0, (σC)²) is added; σ is the noise
multiplier. Neighbours differ in one record. Steps are composed by their privacy-loss distribution (Google's
dp-accounting, connect-the-dots, rounded so that ε is never told too small). Shuffled lots are not covered.
"""

from collections.abc import Iterable
from math import exp

from flnft_sim.checks import positive, whole, within

Segment = tuple[float, float, int]
"""Sampling rate q, noise multiplier σ, steps."""

_GRID = 1e-4  # of the privacy loss, as in dp-accounting's own default
_PRECISION = 1e-3  # relative, of a noise multiplier that is searched; what is told is on the safe side


def dp_epsilon(segments: Iterable[Segment], delta: float) -> float:
    """ε at `delta` of the segments [(sampling rate, noise multiplier, steps), …] in order; 0 where nothing is done.

    Raises `InputError` for a rate outside (0, 1], noise that is not above 0, steps below 0, δ outside (0, 1).
    """
    from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent
    from dp_accounting.pld import PLDAccountant

    within("delta", delta, above=0.0, below=1.0)
    accountant, any_step = PLDAccountant(value_discretization_interval=_GRID), False
    for number, (rate, noise, steps) in enumerate(segments):
        within(f"segments[{number}].sampling_rate", rate, above=0.0, at_most=1.0)
        positive(f"segments[{number}].noise_multiplier", noise)
        whole(f"segments[{number}].steps", steps, least=0)
        if steps:
            step = GaussianDpEvent(noise) if rate == 1.0 else PoissonSampledDpEvent(rate, GaussianDpEvent(noise))
            accountant.compose(step, int(steps))
            any_step = True
    return float(accountant.get_epsilon(delta)) if any_step else 0.0


def dp_noise_multiplier(sampling_rate: float, epsilon: float, steps: int, delta: float) -> float:
    """The least σ at which that many steps are (ε, δ)-private, at most a thousandth above it.

    ε falls in σ: the root is found in ln σ and then gone up from until what is told holds. Raises `InputError` as
    `dp_epsilon` does, and for ε that is not above 0.
    """
    from scipy.optimize import brentq

    positive("epsilon", epsilon)
    whole("steps", steps, least=1)

    def excess(log_noise: float) -> float:
        return dp_epsilon([(sampling_rate, exp(log_noise), steps)], delta) - epsilon

    high = 0.0
    while excess(high) > 0.0:
        high += 1.0
    low = high - 1.0
    while excess(low) < 0.0:
        low, high = low - 1.0, low
    log_noise = brentq(excess, low, high, xtol=_PRECISION / 8, rtol=_PRECISION / 8)
    while excess(log_noise) > 0.0:
        log_noise += _PRECISION / 4
    return exp(log_noise)

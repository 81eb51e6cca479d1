"""Checks of numbers at a door: what is out of range gets one sentence with the place, the value and the remedy.

`error` is raised instead of `OutOfRangeError`. A number that is not finite raises `NotFiniteError` where `error` is a
kind of `OutOfRangeError`, and `error` itself where it is one of the caller's own.
"""

from math import inf, nextafter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats
from flnft_sim.errors import InputError, shown

type Limits = tuple[tuple[str, float | None], ...]  # in words

_LARGEST = float(np.finfo(np.float64).max)
_SMALLEST = nextafter(0.0, inf)


class NotFiniteError(InputError):
    """A NaN or an infinity where a number is needed."""


class OutOfRangeError(InputError):
    """A number outside the range that its formula or its meaning is defined on."""


def finite(place: str, values: ArrayLike, unit: str = "", *, error: type[InputError] = OutOfRangeError) -> Floats:
    """Return `values` as a float array; refuse what is no number or not finite."""
    return _between(place, values, unit, -_LARGEST, _LARGEST, error, ())


def positive(place: str, values: ArrayLike, unit: str = "", *, error: type[InputError] = OutOfRangeError) -> Floats:
    """Return `values` as a float array; refuse what is not above 0 or not finite."""
    return _between(place, values, unit, _SMALLEST, _LARGEST, error, (("above", 0.0),))


def not_negative(place: str, values: ArrayLike, unit: str = "", *, error: type[InputError] = OutOfRangeError) -> Floats:
    """Return `values` as a float array; refuse what is negative or not finite."""
    return _between(place, values, unit, 0.0, _LARGEST, error, (("of at least", 0.0),))


def within(
    place: str,
    values: ArrayLike,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    unit: str = "",
    error: type[InputError] = OutOfRangeError,
) -> Floats:
    """Return `values` as a float array; refuse what is not finite or beyond a limit, at either end one at most."""
    low = nextafter(above, inf) if above is not None else -_LARGEST if at_least is None else at_least
    high = nextafter(below, -inf) if below is not None else _LARGEST if at_most is None else at_most
    limits = (("above", above), ("of at least", at_least), ("below", below), ("of at most", at_most))
    return _between(place, values, unit, low, high, error, limits)


def whole(
    place: str,
    value: Any,
    *,
    least: int = 0,
    most: int | None = None,
    remedy: str = "",
    error: type[InputError] = OutOfRangeError,
) -> int:
    """Return a whole number from `least` to `most` (None: no limit) as a plain int, or raise `error`."""
    good = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not good or value < least or (most is not None and value > most):
        limits = f"of {least} or more" if most is None else f"from {least} to {most}"
        raise error(f"{place} is {shown(value)}; {remedy or f'give a whole number {limits}'}")
    return int(value)


def _between(
    place: str, values: ArrayLike, unit: str, low: float, high: float, error: type[InputError], limits: Limits
) -> Floats:
    """Two comparisons when all is well; the first bad entry is looked for only when something is wrong."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        kind = NotFiniteError if issubclass(error, OutOfRangeError) else error
        raise kind(f"{place} is {shown(values)}; give numbers") from None
    if array.ndim == 0 and low <= float(array) <= high:  # most are one number, and a decision asks by the thousand
        return array
    if array.size == 0 or (array.min() >= low and array.max() <= high):  # NaN fails both
        return array
    index = tuple(int(i) for i in np.argwhere(~((array >= low) & (array <= high)))[0])
    raise _refusal(place, index, float(array[index]), unit, error, limits)


def _refusal(
    place: str, index: tuple[int, ...], value: float, unit: str, error: type[InputError], limits: Limits
) -> InputError:
    """The error of one bad entry."""
    if not np.isfinite(value) and issubclass(error, OutOfRangeError):
        error = NotFiniteError
    at, noun = (f"[{', '.join(map(str, index))}]", "numbers") if index else ("", "a number")
    if np.isfinite(value):
        noun = f"{noun} {' and '.join(f'{word} {limit:.12g}' for word, limit in limits if limit is not None)}"
    else:
        noun = noun.replace("number", "finite number")
    return error(f"{place}{at} is {value:.12g}{f' {unit}' * bool(unit)}; give {noun}")

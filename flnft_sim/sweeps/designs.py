"""Sampling methods: points of the unit cube, and the ranges they are spread over.

A method is `(dimensions, n, seed) -> array (points, dimensions)` in [0, 1]; adding one is one function here, or an
entry point of the group `flnft_sim.designs`.
"""

from collections.abc import Callable
from typing import Any, Literal, Self

import numpy as np
from pydantic import ConfigDict, model_validator

from flnft_sim import families
from flnft_sim.arrays import Floats
from flnft_sim.errors import InputError, shown
from flnft_sim.registry import Registry
from flnft_sim.scenario.strict import Strict

Design = Callable[[int, int, int], Floats]

DESIGNS: Registry[Design] = families.DESIGNS

MORRIS_LEVELS = 4


class Range(Strict, frozen=True):
    """A field's range: `[low, high]`, or `{low, high, scale: log, integer: true}`."""

    model_config = ConfigDict(allow_inf_nan=False)

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"
    integer: bool = False

    @model_validator(mode="before")
    @classmethod
    def _from_pair(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            if len(value) != 2:
                raise ValueError(f"a range is [low, high], not {shown(list(value))}")
            return {"low": value[0], "high": value[1]}
        return value

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low ({self.low:g}) must lie below high ({self.high:g})")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"a log range must lie above 0, low is {self.low:g}")
        return self

    def spread(self, unit: Floats) -> list[float] | list[int]:
        """Values for points of [0, 1]; integers are spread evenly over low … high, both included."""
        if self.integer:  # each whole number owns an equal stretch of its scale
            low, high = np.ceil(self.low), np.floor(self.high) + 1
            return [int(value) for value in np.minimum(np.floor(self._between(unit, low, high)), high - 1)]
        return [float(value) for value in self._between(unit, self.low, self.high)]

    def _between(self, unit: Floats, low: float, high: float) -> Floats:
        if self.scale == "log":
            return np.exp(np.log(low) + unit * (np.log(high) - np.log(low)))
        return low + unit * (high - low)


@DESIGNS.register("latin-hypercube")
def latin_hypercube(dimensions: int, n: int, seed: int) -> Floats:
    """`n` points, one in each of n equal slices of every dimension (McKay et al. 1979; SciPy)."""
    from scipy.stats import qmc

    return qmc.LatinHypercube(dimensions, rng=np.random.default_rng(seed)).random(n)


@DESIGNS.register("sobol-sequence")
def sobol_sequence(dimensions: int, n: int, seed: int) -> Floats:
    """`n` (a power of two) points of a scrambled Sobol sequence (SciPy)."""
    from scipy.stats import qmc

    _power_of_two(n, "sobol-sequence")
    return qmc.Sobol(dimensions, rng=np.random.default_rng(seed)).random(n)


@DESIGNS.register("sobol")
def sobol(dimensions: int, n: int, seed: int) -> Floats:
    """Saltelli's design of n·(dimensions + 2) points for Sobol's first-order and total indices (SALib)."""
    from SALib.sample import sobol as salib

    _power_of_two(n, "sobol")
    return np.asarray(salib.sample(unit_problem(dimensions), n, calc_second_order=False, seed=seed))


@DESIGNS.register("morris")
def morris(dimensions: int, n: int, seed: int) -> Floats:
    """`n` trajectories of dimensions + 1 points for Morris' elementary effects (SALib)."""
    from SALib.sample import morris as salib

    return np.asarray(salib.sample(unit_problem(dimensions), n, num_levels=MORRIS_LEVELS, seed=seed))


def unit_problem(dimensions: int) -> dict[str, Any]:
    """SALib's description of the unit cube; ranges are applied by `Range.spread`, linear or not."""
    return {
        "num_vars": dimensions,
        "names": [f"x{i}" for i in range(dimensions)],
        "bounds": [[0.0, 1.0]] * dimensions,
    }


def _power_of_two(n: int, method: str) -> None:
    if n & (n - 1):
        raise InputError(f"sample.n = {n}: {method} needs a power of two, such as {1 << (n.bit_length() - 1)}")

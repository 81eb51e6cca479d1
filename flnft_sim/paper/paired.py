"""Comparing two groups of runs seed by seed."""

import math
from dataclasses import dataclass

import pandas as pd

from flnft_sim.statistics import statistics


def with_interval(mean: float, high: float, form: str = ".1f") -> str:
    """`mean ± half of the interval`, or the mean alone where one value makes no interval."""
    return f"{mean:{form}} ± {high - mean:{form}}" if math.isfinite(high) else f"{mean:{form}}"


@dataclass(frozen=True)
class Difference:
    """Mean of paired differences with Student's 95 % interval and two-sided p-value (NaN with one pair)."""

    n: int
    mean: float
    low: float
    high: float
    p: float

    @property
    def sign(self) -> int:
        """+1 or −1 where the whole interval lies above or below 0, else 0."""
        if self.low > 0:
            return 1
        return -1 if self.high < 0 else 0

    def text(self, *, scale: float = 1.0, unit: str = "", digits: int = 2) -> str:
        """`+1.32 points [+1.10, +1.54], p = 0.0004, n = 5`."""
        if self.n == 0:
            return "–"
        shown = f"{self.mean * scale:+.{digits}f}{unit}"
        if self.n < 2:
            return f"{shown} (one seed)"
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        return f"{shown} [{self.low * scale:+.{digits}f}, {self.high * scale:+.{digits}f}], {p}, n = {self.n}"


def paired_difference(ours: pd.Series, theirs: pd.Series) -> Difference:
    """Difference `ours` − `theirs` of two series indexed by seed, over the seeds that both have.

    Common random numbers make the two runs of a seed alike in all that they share, so their difference varies less than
    either does: Student's t on the differences, not on two groups.
    """
    from scipy.stats import ttest_1samp  # takes a second to import

    differences = (ours - theirs).dropna().to_numpy(dtype=float)
    n, mean, sd, low, high = statistics(differences.tolist())
    if n < 2:
        p = math.nan
    elif sd == 0:
        p = 1.0 if mean == 0 else 0.0  # the same difference with every seed
    else:
        p = float(ttest_1samp(differences, 0).pvalue)
    return Difference(n, mean, low, high, p)

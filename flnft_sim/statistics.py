"""Means with Student's 95 % intervals, of one list of numbers and of a table's groups."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

STATISTICS = ("n", "mean", "sd", "ci95_low", "ci95_high")
ESTIMATE = ("mean", "ci95_low", "ci95_high")


def statistics(values: Sequence[float]) -> tuple[int, float, float, float, float]:
    """Return n, mean, standard deviation, and the bounds of Student's 95 % interval (NaN where n < 2).

    Written out, as a sweep's summary asks for hundreds of thousands: `scipy.stats.ttest_1samp(…).confidence_interval()`
    says the same, takes a thousand times as long and needs a second to import.
    """
    n = len(values)
    if n == 0:
        return 0, math.nan, math.nan, math.nan, math.nan
    mean = math.fsum(values) / n
    if n == 1:
        return 1, mean, math.nan, math.nan, math.nan
    from scipy.special import stdtrit  # here: no run waits for its import

    sd = float(np.std(values, ddof=1))
    half = float(stdtrit(n - 1, 0.975)) * sd / math.sqrt(n)
    return n, mean, sd, mean - half, mean + half


def intervals(frame: pd.DataFrame, by: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Return a row per group of `by` and column, groups in the order they come: by …, metric, n and `ESTIMATE`.

    Missing values of a column do not count; a missing value of `by` makes a group of its own.
    """
    rows = []
    for key, group in frame.groupby(list(by), sort=False, dropna=False):
        for column in columns:
            n, mean, _, low, high = statistics(group[column].dropna().astype(float).tolist())
            rows.append((*key, column, n, mean, low, high))
    return pd.DataFrame(rows, columns=[*by, "metric", "n", *ESTIMATE])

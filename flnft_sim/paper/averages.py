"""Means with intervals over the seeds of a study's points."""

import pandas as pd

from flnft_sim.paper.paired import with_interval
from flnft_sim.sweeps.summary import statistics

ROUNDING = 1e-9  # what rounding leaves of a difference that is 0


def averages(runs: pd.DataFrame, groups: list[str], metrics: list[str]) -> pd.DataFrame:
    """Columns groups …, metric, n, mean, ci95_low, ci95_high."""
    rows = []
    for key, group in runs.groupby(groups, sort=False):
        for metric in metrics:
            n, mean, _, low, high = statistics(group[metric].dropna().astype(float).tolist())
            rows.append((*key, metric, n, mean, low, high))
    return pd.DataFrame(rows, columns=[*groups, "metric", "n", "mean", "ci95_low", "ci95_high"])


def without_rounding(table: pd.DataFrame) -> pd.DataFrame:
    """The table with 0 for the numbers that are only what rounding left."""
    numbers = table.select_dtypes("number")
    return table.assign(**numbers.where(~(numbers.abs() <= ROUNDING), 0.0))


def shown(table: pd.DataFrame, across: str | None) -> pd.DataFrame:
    """The table for a page: a row per first column (and metric), `mean ± half` in the cells."""
    table = without_rounding(table)
    ends = zip(table["mean"], table["ci95_high"], strict=True)
    cells = [with_interval(mean, high, ",.0f" if abs(mean) >= 100 else ".3g") for mean, high in ends]
    first = table.columns[0]
    table = table.assign(cell=cells)
    if across is None:
        wide = table.pivot(index=first, columns="metric", values="cell")
        return wide.reindex(list(dict.fromkeys(table[first])))[list(dict.fromkeys(table["metric"]))].reset_index()
    wide = table.pivot(index=[first, "metric"], columns=across, values="cell")
    wide = wide.reindex(list(dict.fromkeys(zip(table[first], table["metric"], strict=True))))
    return wide.rename(columns=lambda value: f"{across.rpartition('.')[2]} = {value}").reset_index()

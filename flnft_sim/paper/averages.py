"""Means with intervals over the seeds of a study's points."""

import pandas as pd

from flnft_sim.paper.paired import with_interval
from flnft_sim.sweeps.summary import statistics

ROUNDING = 1e-9  # what rounding leaves of a difference that is 0
NAMES = {  # of columns and metrics, on a page
    "learning.scheme": "scheme",
    "learning.partition.alpha": "α",
    "market.rule": "rule",
    "population.daos": "DAOs",
    "game.belief.kind": "belief",
    "accuracy": "test accuracy (%)",
    "user_utility": "a user's utility (no cash)",
    "licences_total": "licences sold",
    "paid_total_money": "paid in all (money)",
    "reward_received_money": "received by a user (money)",
    "provider_utility": "a provider's utility",
    "provider_exploitability_money": "most that another bid would gain (money)",
}


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


def as_text(value: float) -> str:
    """Three digits, and whole numbers with separators from 100 on."""
    return format(value, _form(value))


def shown(table: pd.DataFrame, across: str | None) -> pd.DataFrame:
    """The table for a page: a row per first column (and metric), `mean ± half` in the cells; accuracy in percent."""
    table = without_rounding(table)
    factors = [100 if metric == "accuracy" else 1 for metric in table["metric"]]
    ends = zip(table["mean"] * factors, table["ci95_high"] * factors, strict=True)
    cells = [with_interval(mean, high, _form(mean)) for mean, high in ends]
    first = table.columns[0]
    table = table.assign(cell=cells, metric=table["metric"].map(NAMES))
    if across is None:
        wide = table.pivot(index=first, columns="metric", values="cell")
        wide = wide.reindex(list(dict.fromkeys(table[first])))[list(dict.fromkeys(table["metric"]))]
        return wide.reset_index().rename(columns=NAMES)
    wide = table.pivot(index=[first, "metric"], columns=across, values="cell")
    wide = wide.reindex(list(dict.fromkeys(zip(table[first], table["metric"], strict=True))))
    return wide.rename(columns=lambda value: f"{NAMES[across]} = {value:g}").reset_index().rename(columns=NAMES)


def _form(value: float) -> str:
    return ",.0f" if abs(value) >= 100 else ".3g"

"""Tables of means with intervals, as the page shows them."""

import pandas as pd

from flnft_sim.paper.paired import with_interval

ROUNDING = 1e-9  # what rounding leaves of a difference that is 0
NAMES = {  # of columns and metrics, on a page
    "learning.scheme": "scheme",
    "learning.partition.alpha": "α",
    "market.rule": "rule",
    "population.daos": "DAOs",
    "game.belief.kind": "belief",
    "accuracy": "test accuracy (%)",
    "user_utility": "user utility (no cash)",
    "licences_total": "licences sold",
    "paid_total_money": "paid in all (money)",
    "reward_received_money": "received by a user (money)",
    "provider_utility": "provider utility",
    "provider_exploitability_money": "most that another bid would gain (money)",
}


def without_rounding(table: pd.DataFrame) -> pd.DataFrame:
    """The table with 0 for the numbers that are only what rounding left."""
    numbers = table.select_dtypes("number")
    return table.assign(**numbers.where(~(numbers.abs() <= ROUNDING), 0.0))


def in_percent(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The table, which has a column `metric`, with those columns times 100 where the metric is accuracy."""
    factors = table["metric"].map(lambda metric: 100 if metric == "accuracy" else 1)
    return table.assign(**table[columns].mul(factors, axis=0))


def shown(table: pd.DataFrame, across: str | None) -> pd.DataFrame:
    """The table for a page: a row per first column (and metric), `mean ± half` in the cells; accuracy in percent."""
    table = in_percent(without_rounding(table), ["mean", "ci95_high"])
    ends = zip(table["mean"], table["ci95_high"], strict=True)
    cells = [with_interval(mean, high, ",.0f" if abs(mean) >= 100 else ".1f") for mean, high in ends]
    first = table.columns[0]
    table = table.assign(cell=cells, metric=table["metric"].replace(NAMES))
    if across is None:
        wide = table.pivot(index=first, columns="metric", values="cell")
        wide = wide.reindex(list(dict.fromkeys(table[first])))[list(dict.fromkeys(table["metric"]))]
    else:
        wide = table.pivot(index=[first, "metric"], columns=across, values="cell")
        wide = wide.reindex(list(dict.fromkeys(zip(table[first], table["metric"], strict=True))))
        wide = wide.rename(columns=lambda value: f"{NAMES[across]} = {value:g}")
    return wide.reset_index().rename(columns=NAMES)

"""Runs side by side: the settings in which they differ, their figures, and differences paired by seed."""

import html
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from flnft_sim.errors import InputError
from flnft_sim.results.told import Told, counted
from flnft_sim.statistics import ESTIMATE, statistics

if TYPE_CHECKING:
    from flnft_sim.results.record import RunRecord

NAMES = ("name", "description")  # of a scenario: what it is called changes nothing

#: A run's resolved scenario by dotted field, as text; what runs must share to be repetitions of one another.
type Settings = dict[str, str]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What tells runs apart. In a notebook it shows itself; `print` shows its tables as text.

    `settings`: a row a field that differs (its dotted name is the index), a column a run. `metrics`: a row a figure of
    the summaries, a column a run. `differences`: a row a group of runs and metric: the mean of the group's runs less
    those of the first group, with Student's 95 % interval. Groups are the runs with the same settings but for the
    seed; runs of the same seed are subtracted from one another (`n` pairs), as they share the random numbers that the
    settings leave alone. Where two groups share no seed, `n` is 0 and means are subtracted, with chance in them, too.
    """

    settings: pd.DataFrame
    metrics: pd.DataFrame
    differences: pd.DataFrame
    groups: Mapping[str, Sequence[str]]
    """The runs of each group, by the name of its first."""

    def __str__(self) -> str:
        tables = {"settings that differ": self.settings, "figures": self.metrics, "differences": self.differences}
        shown = [f"{title}\n{table.to_string()}" for title, table in tables.items() if len(table)]
        return "\n\n".join(shown or ["no setting and no figure differs"])

    def _repr_html_(self) -> str:
        tables = {"Settings that differ": self.settings, "Figures": self.metrics, "Differences": self.differences}
        return "\n".join(
            f"<h4>{html.escape(title)}</h4>{table.to_html(border=0, na_rep='', float_format='{:,.4g}'.format)}"
            for title, table in tables.items()
        )


def compare(runs: Mapping[str, "RunRecord"]) -> Comparison:
    """Compare two runs or more, by name; the first one's group is what the others are compared with.

    Raises `InputError` for fewer than two.
    """
    if len(runs) < 2:
        raise InputError(f"a comparison of {counted(len(runs), 'run')}; give at least two")
    settings = pd.DataFrame({name: _settings(run) for name, run in runs.items()})
    metrics = pd.DataFrame({name: _figures(run) for name, run in runs.items()})
    groups = _groups(runs)
    differing = settings[(settings.ne(settings.iloc[:, 0], axis=0)).any(axis=1)]
    return Comparison(differing, metrics, _differences(runs, metrics, groups), groups)


def _settings(run: "RunRecord") -> Settings:
    scenario = run.manifest.get("scenario")
    flat = _flat(scenario if isinstance(scenario, Mapping) else {})
    return {field: str(value) for field, value in flat.items() if field not in NAMES}


def _flat(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in fields.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) and value else {f"{prefix}{key}": value}
    return found


def _figures(run: "RunRecord") -> dict[str, float]:
    """The numbers of the summary."""
    figures = Told(run).figures
    return {k: float(v) for k, v in figures.items() if isinstance(v, int | float) and not isinstance(v, bool)}


def _groups(runs: Mapping[str, "RunRecord"]) -> dict[str, list[str]]:
    alike: dict[frozenset[tuple[str, str]], list[str]] = defaultdict(list)
    for name, run in runs.items():
        alike[frozenset((field, value) for field, value in _settings(run).items() if field != "seed")].append(name)
    return {names[0]: names for names in alike.values()}


def _differences(
    runs: Mapping[str, "RunRecord"], metrics: pd.DataFrame, groups: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    first, *others = groups.values()
    by_seed = {runs[name].manifest.get("seed"): name for name in first}
    rows = []
    for group in others:
        pairs = [(name, by_seed[seed]) for name in group if (seed := runs[name].manifest.get("seed")) in by_seed]
        for metric, row in metrics.iterrows():
            rows.append((group[0], metric, *_difference(row, pairs, group, first)))
    return pd.DataFrame(rows, columns=["group", "metric", "n", *ESTIMATE])


def _difference(
    row: pd.Series, pairs: Sequence[tuple[str, str]], group: Sequence[str], first: Sequence[str]
) -> tuple[int, float, float, float]:
    """Pairs, mean difference and the ends of its interval, of one metric."""
    paired = [row[a] - row[b] for a, b in pairs if pd.notna(row[a]) and pd.notna(row[b])]
    if not pairs:
        return 0, float(row[list(group)].mean() - row[list(first)].mean()), math.nan, math.nan
    n, mean, _, low, high = statistics(paired)
    return n, mean, low, high

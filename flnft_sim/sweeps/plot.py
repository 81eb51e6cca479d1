"""A picture of a sweep: mean over seeds with 95 % confidence bands, from any of its tables."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from flnft_sim.errors import InputError, UnknownNameError, shown
from flnft_sim.figures.sweep import draw_estimates
from flnft_sim.formats import picture_format, save_figure
from flnft_sim.statistics import ESTIMATE, STATISTICS, intervals
from flnft_sim.sweeps.plan import RESERVED
from flnft_sim.sweeps.sensitivity import INDICES
from flnft_sim.sweeps.tables import cell, read_table

UNITS = {"s": "s", "money": "money", "hz": "Hz", "ghz": "GHz", "mhz": "MHz", "m": "m", "bps": "bit/s", "ms": "ms"}
NOTHING = "none"  # how a parameter that is left out is called, as in the table of fields
WHICH = ("dao", "round")  # what tells the rows of one run apart


class Plot(NamedTuple):
    """What is drawn: estimates (columns x, hue and `ESTIMATE`), in words what of, and what is not in it."""

    estimates: pd.DataFrame
    x: str
    y: str
    hue: str | None
    note: str


def plot_sweep(
    sweep: str | Path,
    *,
    x: str | None = None,
    y: str | None = None,
    hue: str | None = None,
    out: Path | None = None,
) -> Path:
    """Draw column `y` of a sweep's table over `x`, a line per value of `hue`; returns the picture's path.

    `sweep` is a folder, a name under `sweeps/`, or one of its tables: runs (CSV or parquet), rounds (curves over
    rounds), or summary, differences and sensitivity, where `y` is a metric. Numbers make lines with bands, names make
    points with bars, and a parameter that is left out at some point makes names of the others.

    Raises `InputError` for a missing sweep or column, and where there is nothing to draw.
    """
    if out is not None:
        picture_format(out)
    path = _table(sweep)
    table = read_table(path)
    picture = _picture(table, path, x, y, hue)
    target = out or path.parent / f"{path.stem}-{picture.y}-by-{picture.x}.png"
    save_figure(_draw(picture), target, dpi=150)
    return target


def _picture(table: pd.DataFrame, path: Path, x: str | None, y: str | None, hue: str | None) -> Plot:
    columns = list(table.columns)
    if not len(table):
        raise InputError(f"{path} has no row yet; run the sweep first")
    if "metric" in columns and "parameter" in columns:
        return _of_sensitivity(table, path, x, y, hue)
    if set(STATISTICS) <= set(columns):
        return _of_statistics(table, path, x, y, hue)
    if "point" in columns and "seed" in columns:
        return _of_runs(table, path, x, y, hue)
    raise InputError(f"{path} is no table of a sweep; give its folder, or a table that `flnft sweep` wrote there")


# ---- the tables of a sweep ------------------------------------------------------------------------------------------


def _of_runs(table: pd.DataFrame, path: Path, x: str | None, y: str | None, hue: str | None) -> Plot:
    """Means over the rows of runs or rounds; a run that stands there twice counts once."""
    parameters = list(table.columns[1 : list(table.columns).index("seed")])
    measured = [name for name in table.columns if name not in {*RESERVED, *parameters, *WHICH}]
    default_x = "round" if "round" in table else next(iter(parameters), "seed")
    x, hue = _column(table, x or default_x), _hue(table, parameters, hue, x or default_x)
    y = _measured(table, y, measured, path)
    table = table.drop_duplicates([name for name in (*parameters, "seed", *WHICH) if name in table])
    kept = table[table[y].notna() & (table[x].notna() | (x in parameters))]
    if kept.empty:
        raise InputError(f"{path}: no run has a value of {y}{_first_error(table)}; there is nothing to draw")
    mixed = [label(name) for name in parameters if name not in {x, hue} and table[name].nunique(dropna=False) > 1]
    left_out = f"; {len(table) - len(kept)} of {len(table)} rows have no value" if len(kept) < len(table) else ""
    estimates = intervals(kept, [name for name in (x, hue) if name], [y]).drop(columns="metric")
    return Plot(estimates, x, y, hue, f"{_claim(estimates['n'], ' and '.join(['seeds', *mixed]))}{left_out}")


def _of_statistics(table: pd.DataFrame, path: Path, x: str | None, y: str | None, hue: str | None) -> Plot:
    """What summary.csv and differences.csv hold of one metric, without the points that lack it."""
    ends = [name for name in ("failed", "metric") if name in table]
    parameters = list(table.columns[1 : min(list(table.columns).index(name) for name in ends)])
    x = _column(table, x or next(iter(parameters), "point"))
    hue = _hue(table, parameters, hue, x)
    y = _metric(table, y, path)
    table = table[(table["metric"] == y) & table["mean"].notna()]
    if table.empty:
        raise InputError(f"{path}: no point has a value of {y}; there is nothing to draw")
    others = [name for name in parameters if name not in {x, hue} and table[name].nunique(dropna=False) > 1]
    if others:  # every point has a line of its own: means of other points cannot be averaged
        lines = [name for name in (hue, *others) if name]
        hue = ", ".join(map(label, lines))
        table = table.assign(**{hue: table[lines].map(_name).agg(", ".join, axis=1)})
    what = "difference from the baseline: " if "baseline_point" in table else ""
    return Plot(table, x, y, hue, f"{what}{_claim(table['n'], 'seeds')}, from {path.name}")


def _claim(counts: pd.Series, over: str) -> str:
    """What a point or a line is, and of how many runs: a single one has no interval, and none is claimed."""
    fewest, most = int(counts.min()), int(counts.max())
    if most < 2:
        return "single runs (n = 1, no interval)"
    n = f"n = {most}" if fewest == most else f"n = {fewest} to {most}"
    return f"mean and 95 % interval over {over} ({n}{', no interval where n = 1' if fewest < 2 else ''})"


def _of_sensitivity(table: pd.DataFrame, path: Path, x: str | None, y: str | None, hue: str | None) -> Plot:
    """Sobol' indices or elementary effects of one metric, a group of points per parameter."""
    method = next((method for method, indices in INDICES.items() if indices[0] in table), None)
    if method is None:
        raise InputError(f"{path} holds no indices; run the sweep with a sample of `sobol` or `morris`")
    indices = INDICES[method]
    if x is not None or hue is not None:
        raise InputError(f"{path} is drawn over its parameters; leave out --x and --hue, --y chooses the metric")
    y = _metric(table, y, path)
    table = table[table["metric"] == y].dropna(subset=[indices[0]])
    if table.empty:
        raise InputError(f"{path}: {y} is missing or constant, and has no indices; there is nothing to draw")
    parts = []
    for name in indices:
        if f"{name}_conf" in indices or name == "mu":
            half = table.get(f"{name}_conf", pd.Series(np.nan, table.index))
            low, high = table[name] - half, table[name] + half
            parts.append(table.assign(index=name, mean=table[name], ci95_low=low, ci95_high=high))
    estimates = pd.concat(parts)[["parameter", "index", *ESTIMATE]]
    return Plot(estimates, "parameter", y, "index", f"{method} indices of {label(y)} with SALib's 95 % intervals")


def _hue(table: pd.DataFrame, parameters: list[str], hue: str | None, x: str) -> str | None:
    chosen = _column(table, hue) if hue else next((name for name in parameters if name != x), None)
    return chosen if chosen != x else None


def _measured(table: pd.DataFrame, y: str | None, measured: list[str], path: Path) -> str:
    """The column to draw: a number, or a flag, which counts as 0 and 1."""
    numeric = [name for name in measured if is_numeric_dtype(table[name]) and table[name].notna().any()]
    if y is None and not numeric:
        raise InputError(f"{path}: no run has a metric{_first_error(table)}; there is nothing to draw")
    y = _column(table, y) if y else numeric[0]
    if not (is_numeric_dtype(table[y]) or is_bool_dtype(table[y])):
        raise InputError(f"--y {y}: this column of {path} holds text; choose one of {', '.join(numeric) or 'others'}")
    return y


def _metric(table: pd.DataFrame, y: str | None, path: Path) -> str:
    metrics = list(dict.fromkeys(table["metric"]))
    if y is None:
        return str(metrics[0])
    if y not in metrics:
        raise UnknownNameError(f"metric of {path.name}", y, map(str, metrics))
    return y


def _first_error(table: pd.DataFrame) -> str:
    errors = [str(error) for error in table["error"].dropna()] if "error" in table else []
    return f" ({len(errors)} failed, the first: {shown(errors[0])})" if errors else ""


# ---- drawing --------------------------------------------------------------------------------------------------------


def _draw(picture: Plot) -> Figure:
    table, x, hue = picture.estimates, picture.x, picture.hue
    numbers = is_numeric_dtype(table[x]) and not is_bool_dtype(table[x]) and table[x].notna().all()
    names = [] if numbers else _in_order(table[x])
    places = table[x] if numbers else table[x].map(_name).map(names.index)
    return draw_estimates(
        dict(_lines(table.assign(place=places), hue)),
        x=label(x),
        y=label(picture.y),
        note=picture.note,
        names=names,
        legend=label(hue) if hue else "",
        marked=x != "round",
    )


def _lines(table: pd.DataFrame, hue: str | None) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each value of `hue`, in order, with its name."""
    if hue is None:
        yield "", table
        return
    names = table[hue].map(_name)
    for name in _in_order(table[hue]):
        yield name, table[names == name]


def _name(value: object) -> str:
    """A value as the CSV writes it; a whole number that shares its column with missing ones has no decimals."""
    text = cell(value)
    return (text.removesuffix(".0") if isinstance(value, float) else text) or NOTHING


def _in_order(values: pd.Series) -> list[str]:
    """The names of the values: numbers by size, words as they come, and last what is left out."""
    known = values.dropna()
    known = known.sort_values() if is_numeric_dtype(values) else known
    return list(dict.fromkeys([*map(_name, known), *([NOTHING] if values.isna().any() else [])]))


def label(column: str) -> str:
    """A column's name for an axis: `public_chain.block_interval_s` becomes `block interval [s]`."""
    words = re.split(r"_", column.rpartition(".")[2])
    unit = UNITS.get(words[-1]) if len(words) > 1 else None
    return " ".join(words[:-1]) + f" [{unit}]" if unit else " ".join(words)


def _table(sweep: str | Path) -> Path:
    places = [Path(sweep), Path(sweep) / "runs.csv", Path("sweeps") / sweep / "runs.csv"]
    for place in places:
        if place.is_file():
            return place
    raise InputError(
        f"no finished sweep at {sweep}: there is no {places[1]} and no {places[2]}; run `flnft sweep` first"
    )


def _column(table: pd.DataFrame, name: str) -> str:
    if name not in table:
        raise UnknownNameError("column", name, table.columns)
    return name

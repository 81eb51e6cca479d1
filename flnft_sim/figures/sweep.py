"""Means with their intervals over a parameter, for the tables of a sweep."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flnft_sim.figures.palette import series_colour
from flnft_sim.figures.style import finish, legend_below, new_figure

_LONG = 70  # letters of names that stand beside one another; more are tilted


def draw_estimates(
    lines: Mapping[str, pd.DataFrame],
    *,
    x: str,
    y: str,
    note: str,
    names: Sequence[str] = (),
    legend: str = "",
    marked: bool = True,
) -> Figure:
    """Draw lines with bands over numbers, or points with bars over `names`.

    lines: by what the legend calls them, columns place, mean, ci95_low, ci95_high (NaN: no interval); place is a
    number, or the index of one of `names`. `legend` says what tells the lines apart; `marked` lines show their points.
    """
    figure, [axes] = new_figure()
    for number, (name, line) in enumerate(lines.items()):
        if names:
            shift = 0.2 * (number - (len(lines) - 1) / 2) / max(len(lines) - 1, 1)
            _points(axes, line.assign(place=line["place"] + shift), name, series_colour(number))
        else:
            _line(axes, line.sort_values("place"), name, series_colour(number), "o" if marked else "")
    if names:
        axes.set_xticks(range(len(names)), names, rotation=0 if sum(map(len, names)) < _LONG else 20)
        axes.set_xlim(-0.5, len(names) - 0.5)
    finish(axes, title=f"{y} by {x}", x=x, y=y, note=note)
    if legend:
        legend_below(figure, axes.get_legend_handles_labels()[0], title=legend)
    return figure


def _line(axes: Axes, line: pd.DataFrame, name: str, colour: str, marker: str) -> None:
    places, mean, low, high = _columns(line)
    axes.plot(places, mean, marker=marker, color=colour, label=name)
    axes.fill_between(places, low, high, color=colour, alpha=0.2, linewidth=0)
    known = np.pad(np.isfinite(low), 1)
    alone = known[1:-1] & ~known[:-2] & ~known[2:]  # an interval between points without one is no area but a bar
    if alone.any():
        axes.vlines(places[alone], low[alone], high[alone], color=colour, alpha=0.3, linewidth=6)


def _points(axes: Axes, line: pd.DataFrame, name: str, colour: str) -> None:
    places, mean, low, high = _columns(line)
    bars = np.nan_to_num([mean - low, high - mean]).clip(min=0)
    axes.errorbar(places, mean, yerr=bars, fmt="o", capsize=3, color=colour, label=name)


def _columns(line: pd.DataFrame) -> list[np.ndarray]:
    return [line[name].to_numpy(dtype=float) for name in ("place", "mean", "ci95_low", "ci95_high")]

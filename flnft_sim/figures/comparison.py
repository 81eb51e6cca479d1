"""Runs side by side: their accuracy by round, and the differences of their figures in percent."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flnft_sim.figures.palette import GREY, series_colour
from flnft_sim.figures.style import finish, legend_below, new_figure, percents, whole_numbers
from flnft_sim.results.comparison import Comparison
from flnft_sim.results.told import counted

if TYPE_CHECKING:
    from flnft_sim.results.record import RunRecord

#: The figures whose differences are drawn, and what they are called.
FIGURES = {
    "accuracy": "accuracy",
    "minting_time_s": "minting time",
    "aoi_mean_s": "mean age",
    "user_utility": "user utility",
    "provider_utility": "provider utility",
    "price_money": "price",
    "licences_total": "licences",
}


def draw_comparison(runs: Mapping[str, "RunRecord"], comparison: Comparison) -> Figure:
    """Draw a line a run, coloured by group; beside it, where there are several groups, the relative differences."""
    several = len(comparison.groups) > 1
    width = 13.0 if several else 7.5
    figure, axes = new_figure(width=width, columns=1 + several, between=1.6)
    for number, group in enumerate(comparison.groups.values()):
        for name in group:
            means = runs[name].rounds.groupby("round")["accuracy"].mean()
            axes[0].plot(
                means.index,
                means,
                color=series_colour(number),
                alpha=0.8,
                label=group[0],
                marker="o" if len(means) == 1 else "",
            )
    counts = (
        f"{counted(len(runs), 'run')}, {counted(len(comparison.groups), 'setting')}; a line a run, mean of its DAOs"
    )
    finish(axes[0], title="Accuracy by round", x="FL round", y="test accuracy", note=counts)
    whole_numbers(axes[0])
    percents(axes[0])
    if several:
        _draw_differences(axes[1], comparison)
    handles = dict(zip(*reversed(axes[0].get_legend_handles_labels()), strict=True))
    legend_below(figure, list(handles.values()))
    return figure


def _draw_differences(axes: Axes, comparison: Comparison) -> None:
    first, *others = comparison.groups
    base = comparison.metrics[list(comparison.groups[first])].mean(axis=1)
    known = [metric for metric in FIGURES if metric in base.index and abs(base[metric]) > 0]
    places = np.arange(len(known))[::-1]
    for number, group in enumerate(others, start=1):
        own = comparison.differences.set_index(["group", "metric"]).loc[group].reindex(known)
        scale = 100 / base[known].abs()
        mean, low, high = (own[column] * scale for column in ("mean", "ci95_low", "ci95_high"))
        bars = np.nan_to_num([mean - low, high - mean])
        axes.errorbar(mean, places - 0.12 * (number - 1), xerr=bars, fmt="o", capsize=3, color=series_colour(number))
    axes.axvline(0.0, color=GREY, linewidth=1)
    axes.set_yticks(places, [FIGURES[metric] for metric in known])
    note = "bars: 95 % intervals of differences paired by seed"
    finish(axes, title=f"Difference from {first}", x="percent", y="", note=note)

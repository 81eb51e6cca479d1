"""What users were paid, against what was measured of them."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from flnft_sim.figures.palette import BLUE, INK, series_colour
from flnft_sim.figures.style import legend_below, small_multiples
from flnft_sim.results.contribution import Contributed, contributed, crowd_of
from flnft_sim.results.pictures import FIGURES
from flnft_sim.results.record import RunRecord

_SHAPES = "sXD^vP*<>h"  # by conduct, dark and filled; honest users are light rings
_MARGIN = 0.06


@FIGURES.register("contributions")
def contributions(result: RunRecord) -> Figure | None:
    """Each user's share of the money against its share of what was contributed, a panel a measure.

    On the diagonal a user is paid what it contributed; above it more. Who did harm stands left of 0. Adversaries have a
    shape of their own for each conduct.
    """
    told = contributed(result)
    if told is None:
        return None
    names = [str(name) for name in told.measured]
    of = "of the money" if told.was_paid else "of what would be paid; nothing was"
    note = "each mark is a user; on the dotted line it is paid what it contributed, above it more"
    measured, highest = told.measured.to_numpy(), float(told.paid.max())
    most = max(float(measured.max()), highest)
    if float(measured.min()) < -most:
        note += f"; harm of more than {most:.0%} stands at the left edge"
    figure, panels = small_multiples(
        len(names), title="Paid against contributed", note=note, x="share of what was contributed", y=f"share {of}"
    )
    looks = _looks(told.conduct)
    for axes, name in zip(panels, names, strict=True):
        _panel(axes, told, told.measured[name].clip(lower=-most), looks)
        axes.set_ylim(-_MARGIN * highest, (1 + 2 * _MARGIN) * highest)
        if len(names) > 1:
            axes.set_title(name.replace("_", "-"), fontsize=9, loc="left")
    legend_below(
        figure,
        [_handle(look, crowd_of(conduct, int((told.conduct == conduct).sum()))) for conduct, look in looks.items()],
    )
    return figure


def _looks(conduct: pd.Series) -> dict[str, dict[str, Any]]:
    """How the marks of each conduct look, honest users first."""
    looks: dict[str, dict[str, Any]] = {}
    if (conduct == "honest").any():
        looks["honest"] = {"marker": "o", "facecolors": "none", "edgecolors": BLUE, "linewidths": 1.6, "s": 52}
    for place, kind in enumerate(sorted(set(conduct) - {"honest"})):
        colour, marker = series_colour(place + 3), _SHAPES[place % len(_SHAPES)]
        looks[kind] = {"marker": marker, "facecolors": colour, "edgecolors": "black", "linewidths": 1.0, "s": 64}
    return looks


def _panel(axes: Axes, told: Contributed, measured: pd.Series, looks: dict[str, dict[str, Any]]) -> None:
    axes.axline((0, 0), slope=1, color=INK, linewidth=1.2, linestyle=":")
    axes.axvline(0, color=INK, linewidth=0.6)
    for kind, look in looks.items():
        own = told.conduct == kind
        axes.scatter(measured[own], told.paid[own], zorder=3, **look)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))


def _handle(look: dict[str, Any], label: str) -> Line2D:
    face, edge = look["facecolors"], look["edgecolors"]
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=look["marker"],
        markerfacecolor=face,
        markeredgecolor=edge,
        markersize=7,
        label=label,
    )

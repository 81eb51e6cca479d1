"""Many like things in one picture: names in order, small multiples up to a limit, bands beyond it."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from flnft_sim.figures.palette import BLUE
from flnft_sim.figures.style import legend_below

PANELS = 8  # as many DAOs have a panel each; more make one panel with bands
LINES = 6  # as many curves of one panel are lines; more make a band
_SHADES = (0.2, 0.45)  # opacity of a band's outer and inner part


def natural(names: Iterable[str]) -> list[str]:
    """The names, each once, in the order a reader expects: dao-2 before dao-10."""
    return sorted(set(names), key=lambda name: [int(part) if part.isdigit() else part for part in _parts(name)])


def dao_of(mintings: pd.Series) -> pd.Series:
    """The DAO of each minting's label: a run of several auctions labels dao-3's first minting dao-3-e0."""
    return mintings.str.replace(r"-e\d+$", "", regex=True)


def short_names(names: Sequence[str]) -> tuple[list[str], str]:
    """The names without the word they all begin with, and that word: provider-3, provider-11 are 3, 11 of provider."""
    words = {name.rpartition("-")[0] for name in names}
    word = words.pop() if len(words) == 1 else ""
    return [name.removeprefix(f"{word}-") for name in names], word


def draw_band(axes: Axes, x: np.ndarray, values: np.ndarray, colour: str = BLUE) -> None:
    """Median, middle half and range of `values` (n, len(x)) over x; NaN is a missing value, one x makes bars."""
    known = ~np.isnan(values).all(axis=0)
    low, lower, middle, upper, high = np.nanquantile(values[:, known], (0, 0.25, 0.5, 0.75, 1), axis=0)
    at = x[known]
    for bottom, top, shade, width in ((low, high, _SHADES[0], 14), (lower, upper, _SHADES[1], 8)):
        if len(at) > 1:
            axes.fill_between(at, bottom, top, color=colour, alpha=shade, linewidth=0)
        else:
            axes.vlines(at, bottom, top, color=colour, alpha=shade, linewidth=width)
    axes.plot(at, middle, color=colour, linewidth=2, marker="o" if len(at) == 1 else "")


def band_legend(figure: Figure, over: str, *, colour: str = BLUE) -> None:
    """What the parts of `draw_band` are, below the figure."""
    outer, inner = _SHADES
    legend_below(
        figure,
        [
            Line2D([], [], color=colour, linewidth=2, label=f"median {over}"),
            Patch(color=colour, alpha=1 - (1 - outer) * (1 - inner), label="middle half"),
            Patch(color=colour, alpha=outer, linewidth=0, label="lowest to highest"),
        ],
    )


def _parts(name: str) -> list[str]:
    """Letters and digits in turn, letters first, so that two names compare part by part."""
    return re.split(r"(\d+)", name)

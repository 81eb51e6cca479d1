"""One look for all pictures: sizes that read at half size, colours that the colour-blind tell apart.

Margins are given in inches and not solved for: a layout engine draws every text twice, which costs more than the rest
of a picture.
"""

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.container import Container
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from flnft_sim.figures.palette import GREY, INK, PHASE_COLOURS
from flnft_sim.results.phase import Phase

TITLE, TEXT, TICK, NOTE = 14, 13, 12, 11  # points
_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 0.95, 0.2, 0.8, 0.68, 1.3  # inches around and between the rows of a picture
_PANEL_GAPS = (0.22, 0.42)  # inches beside and between small multiples, which share their axes' labels
_POINTS_PER_INCH = 72
_LETTER = 0.55  # width of a letter / height of its type, on the wide side of DejaVu Sans


def new_figure(
    *,
    width: float = 7.5,
    height: float = 4.5,
    heights: Sequence[float] = (1,),
    columns: int = 1,
    left: float = _LEFT,
    right: float = _RIGHT,
    between: float | None = None,
) -> tuple[Figure, list[Axes]]:
    """A figure (inches) and its axes, row by row of the given relative heights, with room for their labels.

    `left` and `right` are the room beside the axes, in inches; `between` that of two columns (as on the left).
    """
    figure = Figure(figsize=(width, height))
    between = left if between is None else between
    above = (height - _TOP - _BOTTOM - _GAP * (len(heights) - 1)) / len(heights)
    beside = (width - left - right - between * (columns - 1)) / columns
    _margins(figure, left=left, right=right, top=_TOP, bottom=_BOTTOM)
    figure.subplots_adjust(hspace=_GAP / above, wspace=between / beside)
    return figure, list(figure.subplots(len(heights), columns, height_ratios=heights, squeeze=False).flat)


def small_multiples(count: int, *, title: str, note: str, x: str, y: str) -> tuple[Figure, list[Axes]]:
    """A figure of `count` equal panels on the same axes, whose labels stand once; a single panel fills the figure."""
    if count == 1:
        figure, [axes] = new_figure()
        finish(axes, title=title, x=x, y=y, note=note)
        return figure, [axes]
    columns = count if count < 4 else math.ceil(math.sqrt(1.6 * count))
    rows = math.ceil(count / columns)
    width, height = 9.0, _TOP + 0.25 + _BOTTOM + (2.6 if rows == 1 else 2.0 * rows)
    figure = Figure(figsize=(width, height))
    _margins(figure, left=_LEFT, right=_RIGHT, top=_TOP + 0.25, bottom=_BOTTOM)
    spaces = ((width - _LEFT - _RIGHT) / columns, (height - _TOP - 0.25 - _BOTTOM) / rows)
    wspace, hspace = (gap / (space - gap) for gap, space in zip(_PANEL_GAPS, spaces, strict=True))
    figure.subplots_adjust(wspace=wspace, hspace=hspace)
    grid = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    for axes in grid[count:]:
        axes.remove()
    for axes in grid[max(count - columns, 0) : count]:
        axes.tick_params(labelbottom=True)
    for axes in grid[:count]:
        _plain(axes, NOTE)
    place: dict[str, Any] = {"x": _LEFT / width, "ha": "left", "va": "top"}
    figure.text(y=1 - 0.12 / height, s=title, fontsize=TITLE, **place)
    figure.text(y=1 - 0.42 / height, s=_wrapped(note, width - _LEFT - _RIGHT), fontsize=NOTE, color=INK, **place)
    figure.supxlabel(x, fontsize=TEXT, x=(1 + (_LEFT - _RIGHT) / width) / 2, y=0.1 / height)
    figure.supylabel(y, fontsize=TEXT, x=0.1 / width, y=(1 + (_BOTTOM - _TOP - 0.25) / height) / 2)
    return figure, grid[:count]


def finish(axes: Axes, *, title: str, x: str, y: str, legend: bool = False, note: str = "") -> None:
    """Title, axis labels with their units, legend: the same in every picture.

    `note` stands below the title in smaller type: what was counted, what was left out.
    """
    lines = _wrapped(note, axes.bbox.width / axes.figure.dpi) if note else ""
    axes.set_title(title, fontsize=TITLE, loc="left", pad=7 + (1.25 * NOTE * (lines.count("\n") + 1) if note else 0))
    if note:
        axes.annotate(
            lines, (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points", fontsize=NOTE, color=INK
        )
    axes.set_xlabel(x, fontsize=TEXT)
    axes.set_ylabel(y, fontsize=TEXT)
    _plain(axes, TICK)
    if legend:
        axes.legend(fontsize=TICK, frameon=False)


def legend_below(figure: Figure, handles: Sequence[Artist | Container], *, title: str = "") -> None:
    """One legend for the whole figure, in room that is added below it; `title` says what it tells apart."""
    labels = [str(handle.get_label()) for handle in handles]
    width, height = figure.get_size_inches()
    column = max(map(len, labels)) * _LETTER * TICK / _POINTS_PER_INCH + 0.62  # its mark and the space between
    columns = max(1, min(len(labels), int(width / column)))
    if figure.get_layout_engine() is None:
        more = 0.24 * (math.ceil(len(labels) / columns) + bool(title)) + 0.05
        pars = figure.subplotpars
        figure.set_size_inches(width, height + more)
        bottom, top = ((edge * height + more) / (height + more) for edge in (pars.bottom, pars.top))
        figure.subplots_adjust(bottom=bottom, top=top)
        for text in figure.texts:
            text.set_y((text.get_position()[1] * height + more) / (height + more))
    figure.legend(
        handles=list(handles),
        title=title or None,
        title_fontsize=TICK,
        loc="lower center" if figure.get_layout_engine() is None else "outside lower center",
        ncols=columns,
        fontsize=TICK,
        frameon=False,
        borderaxespad=0.2,
        handlelength=1.6,
        columnspacing=1.2,
    )


def phase_legend(figure: Figure, phases: Iterable[str]) -> None:
    """The colours of these phases, below the figure."""
    legend_below(figure, [Patch(**phase_look(phase), label=phase) for phase in phases])


def phase_look(phase: str) -> dict[str, Any]:
    """Colour of a phase's bars; waiting, as light as a decision, is hatched too."""
    look = {"facecolor": PHASE_COLOURS[phase], "linewidth": 0.0}
    return look | ({"hatch": "////", "edgecolor": GREY} if phase == Phase.WAITING else {})


def whole_numbers(axes: Axes) -> None:
    """Ticks of the x axis at whole numbers alone (rounds, auctions), of which a single one stands in the middle."""
    low, high = axes.get_xlim()
    if high - low < 1:
        axes.set_xlim((low + high) / 2 - 1, (low + high) / 2 + 1)
        axes.set_xticks([round((low + high) / 2)])
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))


def percents(axes: Axes) -> None:
    """Ticks of the y axis as percentages, with as many decimals as their steps have."""
    locator = MaxNLocator(nbins=5, steps=[1, 2, 5, 10])
    ticks = locator.tick_values(*axes.get_ylim())
    axes.yaxis.set_major_locator(locator)
    decimals = max(0, -math.floor(math.log10(100 * (ticks[1] - ticks[0])) + 1e-9))
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=decimals))


def luminance(colour: str) -> float:
    """Relative luminance of a colour as WCAG 2.2 defines it: 0 black, 1 white; what is left of it in grey."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


def readable_on(colour: str) -> str:
    """Black or white, whichever contrasts more with `colour` (WCAG's ratio, equal at a luminance of 0.179)."""
    return "black" if luminance(colour) > 0.179 else "white"


def _margins(figure: Figure, *, left: float, right: float, top: float, bottom: float) -> None:
    """Room around the axes, in inches."""
    width, height = figure.get_size_inches()
    figure.subplots_adjust(left=left / width, right=1 - right / width, top=1 - top / height, bottom=bottom / height)


def _plain(axes: Axes, tick: int) -> None:
    axes.tick_params(labelsize=tick)
    axes.spines[["top", "right"]].set_visible(False)


def _wrapped(note: str, width: float) -> str:
    """The note in lines of at most `width` inches."""
    return textwrap.fill(note, max(20, int(width * _POINTS_PER_INCH / (_LETTER * NOTE))))

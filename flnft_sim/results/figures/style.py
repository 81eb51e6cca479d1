"""One look for all pictures: sizes that read at half size, colours that the colour-blind tell apart."""

import io
from collections.abc import Iterable, Sequence

import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from flnft_sim.results.palette import PHASE_COLOURS

_TITLE, _TEXT, _TICK = 14, 13, 12


def new_figure(
    *, width: float = 7.5, height: float = 4.5, heights: Sequence[float] = (1,)
) -> tuple[Figure, list[Axes]]:
    """A figure (inches) and its axes, one a row of the given relative heights, with room for their labels."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, list(figure.subplots(len(heights), height_ratios=heights, squeeze=False).flat)


def png_bytes(figure: Figure, *, dpi: int) -> bytes:
    """The figure as the bytes of a PNG file; equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def legend_below(figure: Figure, handles: Sequence[Artist]) -> None:
    """One legend for the whole figure, below it."""
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=_TICK, frameon=False)


def phase_legend(figure: Figure, phases: Iterable[str]) -> None:
    """The colours of these phases, below the figure."""
    legend_below(figure, [Patch(color=PHASE_COLOURS[phase], label=phase) for phase in phases])


def readable_on(colour: str) -> str:
    """Black or white, whichever contrasts more with `colour` (WCAG's ratio, equal at a luminance of 0.179)."""
    return "black" if sns.utils.relative_luminance(colour) > 0.179 else "white"


def finish(axes: Axes, *, title: str, x: str, y: str, legend: bool = False) -> None:
    """Title, axis labels with their units, legend: the same in every picture."""
    axes.set_title(title, fontsize=_TITLE, loc="left")
    axes.set_xlabel(x, fontsize=_TEXT)
    axes.set_ylabel(y, fontsize=_TEXT)
    axes.tick_params(labelsize=_TICK)
    sns.despine(ax=axes)
    if legend:
        axes.legend(fontsize=_TICK, frameon=False)

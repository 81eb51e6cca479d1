"""The pictures of a run as bytes of files.

Each picture is found by its name when it is wanted, so that nothing here imports a drawing library.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from flnft_sim import families
from flnft_sim.errors import InputError
from flnft_sim.formats import Format, figure_bytes
from flnft_sim.registry import Registry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from flnft_sim.results.record import RunRecord

#: A picture of a run, or None where the run holds nothing to show in it.
type Picture = Callable[["RunRecord"], "Figure | None"]

#: Draws a run's pictures: (name, bytes of its file) of each.
type Draw = Callable[["RunRecord", Format], Iterator[tuple[str, bytes]]]

FIGURES: Registry[Picture] = families.FIGURES

_DPI = 120  # 900 pixels wide: sharp on a screen, quick to draw


def render_all(result: "RunRecord", format: Format = "png") -> Iterator[tuple[str, bytes]]:
    """(name, bytes of its file) of every figure the run has something to show in; equal runs give equal bytes."""
    for name in FIGURES:
        picture = render(name, result, format)
        if picture is not None:
            yield name, picture


def picture(name: str, result: "RunRecord") -> "Figure":
    """One figure of a run. Raises `InputError` for another name, and where the run has nothing to show in it."""
    figure = FIGURES.get(name)(result)
    if figure is None:
        raise InputError(f"figure {name!r}: this run holds nothing to show in it; `result.tables` says what it holds")
    # A notebook shows a figure by this method, whether or not it has set up pyplot.
    setattr(figure, "_repr_png_", partial(figure_bytes, figure, dpi=_DPI))  # noqa: B010 - no such attribute is declared
    return figure


def render(name: str, result: "RunRecord", format: Format = "png") -> bytes | None:
    """The bytes of one figure's file; None where the run has nothing to show in it."""
    figure = FIGURES.get(name)(result)
    return None if figure is None else figure_bytes(figure, format, dpi=_DPI)

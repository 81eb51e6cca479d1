"""The pictures of a run: one file a picture, found by name in one registry."""

from collections.abc import Iterator

from flnft_sim.formats import Format
from flnft_sim.results.figures.registry import FIGURES, Picture
from flnft_sim.results.figures.style import figure_bytes, png_bytes, save_figure
from flnft_sim.results.run_result import RunResult

__all__ = ["FIGURES", "Picture", "figure_bytes", "png_bytes", "render", "render_all", "save_figure"]


_DPI = 120  # 900 pixels wide: sharp on a screen, quick to draw


def render_all(result: RunResult, format: Format = "png") -> Iterator[tuple[str, bytes]]:
    """(name, bytes of its file) of every figure the run has something to show in; equal runs give equal bytes."""
    for name in FIGURES:
        picture = render(name, result, format)
        if picture is not None:
            yield name, picture


def render(name: str, result: RunResult, format: Format = "png") -> bytes | None:
    """The bytes of one figure's file; None where the run has nothing to show in it."""
    figure = FIGURES.get(name)(result)
    return None if figure is None else figure_bytes(figure, format, dpi=_DPI)

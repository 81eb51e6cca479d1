"""The formats that a run's figures come in, known without the plotting libraries."""

from typing import Literal, get_args

from flnft_sim.errors import UnknownNameError

Format = Literal["png", "pdf", "svg"]
Figures = Literal["png", "pdf", "svg", "none"]
FORMATS: tuple[Format, ...] = get_args(Format)


def figure_format(figures: bool | str) -> Format | None:
    """The format asked for: True is PNG, False and "none" are no figures. Raises `UnknownNameError` for another."""
    if isinstance(figures, bool):
        return "png" if figures else None
    for known in FORMATS:
        if figures == known:
            return known
    if figures == "none":
        return None
    raise UnknownNameError("format of figures", figures, get_args(Figures))

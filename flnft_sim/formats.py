"""The formats that figures come in, known without the plotting libraries."""

from pathlib import Path
from typing import Literal, get_args

from flnft_sim.errors import InputError, UnknownNameError

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


def picture_format(path: Path) -> Format:
    """The format that the ending of a picture's name says, for a picture that can be written there.

    Raises `InputError` for another ending and for a folder that is not there; ask before the work.
    """
    ending = path.suffix.removeprefix(".").lower()
    format = next((known for known in FORMATS if known == ending), None)
    if format is None:
        raise InputError(f"{path}: a picture ends in {', '.join('.' + known for known in FORMATS)}; choose one of them")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it, or choose another place for the picture")
    return format

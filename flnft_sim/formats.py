"""The formats that figures come in, and a figure as a file in one of them.

Known without the plotting libraries: only what draws imports them.
"""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.files import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Format = Literal["png", "pdf", "svg"]
Figures = Literal["png", "pdf", "svg", "none"]
FORMATS: tuple[Format, ...] = get_args(Format)

# Type 42 fonts and text as text stay text in an editor and in print; a salt makes the ids of an SVG file repeat.
_RC: Any = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "flnft_sim"}
_NO_DATES: dict[Format, dict[str, None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
}


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


def figure_bytes(figure: "Figure", format: Format = "png", *, dpi: int) -> bytes:
    """The figure as the bytes of a file in that format; equal figures give equal bytes."""
    import matplotlib

    buffer = io.BytesIO()
    with matplotlib.rc_context(_RC):
        figure.savefig(buffer, format=format, dpi=dpi, metadata=_NO_DATES[format])
    return buffer.getvalue()


def png_bytes(figure: "Figure", *, dpi: int) -> bytes:
    """The figure as the bytes of a PNG file; equal figures give equal bytes."""
    return figure_bytes(figure, "png", dpi=dpi)


def save_figure(figure: "Figure", path: Path, *, dpi: int) -> None:
    """Write the figure in the format that the path's ending names: .png, .pdf or .svg.

    Raises `InputError` for another ending and where nothing can be written.
    """
    data = figure_bytes(figure, picture_format(path), dpi=dpi)
    try:
        write_atomic(path, data)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}); choose another place for the picture"
        ) from error

"""Where the program prints: results to standard output, progress and complaints to standard error."""

import io
import json
import logging
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from flnft_sim.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
_complaints = Console(stderr=True, highlight=False, soft_wrap=True)

_LOGGER = logging.getLogger("flnft_sim")


@contextmanager
def usual_loudness() -> Iterator[None]:
    """Be as loud at the end as at the beginning, whatever a command was told between."""
    former = out.quiet, err.quiet, _LOGGER.level
    try:
        yield
    finally:
        out.quiet, err.quiet, level = former
        _LOGGER.setLevel(level)


def print_anything() -> None:
    """Let a terminal or pipe that lacks a sign (cp1252, ASCII) get a question mark, and no run end for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def captioned_table(caption: str) -> "Table":
    """A plain table of rich's with words below it."""
    from rich.table import Table

    return Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, caption=caption, caption_justify="left")


def print_table(table: Any) -> None:
    """Print a table of rich's as wide as it is: names of folders are not cut off."""
    wide = Console(highlight=False, quiet=out.quiet, width=10_000)
    wide.width = wide.measure(table).maximum
    wide.print(table)


def check_folder(folder: Path) -> None:
    """Refuse, before any work, a folder of --out that cannot be made or written."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise InputError(f"--out {folder}: {there} is no folder that can be written in; choose another")


def complain(error: object, *, status: int) -> int:
    """Print one sentence (a line a fault) to standard error, however quiet; returns `status` for `sys.exit`."""
    _complaints.print(f"[bold red]flnft:[/] {escape(str(error))}")
    return status


def be_quiet(wanted: bool) -> None:
    """Print nothing but errors from now on, and no JSON is an error."""
    if wanted:
        out.quiet = err.quiet = True
        _LOGGER.setLevel(logging.ERROR)


def be_verbose(wanted: bool) -> None:
    """Show what the package logs, down to the details."""
    if wanted:
        show_announcements(logging.DEBUG)


def only_json(wanted: bool) -> bool:
    """Keep standard output for `print_json` alone."""
    if wanted:
        out.quiet = True
    return wanted


def print_json(value: Any) -> None:
    """Print a value as JSON to standard output; numbers that are not finite, which JSON lacks, become null."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    """Mappings, lists and NumPy's values as JSON's own types."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def show_announcements(level: int = logging.INFO) -> None:
    """Let the package say what takes long before it does it (compiling kernels, say), on standard error."""
    if err.quiet or (_LOGGER.handlers and level >= _LOGGER.level > logging.NOTSET):
        return
    if not _LOGGER.handlers:
        from rich.logging import RichHandler

        _LOGGER.addHandler(RichHandler(console=err, show_time=False, show_level=False, show_path=False))
    _LOGGER.setLevel(level)

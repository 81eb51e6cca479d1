"""Where the program prints: results to standard output, progress and complaints to standard error."""

import io
import logging
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from flnft_sim.errors import InputError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_anything() -> None:
    """Let a terminal or pipe that lacks a sign (cp1252, ASCII) get a question mark, and no run end for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def check_folder(folder: Path) -> None:
    """Refuse, before any work, a folder of --out that cannot be made or written."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        raise InputError(f"--out {folder}: {there} is no folder that can be written in; choose another")


def complain(error: object, *, status: int) -> int:
    """Print one sentence (a line a fault) to standard error; returns `status` for `sys.exit`."""
    err.print(f"[bold red]flnft:[/] {escape(str(error))}")
    return status


def show_announcements() -> None:
    """Let the package say what takes long before it does it (compiling kernels, say), on standard error."""
    logger = logging.getLogger("flnft_sim")
    if not logger.handlers:
        from rich.logging import RichHandler

        logger.addHandler(RichHandler(console=err, show_time=False, show_level=False, show_path=False))
        logger.setLevel(logging.INFO)

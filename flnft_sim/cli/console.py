"""Where the program prints: results to standard output, progress and complaints to standard error."""

import logging

from rich.console import Console
from rich.markup import escape

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


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

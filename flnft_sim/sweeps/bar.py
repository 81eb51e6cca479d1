"""How far a sweep is: a bar on a terminal and in a notebook, a line a minute in a log."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from flnft_sim.progress import moves
from flnft_sim.sweeps.progress import LogReporter, Progress, Reporter


class BarReporter(Reporter):
    """Moves a bar that says done/total, the rate, the time left and the failures."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("starting")

    def note(self, text: str) -> None:
        """Print the note above the bar."""
        self._bar.console.print(text, markup=False)

    def update(self, progress: Progress) -> None:
        """Move the bar."""
        self._bar.update(
            self._task, description=progress.sentence(), completed=progress.done, total=max(progress.total, 1)
        )


@contextmanager
def shown_progress(console: Console | None = None) -> Iterator[Reporter]:
    """A bar where one can move, else a line a minute; on standard error unless a console is given."""
    console = console or Console(stderr=True, highlight=False, soft_wrap=True)
    if moves(console):
        with Bar(BarColumn(), TextColumn("{task.description}"), console=console, transient=True) as bar:
            yield BarReporter(bar)
    else:
        yield LogReporter(lambda text: console.print(text, markup=False))

"""How far a run is: a bar on a terminal and in a notebook, a line now and then in a log."""

import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LOG_EVERY_S = 20.0
QUIET_S = 10.0  # without a finished round, after which a run says what it waits for


class RunProgress:
    """Told of every finished FL round; shows done/total, accuracy, the simulated clock and the time left.

    `total` is the number of rounds, and `console` where to show it: standard error unless said otherwise.
    """

    def __init__(self, name: str, total: int, *, console: Console | None = None, enabled: bool = True) -> None:
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._total, self._done = total, 0
        self._enabled, self._live = enabled, enabled and moves(self._console)
        self._said_at = self._heard_at = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._live,
        )
        self._task = self._bar.add_task(f"{name}: FL rounds", total=total, state="")

    def __call__(self, row: dict[str, Any]) -> None:
        """Take note of a finished round (a row of the table `rounds`)."""
        self._done += 1
        self._heard_at = time.monotonic()
        state = f"accuracy {row['accuracy']:.3f}, simulated {row['end_s']:,.0f} s"
        self._bar.update(self._task, completed=self._done, state=state)
        now = time.monotonic()
        if self._enabled and not self._live and now - self._said_at > LOG_EVERY_S:
            self._said_at = now
            self._console.print(f"round {self._done}/{self._total}: {state}", markup=False)

    def waiting(self, what: str) -> None:
        """Say what a run is waiting for that has finished no round for a while."""
        now = time.monotonic()
        if now - self._heard_at < QUIET_S:
            return
        if self._live:
            self._bar.update(self._task, state=what)
        elif self._enabled:
            self._console.print(what, markup=False)

    def __enter__(self) -> "RunProgress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


def moves(console: Console) -> bool:
    """Whether a bar can move there: on a terminal, and in a notebook."""
    return console.is_terminal or console.is_jupyter

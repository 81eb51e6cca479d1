"""How far a run is: a bar on a terminal, a line now and then in a log."""

import time
from types import TracebackType
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from flnft_sim.cli.console import err
from flnft_sim.scenario import Scenario

LOG_EVERY_S = 20.0
QUIET_S = 10.0  # without a finished round, after which a run says what it waits for


class RunProgress:
    """Told of every finished FL round; shows done/total, accuracy, the simulated clock and the time left."""

    def __init__(self, scenario: Scenario, *, enabled: bool) -> None:
        self._total = scenario.learning.rounds * scenario.population.daos * scenario.market.auctions
        self._done = 0
        self._enabled = enabled
        self._live = enabled and err.is_terminal
        self._said_at = self._heard_at = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeRemainingColumn(),
            console=err,
            transient=True,
            disable=not self._live,
        )
        self._task = self._bar.add_task(f"{scenario.name}: FL rounds", total=self._total, state="")

    def __call__(self, row: dict[str, Any]) -> None:
        """Take note of a finished round (a row of the table `rounds`)."""
        self._done += 1
        self._heard_at = time.monotonic()
        state = f"accuracy {row['accuracy']:.3f}, simulated {row['end_s']:,.0f} s"
        self._bar.update(self._task, completed=self._done, state=state)
        now = time.monotonic()
        if self._enabled and not self._live and now - self._said_at > LOG_EVERY_S:
            self._said_at = now
            err.print(f"round {self._done}/{self._total}: {state}", markup=False)

    def waiting(self, what: str) -> None:
        """Say what a run is waiting for that has finished no round for a while."""
        now = time.monotonic()
        if now - self._heard_at < QUIET_S:
            return
        if self._live:
            self._bar.update(self._task, state=what)
        elif self._enabled:
            err.print(what, markup=False)

    def __enter__(self) -> "RunProgress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

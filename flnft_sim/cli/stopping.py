"""Ctrl-C and SIGTERM: what is finished is saved first, and the exit status tells which of the two it was."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_STOPS = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """SIGTERM: a Ctrl-C that nobody typed."""


def exit_status(stop: BaseException) -> int:
    """The shells' convention, 128 + the signal's number; `stop` may have been made of the signal's own exception."""
    terminated = any(isinstance(each, Terminated) for each in (stop, stop.__cause__))
    return 128 + (signal.SIGTERM if terminated else signal.SIGINT)


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises `Terminated` as Ctrl-C raises `KeyboardInterrupt`, and ends nothing half-way."""
    with _handled((signal.SIGTERM,), _raise):
        yield


class Stops:
    """Signals to stop wait while they are held, and raise where the block is `open`."""

    def __init__(self) -> None:
        self._open = False
        self._came: list[int] = []

    @contextmanager
    def open(self) -> Iterator[None]:
        """Raise at a signal, and at once for one that has waited."""
        self._open = True
        try:
            if self._came:
                _raise(self._came.pop(0))
            yield
        finally:
            self._open = False

    def take(self, number: int, _frame: FrameType | None) -> None:
        """The handler of both signals."""
        if self._open:
            _raise(number)
        self._came.append(number)


@contextmanager
def held_stops() -> Iterator[Stops]:
    """Hold signals to stop back until the block ends, but for what runs in `Stops.open`; then they raise."""
    stops = Stops()
    with _handled(_STOPS, stops.take):
        yield stops
    with stops.open():
        pass


@contextmanager
def _handled(numbers: tuple[signal.Signals, ...], handler: object) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # signals reach the main thread alone
        yield
        return
    former = {number: signal.signal(number, handler) for number in numbers}  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, before in former.items():
            signal.signal(number, before)


def _raise(number: int, _frame: FrameType | None = None) -> None:
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

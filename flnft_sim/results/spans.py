"""What every agent did, and when: the one log that the trace, the Gantt chart and the phase breakdown read."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import pandas as pd

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.results.phase import Phase
from flnft_sim.results.tables import COLUMNS, Columns, Stored, typed
from flnft_sim.spool import Rows, Spool

_KNOWN_PHASES = frozenset(Phase)
_encode = json.JSONEncoder(sort_keys=True).encode


type _Details = tuple[tuple[str, Any], ...]
type _Span = tuple[str, str, str, int | None, float, float, _Details]


class SpanLog:
    """A growing list of spans and counter samples; adding one is an append, so 10⁶ of them are no burden."""

    def __init__(self, *, spool: Spool | None = None) -> None:
        self._spans: Rows[_Span] = Rows(tuple, _same, spool=spool)
        self._samples: Rows[tuple[str, str, float, float]] = Rows(tuple, _same, spool=spool)

    def add(
        self,
        agent: str,
        phase: str,
        start_s: float,
        end_s: float,
        *,
        round: int | None = None,
        dao: str | None = None,
        **details: Any,
    ) -> None:
        """Record that `agent` was in `phase` from `start_s` to `end_s` (simulated seconds).

        `details` are plain JSON values shown with the span (`rate_bps=…`). Raises `UnknownNameError` for what is no
        `Phase` and `InputError` for a span that ends before it starts.
        """
        if phase not in _KNOWN_PHASES:
            raise UnknownNameError("phase", phase, map(str, Phase))
        if not start_s <= end_s:
            raise InputError(f"{phase} of {agent} ends at {end_s} s before it starts at {start_s} s; swap the two")
        # tuples of plain values: Python's search for garbage passes over them
        self._spans.append((agent, dao or "", phase, round, start_s, end_s, tuple(details.items())))

    def counter(self, track: str, name: str, time_s: float, value: float) -> None:
        """Record that the quantity `name` of `track` (a DAO, a chain) has `value` from `time_s` on."""
        self._samples.append((track, name, time_s, value))

    def __len__(self) -> int:
        return len(self._spans)

    def since(self, first: int) -> list[tuple[str, str, str, int | None, float, float]]:
        """The `first`-th span and all after it: agent, DAO, phase, round, start and end in seconds."""
        return [span[:6] for span in self._spans[first:]]

    def to_frame(self, *, first: int = 0) -> pd.DataFrame:
        """All spans from the `first`-th on, one a row, in the order of adding (the table `spans`)."""
        if not first:
            return self.table().whole()
        rows = self._spans[first:]
        return typed("spans", pd.DataFrame(_told(self._spans.columns(rows)) if rows else {}))

    def table(self) -> Stored:
        """The table `spans`."""
        chunks = self._spans.so_far()
        return Stored("spans", lambda: map(_told, chunks()))

    def counters_frame(self) -> pd.DataFrame:
        """All counter samples, one a row, in the order of adding (the table `counters`)."""
        return self.counters().whole()

    def counters(self) -> Stored:
        """The table `counters`."""
        return Stored.of("counters", self._samples)


def _told(spans: Sequence[Sequence[Any]]) -> Columns:
    """Columns of the table."""
    *told, start_s, end_s, details = spans
    durations_s = [end - start for start, end in zip(start_s, end_s, strict=True)]
    return dict(zip(COLUMNS["spans"], (*told, start_s, end_s, [*map(_text, details)], durations_s), strict=True))


def _text(details: _Details) -> str:
    if all(type(value) is str for _, value in details):  # as nearly all are, many the same
        return _text_of_words(details)
    return _encode(dict(details))


@lru_cache(maxsize=1024)
def _text_of_words(details: _Details) -> str:
    return _encode(dict(details)) if details else ""


def _same(*values: Any) -> Any:
    return values

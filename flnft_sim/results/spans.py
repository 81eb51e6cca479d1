"""What every agent did, and when: the one log that the trace, the Gantt chart and the phase breakdown read."""

import json
from typing import Any

import pandas as pd

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.results.phase import Phase
from flnft_sim.results.tables import typed

_KNOWN_PHASES = frozenset(Phase)


class SpanLog:
    """A growing list of spans and counter samples; adding one is an append, so 10⁶ of them are no burden."""

    def __init__(self) -> None:
        self._spans: list[tuple[str, str, str, int | None, float, float, dict[str, Any]]] = []
        self._samples: list[tuple[str, str, float, float]] = []

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
        self._spans.append((agent, dao or "", phase, round, start_s, end_s, details))

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
        names = ("agent", "dao", "phase", "round", "start_s", "end_s", "details")
        spans = self._spans[first:]
        columns = dict(zip(names, zip(*spans, strict=True), strict=True)) if spans else {}
        if columns:
            columns["duration_s"] = tuple(
                end - start for start, end in zip(columns["start_s"], columns["end_s"], strict=True)
            )
            columns["details"] = tuple(
                json.dumps(details, sort_keys=True) if details else "" for details in columns["details"]
            )
        return typed("spans", pd.DataFrame(columns))

    def counters_frame(self) -> pd.DataFrame:
        """All counter samples, one a row, in the order of adding (the table `counters`)."""
        return typed("counters", pd.DataFrame(self._samples, columns=["track", "name", "time_s", "value"]))

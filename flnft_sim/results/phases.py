"""Where a DAO's minting time goes: its critical path, cut into phases that add up to it exactly."""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pandas as pd

from flnft_sim.results.phase import Phase
from flnft_sim.results.tables import Columns, columns_of_frame, typed

_AT_WORK = frozenset(phase for phase in Phase.of_minting() if phase is not Phase.WAITING)


class Numbers(dict[str, int]):
    """Numbers given to texts in the order in which they first come up, from 0."""

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


class _Span(NamedTuple):
    agent: str
    phase: str
    round: int | None
    start_us: int
    end_us: int


def microseconds(time_s: float) -> int:
    """Simulated seconds as whole microseconds, in which sums are exact."""
    return round(time_s * 1_000_000)


def phase_breakdown(spans: pd.DataFrame) -> pd.DataFrame:
    """Minting time by DAO, round and phase (the table `phases`); see `phases_of`."""
    return phases_of([columns_of_frame(spans)])


def phases_of(spans: Iterable[Columns]) -> pd.DataFrame:
    """Minting time by DAO, round and phase (the table `phases`), walked back along the critical path.

    Start at the instant the NFT is final (without one: at the last aggregation) and ask what ended there; charge that
    span to its phase and go on from its start, until the DAO's first instant. Of several spans that end together the
    path stays with the same agent, else takes the one recorded first. So a round is charged with the training, upload
    and consensus of the user whose update was final last, and, where users queue for one host, with the trainings it
    waited for. Where nothing ended (a deadline, a stalled chain) the gap back to the latest end is `waiting`. Each
    instant is charged once, in whole microseconds: the column `duration_us` sums exactly to the minting time.
    """
    rows = [
        (dao, round_, phase, duration_us, duration_us / 1e6)
        for dao, own in _by_minting(spans)
        for (round_, phase), duration_us in _charges(own).items()
    ]
    return typed("phases", pd.DataFrame(rows, columns=["dao", "round", "phase", "duration_us", "duration_s"]))


def _by_minting(pieces: Iterable[Columns]) -> Iterator[tuple[str, list[_Span]]]:
    """Each minting's spans of work, which are held as numbers meanwhile: a run has many, a minting few."""
    texts, of_minting = Numbers(), defaultdict[str, "array[int]"](lambda: array("q"))
    for piece in pieces:
        spans = zip(*(piece[name] for name in ("dao", "agent", "phase", "round", "start_s", "end_s")), strict=True)
        for dao, agent, phase, round_, start_s, end_s in spans:
            if dao and phase in _AT_WORK:
                told = texts[agent], texts[phase], -1 if round_ is None else round_
                of_minting[dao].extend((*told, microseconds(start_s), microseconds(end_s)))
    words = list(texts)
    for dao, numbers in of_minting.items():
        own = zip(*(numbers[each::5] for each in range(5)), strict=True)
        yield dao, [_Span(words[agent], words[phase], None if at < 0 else at, *us) for agent, phase, at, *us in own]


def _charges(spans: list[_Span]) -> dict[tuple[int | None, str], int]:
    """Microseconds by (round, phase) of one DAO, in the order of time."""
    ending: dict[int, list[_Span]] = defaultdict(list)
    for span in spans:
        ending[span.end_us].append(span)
    ends = sorted(ending)
    first_us = min(span.start_us for span in spans)
    now_us = max((span.end_us for span in spans if span.phase in ("aggregation", "minting")), default=ends[-1])

    path: list[tuple[int | None, str, int]] = []
    agent, round_ = "", None
    while now_us > first_us:
        if here := ending[now_us]:
            span = here.pop(next((n for n, span in enumerate(here) if span.agent == agent), 0))
            agent, round_ = span.agent, span.round
            path.append((round_, span.phase, now_us - span.start_us))
            now_us = span.start_us
        else:  # a gap belongs to the round that it holds up, the later one
            before = bisect_left(ends, now_us) - 1
            latest_us = ends[before] if before >= 0 else first_us
            path.append((round_, Phase.WAITING, now_us - latest_us))
            now_us = latest_us

    charges: dict[tuple[int | None, str], int] = defaultdict(int)
    for round_, phase, duration_us in reversed(path):
        charges[round_, phase] += duration_us
    return charges

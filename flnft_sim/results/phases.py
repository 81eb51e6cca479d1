"""Where a DAO's minting time goes: its critical path, cut into phases that add up to it exactly."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from flnft_sim.arrays import Ints
from flnft_sim.results.phase import Phase
from flnft_sim.results.tables import Columns, columns_of_frame, typed

_AT_WORK = frozenset(phase for phase in Phase.of_minting() if phase is not Phase.WAITING)


class Numbers[K](dict[K, int]):
    """Numbers given to keys in the order in which they first come up, from 0."""

    def __missing__(self, key: K) -> int:
        self[key] = len(self)
        return self[key]


def microseconds(times_s: ArrayLike) -> Ints:
    """Simulated seconds as whole microseconds, in which sums are exact."""
    return np.rint(1_000_000 * np.asarray(times_s, dtype=np.float64)).astype(np.int64)


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


def _by_minting(pieces: Iterable[Columns]) -> Iterator[tuple[str, "_Spans"]]:
    """Each minting's spans of work, which are held as numbers meanwhile: a run has many, a minting few."""
    daos, texts, held = Numbers[str](), Numbers[str](), [np.empty((6, 0), dtype=np.int64)]
    for piece in pieces:
        at_work = [phase in _AT_WORK and bool(dao) for dao, phase in zip(piece["dao"], piece["phase"], strict=True)]
        dao, agent, phase, round_, *times_s = (
            compress(piece[name], at_work) for name in ("dao", "agent", "phase", "round", "start_s", "end_s")
        )
        told = [*map(daos.__getitem__, dao)], [*map(texts.__getitem__, agent)], [*map(texts.__getitem__, phase)]
        us = microseconds([*map(list, times_s)])
        held.append(np.array([*told, [-1 if each is None else each for each in round_], *us], dtype=np.int64))
    spans = np.concatenate(held, axis=1)
    held.clear()
    spans, words = spans[:, np.argsort(spans[0], kind="stable")], list(texts)
    bounds = np.searchsorted(spans[0], np.arange(len(daos) + 1)).tolist()
    for label, (first, end) in zip(daos, pairwise(bounds), strict=True):
        yield label, _Spans(words, *spans[1:, first:end].tolist())


class _Spans(NamedTuple):
    """Spans by place, agents and phases as numbers of `words`; a round below 0 is none."""

    words: Sequence[str]
    agents: Sequence[int]
    phases: Sequence[int]
    rounds: Sequence[int]
    starts_us: Sequence[int]
    ends_us: Sequence[int]


def _charges(spans: _Spans) -> dict[tuple[int | None, str], int]:
    """Microseconds by (round, phase) of one DAO, in the order of time."""
    ending: dict[int, list[int]] = defaultdict(list)
    for place, end_us in enumerate(spans.ends_us):
        ending[end_us].append(place)
    ends, phases = sorted(ending), [spans.words[each] for each in spans.phases]
    last = (end for phase, end in zip(phases, spans.ends_us, strict=True) if phase in ("aggregation", "minting"))
    first_us, now_us = min(spans.starts_us), max(last, default=ends[-1])

    path: list[tuple[int | None, str, int]] = []
    agent, round_ = -1, None
    while now_us > first_us:
        if here := ending[now_us]:
            place = here.pop(next((n for n, place in enumerate(here) if spans.agents[place] == agent), 0))
            agent, at = spans.agents[place], spans.rounds[place]
            round_ = None if at < 0 else at
            path.append((round_, phases[place], now_us - spans.starts_us[place]))
            now_us = spans.starts_us[place]
        else:  # a gap belongs to the round that it holds up, the later one
            before = bisect_left(ends, now_us) - 1
            latest_us = ends[before] if before >= 0 else first_us
            path.append((round_, Phase.WAITING, now_us - latest_us))
            now_us = latest_us

    charges: dict[tuple[int | None, str], int] = defaultdict(int)
    for round_, phase, duration_us in reversed(path):
        charges[round_, phase] += duration_us
    return charges

"""Where a DAO's minting time goes: its critical path, cut into phases that add up to it exactly."""

from bisect import bisect_left
from collections import defaultdict
from typing import NamedTuple

import pandas as pd

from flnft_sim.results.phase import Phase
from flnft_sim.results.tables import typed

_AT_WORK = tuple(phase for phase in Phase.of_minting() if phase is not Phase.WAITING)


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
    """Minting time by DAO, round and phase (the table `phases`), walked back along the critical path.

    Start at the instant the NFT is final (without one: at the last aggregation) and ask what ended there; charge that
    span to its phase and go on from its start, until the DAO's first instant. Of several spans that end together the
    path stays with the same agent, else takes the one recorded first. So a round is charged with the training, upload
    and consensus of the user whose update was final last, and, where users queue for one host, with the trainings it
    waited for. Where nothing ended (a deadline, a stalled chain) the gap back to the latest end is `waiting`. Each
    instant is charged once, in whole microseconds: the column `duration_us` sums exactly to the minting time.
    """
    of_dao: dict[str, list[_Span]] = defaultdict(list)
    working = spans[spans["phase"].isin(_AT_WORK) & (spans["dao"] != "")]
    names = (working[name].tolist() for name in ("dao", "agent", "phase"))
    rounds = working["round"].astype(object).where(working["round"].notna(), None)
    instants_us = (map(microseconds, working[name].tolist()) for name in ("start_s", "end_s"))
    for dao, *span in zip(*names, rounds, *instants_us, strict=True):
        of_dao[dao].append(_Span(*span))
    rows = [
        (dao, round_, phase, duration_us, duration_us / 1e6)
        for dao, own in of_dao.items()
        for (round_, phase), duration_us in _charges(own).items()
    ]
    return typed("phases", pd.DataFrame(rows, columns=["dao", "round", "phase", "duration_us", "duration_s"]))


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

"""`trace.json`: the run in Chrome's trace format, which https://ui.perfetto.dev opens.

One process a DAO, one track an agent, counters beside them. Times are whole simulated microseconds.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain

import numpy as np

from flnft_sim.results.phases import Numbers, microseconds
from flnft_sim.results.tables import Columns

type _Shown = tuple[str, str, int, int, int]

#: The process that shows who belongs to no DAO: providers, the auction contract.
MARKET = "market"

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode


def trace_json(spans: Iterable[Columns], counters: Iterable[Columns]) -> Iterator[str]:
    """The tables `spans` and `counters`, in pieces, as the text of a Chrome trace, in pieces; an event is a line.

    Equal tables give equal bytes, however they are cut.
    """
    tracks, samples = _Tracks(spans), list(counters)
    processes = Numbers[str]()
    for dao in (*tracks.daos, *(track for each in samples for track in each["track"])):
        _ = processes[dao]
    names = (_metadata("process_name", number + 1, 0, name) for name, number in processes.items())
    lines = chain([names], _span_events(tracks, processes), (_counter_events(each, processes) for each in samples))
    yield '{"displayTimeUnit":"ms","traceEvents":[\n'
    begun = False
    for some in lines:
        text = ",\n".join(some)
        yield f",\n{text}" if begun and text else text
        begun = begun or bool(text)
    yield "\n]}\n"


class _Tracks:
    """Spans by DAO and agent, held as numbers: each track's in time, tracks as they first come up in time."""

    def __init__(self, pieces: Iterable[Columns]) -> None:
        texts, tracks, held = Numbers[str](), Numbers[tuple[str, str]](), [np.empty((6, 0))]
        for piece in pieces:
            track = map(tracks.__getitem__, zip(piece["dao"], piece["agent"], strict=True))
            phase, details = (map(texts.__getitem__, piece[name]) for name in ("phase", "details"))
            rounds = [-1 if each is None else each for each in piece["round"]]
            held.append(np.array([[*track], [*phase], [*details], rounds, piece["start_s"], piece["end_s"]]))
        spans = np.concatenate(held, axis=1)
        held.clear()
        in_time = np.lexsort((-spans[5], spans[4], spans[0]))  # of what is equal, the first recorded first
        starts = np.searchsorted(spans[0, in_time], np.arange(len(tracks)))
        first = in_time[starts]
        order = np.lexsort((first, -spans[5, first], spans[4, first])).tolist()
        keys, parts = list(tracks), np.split(spans[1:, in_time], starts[1:], axis=1)
        self._texts, self._shown = list(texts), [(*keys[each], parts[each]) for each in order]

    @property
    def daos(self) -> Iterator[str]:
        """The DAO of each track, `MARKET` where it belongs to none."""
        return (dao or MARKET for dao, *_ in self._shown)

    def __iter__(self) -> Iterator[tuple[str, str, list[_Shown]]]:
        """DAO and agent of each track, and what is shown in it: phase, details, round if any, start and end in µs."""
        for dao, agent, own in self._shown:
            phases, details, rounds = own[:3].astype(np.int64).tolist()
            us = microseconds(own[3:]).tolist()
            words = (list(map(self._texts.__getitem__, each)) for each in (phases, details))
            yield dao or MARKET, agent, list(zip(*words, rounds, *us, strict=True))


def _span_events(tracks: _Tracks, processes: Numbers[str]) -> Iterator[Iterator[str]]:
    threads: dict[int, int] = defaultdict(int)
    for dao, agent, shown in tracks:
        yield _track_events(processes[dao] + 1, agent, shown, threads)


def _track_events(process: int, agent: str, spans: list[_Shown], threads: dict[int, int]) -> Iterator[str]:
    lanes: list[list[int]] = []  # per lane, the ends of the spans that are still open
    for phase, details, round_, start_us, end_us in spans:
        lane = _free_lane(lanes, start_us, end_us)
        if lane == len(lanes):
            lanes.append([])
            threads[process] += 1
            yield _metadata("thread_name", process, threads[process], f"{agent}{f' ({lane + 1})' * bool(lane)}")
        lanes[lane].append(end_us)
        thread = threads[process] - len(lanes) + 1 + lane
        yield (  # written by hand, for spans come by the thousand
            f'{{"args":{_arguments(round_, details)},"dur":{end_us - start_us},"name":{_name(phase)},"ph":"X",'
            f'"pid":{process},"tid":{thread},"ts":{start_us}}}'
        )


_name = lru_cache(maxsize=64)(_encode)  # of phases, of which there are few


@lru_cache(maxsize=4096)
def _arguments(round_: int, details: str) -> str:
    """What is shown with a span, as JSON; a round below 0 is none."""
    if details:
        return _encode(json.loads(details) | ({} if round_ < 0 else {"round": round_}))
    return "{}" if round_ < 0 else f'{{"round":{round_}}}'


def _free_lane(lanes: list[list[int]], start_us: int, end_us: int) -> int:
    """The first lane in which the span nests: the format allows spans of one track to nest, not to overlap."""
    for number, open_ends in enumerate(lanes):
        while open_ends and open_ends[-1] <= start_us:
            open_ends.pop()
        if not open_ends or end_us <= open_ends[-1]:
            return number
    return len(lanes)


def _counter_events(counters: Columns, processes: Numbers[str]) -> Iterator[str]:
    times_us = microseconds(counters["time_s"]).tolist()
    for track, name, time_us, value in zip(
        counters["track"], counters["name"], times_us, counters["value"], strict=True
    ):
        yield _encode(
            {
                "ph": "C",
                "name": name,
                "pid": processes[track] + 1,
                "ts": time_us,
                "args": {name: value},
            }
        )


def _metadata(kind: str, process: int, thread: int, name: str) -> str:
    return _encode({"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}})

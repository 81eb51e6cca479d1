"""`trace.json`: the run in Chrome's trace format, which https://ui.perfetto.dev opens.

One process a DAO, one track an agent, counters beside them. Times are whole simulated microseconds.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pandas as pd

from flnft_sim.results.phases import microseconds

#: The process that shows who belongs to no DAO: providers, the auction contract.
MARKET = "market"

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode


def trace_json(spans: pd.DataFrame, counters: pd.DataFrame) -> str:
    """The tables `spans` and `counters` as a Chrome trace, one event a line; equal tables give equal bytes."""
    processes = _Numbers()
    events = [*_span_events(spans, processes), *_counter_events(counters, processes)]
    names = [_metadata("process_name", number, 0, name) for name, number in processes.items()]
    lines = ",\n".join([*names, *events])
    return f'{{"displayTimeUnit":"ms","traceEvents":[\n{lines}\n]}}\n'


class _Numbers(dict[str, int]):
    """Numbers given to names in the order in which they first come up."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self) + 1
        return self[name]


def _span_events(spans: pd.DataFrame, processes: _Numbers) -> Iterator[str]:
    threads: dict[int, int] = defaultdict(int)
    for (dao, agent), own in _tracks(spans).items():
        process = processes[dao or MARKET]
        lanes: list[list[int]] = []  # per lane, the ends of the spans that are still open
        for phase, round_, start_s, end_s, details in own:
            start_us, end_us = microseconds(start_s), microseconds(end_s)
            lane = _free_lane(lanes, start_us, end_us)
            if lane == len(lanes):
                lanes.append([])
                threads[process] += 1
                yield _metadata("thread_name", process, threads[process], f"{agent}{f' ({lane + 1})' * bool(lane)}")
            lanes[lane].append(end_us)
            thread = threads[process] - len(lanes) + 1 + lane
            yield (  # written by hand, for spans come by the thousand
                f'{{"args":{_arguments(round_, details)},"dur":{end_us - start_us},"name":{_encode(phase)},"ph":"X",'
                f'"pid":{process},"tid":{thread},"ts":{start_us}}}'
            )


def _tracks(spans: pd.DataFrame) -> dict[tuple[str, str], list[tuple[str, Any, float, float, str]]]:
    """Each agent's spans, by DAO and agent, in time."""
    in_time = spans.sort_values(["start_s", "end_s"], ascending=[True, False], kind="stable")
    names = ("dao", "agent", "phase", "round", "start_s", "end_s", "details")
    tracks: dict[tuple[str, str], list[tuple[str, Any, float, float, str]]] = defaultdict(list)
    for dao, agent, *span in zip(*(in_time[name].tolist() for name in names), strict=True):
        tracks[dao, agent].append(tuple(span))
    return tracks


def _arguments(round_: Any, details: str) -> str:
    """What is shown with a span, as JSON."""
    if details:
        return _encode(json.loads(details) | ({} if pd.isna(round_) else {"round": int(round_)}))
    return "{}" if pd.isna(round_) else f'{{"round":{int(round_)}}}'


def _free_lane(lanes: list[list[int]], start_us: int, end_us: int) -> int:
    """The first lane in which the span nests: the format allows spans of one track to nest, not to overlap."""
    for number, open_ends in enumerate(lanes):
        while open_ends and open_ends[-1] <= start_us:
            open_ends.pop()
        if not open_ends or end_us <= open_ends[-1]:
            return number
    return len(lanes)


def _counter_events(counters: pd.DataFrame, processes: _Numbers) -> Iterator[str]:
    names = ("track", "name", "time_s", "value")
    for track, name, time_s, value in zip(*(counters[each].tolist() for each in names), strict=True):
        yield _encode(
            {
                "ph": "C",
                "name": name,
                "pid": processes[track],
                "ts": microseconds(time_s),
                "args": {name: value},
            }
        )


def _metadata(kind: str, process: int, thread: int, name: str) -> str:
    return _encode({"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}})

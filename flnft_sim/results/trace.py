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


def trace_json(spans: pd.DataFrame, counters: pd.DataFrame) -> str:
    """The tables `spans` and `counters` as a Chrome trace, one event a line; equal tables give equal bytes."""
    processes = _Numbers()
    events = [*_span_events(spans, processes), *_counter_events(counters, processes)]
    names = [_metadata("process_name", number, 0, name) for name, number in processes.items()]
    encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode
    lines = ",\n".join(encode(event) for event in [*names, *events])
    return f'{{"displayTimeUnit":"ms","traceEvents":[\n{lines}\n]}}\n'


class _Numbers(dict[str, int]):
    """Numbers given to names in the order in which they first come up."""

    def __missing__(self, name: str) -> int:
        self[name] = len(self) + 1
        return self[name]


def _span_events(spans: pd.DataFrame, processes: _Numbers) -> Iterator[dict[str, Any]]:
    threads: dict[int, int] = defaultdict(int)
    in_time = spans.sort_values(["start_s", "end_s"], ascending=[True, False], kind="stable")
    for (dao, agent), own in in_time.groupby(["dao", "agent"], sort=False):
        process = processes[str(dao) or MARKET]
        lanes: list[list[int]] = []  # per lane, the ends of the spans that are still open
        columns = (own[name] for name in ("phase", "round", "start_s", "end_s", "details"))
        for phase, round_, start_s, end_s, details in zip(*columns, strict=True):
            start_us, end_us = microseconds(start_s), microseconds(end_s)
            lane = _free_lane(lanes, start_us, end_us)
            if lane == len(lanes):
                lanes.append([])
                threads[process] += 1
                yield _metadata("thread_name", process, threads[process], f"{agent}{f' ({lane + 1})' * bool(lane)}")
            lanes[lane].append(end_us)
            arguments = json.loads(details) if details else {}
            if not pd.isna(round_):
                arguments["round"] = int(round_)
            yield {
                "ph": "X",
                "name": phase,
                "pid": process,
                "tid": threads[process] - len(lanes) + 1 + lane,
                "ts": start_us,
                "dur": end_us - start_us,
                "args": arguments,
            }


def _free_lane(lanes: list[list[int]], start_us: int, end_us: int) -> int:
    """The first lane in which the span nests: the format allows spans of one track to nest, not to overlap."""
    for number, open_ends in enumerate(lanes):
        while open_ends and open_ends[-1] <= start_us:
            open_ends.pop()
        if not open_ends or end_us <= open_ends[-1]:
            return number
    return len(lanes)


def _counter_events(counters: pd.DataFrame, processes: _Numbers) -> Iterator[dict[str, Any]]:
    for track, name, time_s, value in counters[["track", "name", "time_s", "value"]].itertuples(index=False):
        yield {
            "ph": "C",
            "name": name,
            "pid": processes[track],
            "ts": microseconds(time_s),
            "args": {name: value},
        }


def _metadata(kind: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}

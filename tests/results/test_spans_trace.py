"""The span log and the trace it becomes."""

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.results import Phase, SpanLog
from flnft_sim.results.trace import trace_json

spans = st.lists(
    st.tuples(
        st.sampled_from(["user-1", "user-2", "dao"]),
        st.sampled_from(Phase),
        st.integers(0, 100),
        st.integers(0, 50),
        st.none() | st.integers(1, 5),
        st.sampled_from([None, "dao-1", "dao-2"]),
    ),
    max_size=25,
)


def events_of(log):
    return json.loads("".join(trace_json(log.table().pieces(), log.counters().pieces())))["traceEvents"]


def log_of(entries):
    log = SpanLog()
    for agent, phase, start, length, number, dao in entries:
        log.add(agent, phase, start / 8, (start + length) / 8, round=number, dao=dao)
    return log


@given(spans)
def test_every_span_is_in_the_trace_once_with_its_times(entries):
    events = events_of(log_of(entries))
    shown = sorted((event["name"], event["ts"], event["dur"]) for event in events if event["ph"] == "X")
    assert shown == sorted((phase, start * 125_000, length * 125_000) for _, phase, start, length, _, _ in entries)


@given(spans)
def test_spans_of_one_track_nest_as_the_format_demands(entries):
    events = events_of(log_of(entries))
    tracks = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            tracks[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for track in tracks.values():
        for index, (start, end) in enumerate(track):
            for other_start, other_end in track[index + 1 :]:
                apart = other_start >= end or other_end <= start
                inside = (other_start >= start and other_end <= end) or (start >= other_start and end <= other_end)
                assert apart or inside


@given(spans)
def test_every_track_has_a_name_and_no_track_two(entries):
    events = events_of(log_of(entries))
    named = [(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"]
    used = {(event["pid"], event["tid"]) for event in events if event["ph"] == "X"}
    assert len(named) == len(set(named))
    assert set(named) == used


def test_counters_sit_with_their_dao():
    log = SpanLog()
    log.add("user-1", "training", 0, 1, dao="dao-1", rate_bps=5e6)
    log.counter("dao-1", "accuracy", 0.5, 0.25)
    events = events_of(log)
    process = next(event["pid"] for event in events if event["args"].get("name") == "dao-1")
    counter = next(event for event in events if event["ph"] == "C")
    assert counter == {"ph": "C", "name": "accuracy", "pid": process, "ts": 500_000, "args": {"accuracy": 0.25}}
    assert next(event for event in events if event["ph"] == "X")["args"] == {"rate_bps": 5e6}


def test_a_log_refuses_an_unknown_phase_and_a_backward_span():
    log = SpanLog()
    with pytest.raises(UnknownNameError, match="did you mean 'training'"):
        log.add("user-1", "trainin", 0, 1)
    with pytest.raises(InputError, match="user-1"):
        log.add("user-1", "training", 2, 1)


def test_frame_of_an_empty_log_has_the_columns():
    assert list(SpanLog().to_frame().columns) == [
        "agent",
        "dao",
        "phase",
        "round",
        "start_s",
        "end_s",
        "details",
        "duration_s",
    ]

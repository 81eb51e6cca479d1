"""Minting time by phase: exact sums, and paths worked by hand."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from synthetic_episode import episode

from flnft_sim.results import Phase, SpanLog, phase_breakdown

WORK = [phase for phase in Phase.of_minting() if phase != "waiting"]


def by_phase(log, number=None):
    table = phase_breakdown(log.to_frame())
    if number is not None:
        table = table[table["round"] == number]
    return {row["phase"]: row["duration_us"] / 1e6 for row in table.to_dict("records") if row["duration_us"]}


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(WORK), st.integers(0, 300), st.integers(0, 90)), min_size=1
    )
)
def test_sums_exactly_to_the_minting_time_whatever_the_spans(entries):
    log = SpanLog()
    for agent, phase, start, length in entries:
        log.add(agent, phase, start / 7, (start + length) / 7, round=1, dao="dao")
    final = [start + length for _, phase, start, length in entries if phase in ("aggregation", "minting")]
    end = max(final or [start + length for _, _, start, length in entries])
    begin = min(start for _, _, start, _ in entries)
    total_us = phase_breakdown(log.to_frame())["duration_us"].sum()
    assert total_us == max(round(end / 7 * 1e6) - round(begin / 7 * 1e6), 0)


def test_every_daos_sum_is_its_own_minting_time():
    result = episode(5, rounds=6)
    minting = result.spans[result.spans["phase"] == "minting"]
    total_us = int(result.phases["duration_us"].sum())
    assert Fraction(total_us, 10**6) == Fraction(round(minting["end_s"].max() * 1e6), 10**6)


def test_follows_the_user_whose_update_was_final_last():
    log = SpanLog()
    log.add("dao", "decision", 0, 2, round=1, dao="d")
    for user, end_s in (("quick", 7), ("slow", 12)):
        log.add(user, "training", 2, end_s - 3, round=1, dao="d")
        log.add(user, "upload", end_s - 3, end_s - 1, round=1, dao="d")
        log.add(user, "consensus", end_s - 1, end_s, round=1, dao="d")
        log.add(user, "waiting", end_s, 12, round=1, dao="d")
    log.add("dao", "aggregation", 12, 12, round=1, dao="d")
    log.add("dao", "minting", 12, 40, dao="d")
    assert by_phase(log) == {"decision": 2, "training": 7, "upload": 2, "consensus": 1, "minting": 28}


def test_a_queue_for_one_host_is_charged_to_the_trainings_in_it():
    log = SpanLog()
    log.add("a", "training", 0, 10, round=1, dao="d")
    log.add("b", "waiting", 0, 10, round=1, dao="d")
    log.add("b", "training", 10, 15, round=1, dao="d")
    log.add("b", "upload", 15, 16, round=1, dao="d")
    log.add("dao", "aggregation", 16, 17, round=1, dao="d")
    assert by_phase(log) == {"training": 15, "upload": 1, "aggregation": 1}


def test_time_until_a_deadline_is_waiting_of_its_round():
    log = SpanLog()
    log.add("a", "training", 0, 10, round=1, dao="d")
    log.add("dao", "aggregation", 60, 60, round=1, dao="d")
    log.add("dao", "decision", 60, 61, round=2, dao="d")
    log.add("dao", "aggregation", 61, 62, round=2, dao="d")
    assert by_phase(log, 1) == {"training": 10, "waiting": 50}
    assert by_phase(log, 2) == {"decision": 1, "aggregation": 1}


def test_what_no_dao_did_is_left_out():
    log = SpanLog()
    log.add("auction", "clearing", 0, 5)
    assert phase_breakdown(log.to_frame()).empty

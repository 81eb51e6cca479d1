"""A crowd on the clock against the round without events, and against a SimPy process per user."""

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.crowd_without_events import crowd_round
from flnft_sim.clock.crowd import Crowd, CrowdTask
from flnft_sim.clock.radio_cell import RadioCell
from flnft_sim.clock.work import Work
from flnft_sim.network import Links, RadioSettings, random_positions
from flnft_sim.results.outcome import Outcome

BANDWIDTH_HZ = 20e6
BATCH_S = 0.25


def cell_of(env: simpy.Environment, count: int, seed: int = 0) -> RadioCell:
    rng = np.random.default_rng(seed)
    return RadioCell(env, Links(RadioSettings(cross_talk=0.0), random_positions(count, rng), rng=rng))


def on_the_clock(task: CrowdTask, cell: RadioCell, env: simpy.Environment, every_s: float = 0.0) -> Work:
    crowd = Crowd(env, cell, np.arange(len(task)), lambda _batch: env.timeout(BATCH_S), batch_every_s=every_s)
    return env.run(crowd.work(task))


def without_events(task: CrowdTask, cell: RadioCell, every_s: float = 0.0) -> Work:
    return crowd_round(
        task,
        cell.links.mean_snrs(),
        bandwidth_hz=BANDWIDTH_HZ,
        batch_latency_s=lambda: BATCH_S,
        batch_every_s=every_s,
    )


def assert_same(one: Work, other: Work, check: Callable[..., None] = np.testing.assert_array_equal) -> None:
    for stage in ("train_s", "upload_s", "consensus_s", "final_s"):
        check(getattr(one, stage), getattr(other, stage))
    np.testing.assert_array_equal(one.outcomes, other.outcomes)


def test_a_thousand_users_who_do_not_meet_agree_exactly_with_the_round_without_events() -> None:
    """Trainings end a second apart and more, uploads and batches take less: every instant is the same float."""
    count, env = 1000, simpy.Environment()
    rng = np.random.default_rng(1)
    task = CrowdTask(train_s=rng.permutation(np.cumsum(1.0 + rng.random(count))), bits=5.1e6)
    cell = cell_of(env, count)
    assert cell.links.upload_alone_s(task.bits).max() + BATCH_S < 1.0
    assert_same(on_the_clock(task, cell, env), without_events(task, cell))


@given(
    st.integers(1, 60),
    st.floats(0.01, 20.0),
    st.sampled_from([np.inf, 3.0, 0.5]),
    st.floats(0.0, 0.5),
    st.sampled_from([0.0, 0.7]),
    st.integers(0, 999),
)
@settings(max_examples=40)
def test_users_who_meet_agree_to_rounding(
    count: int, spread_s: float, deadline_s: float, dropping: float, every_s: float, seed: int
) -> None:
    env = simpy.Environment()
    rng = np.random.default_rng(seed)
    task = CrowdTask(
        train_s=spread_s * rng.random(count),
        bits=2e6,
        drops=rng.random(count) < dropping,
        deadline_s=deadline_s,
    )
    cell = cell_of(env, count, seed)
    one, other = on_the_clock(task, cell, env, every_s), without_events(task, cell, every_s)
    assert_same(one, other, lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9))
    assert sum(one.count(outcome) for outcome in (Outcome.FINAL, Outcome.LATE, Outcome.DROPPED_OUT)) == count


def test_a_crowd_does_what_a_process_a_user_does() -> None:
    """The prose: train, upload, and queue for the next batch, one SimPy process each."""
    count, env = 200, simpy.Environment()
    rng = np.random.default_rng(2)
    task = CrowdTask(train_s=rng.uniform(1.0, 4.0, count), bits=2e6)
    cell = cell_of(env, count)
    uploaded, final, ready = np.zeros(count), np.zeros(count), simpy.Store(env)

    def user(row: int) -> Generator[simpy.Event, Any, None]:
        yield env.timeout(task.train_s[row])
        yield cell.upload(row, task.bits)
        uploaded[row] = env.now
        yield ready.put(row)

    def ledger() -> Generator[simpy.Event, Any, None]:
        while np.any(final == 0.0):
            batch = [(yield ready.get())]
            yield env.timeout(0.0)
            batch += [ready.items.pop(0) for _ in range(len(ready.items))]
            yield env.timeout(BATCH_S)
            final[batch] = env.now

    for row in range(count):
        env.process(user(row))
    env.run(env.process(ledger()))
    again = simpy.Environment()
    result = on_the_clock(task, cell_of(again, count), again)
    np.testing.assert_allclose(result.train_s + result.upload_s, uploaded, rtol=1e-12)
    np.testing.assert_allclose(result.final_s, final, rtol=1e-12)
    assert np.all(result.arrived)
    np.testing.assert_array_equal(result.age_s, result.final_s)


def test_rounds_follow_one_another_and_rows_may_stay_out() -> None:
    env = simpy.Environment()
    cell = cell_of(env, 5)
    crowd = Crowd(env, cell, np.arange(5), lambda _batch: env.timeout(BATCH_S))
    first = env.run(crowd.work(CrowdTask(train_s=np.full(5, 2.0), bits=1e6)))
    second = env.run(crowd.work(CrowdTask(train_s=np.full(2, 1.0), bits=1e6), rows=np.array([4, 1])))
    assert second.started_s[0] == first.final_s.max()
    expected = crowd_round(
        CrowdTask(train_s=np.full(2, 1.0), bits=1e6),
        cell.links.mean_snrs()[[4, 1]],
        bandwidth_hz=BANDWIDTH_HZ,
        batch_latency_s=lambda: BATCH_S,
        started_s=float(second.started_s[0]),
    )
    np.testing.assert_allclose(second.upload_s, expected.upload_s, rtol=1e-9)


def test_the_deadline_frees_the_cell_and_counts_the_late() -> None:
    env = simpy.Environment()
    cell = cell_of(env, 50)
    crowd = Crowd(env, cell, np.arange(50), lambda _batch: env.timeout(BATCH_S))
    result = env.run(crowd.work(CrowdTask(train_s=np.linspace(1.0, 3.0, 50), bits=5e6, deadline_s=2.5)))
    assert env.now == 2.5
    assert 0 < result.count(Outcome.FINAL) < 50
    assert result.count(Outcome.LATE) == 50 - result.count(Outcome.FINAL)
    assert cell.active == 0
    again = env.run(crowd.work(CrowdTask(train_s=np.full(50, 1.0), bits=1e5)))
    assert again.count(Outcome.FINAL) == 50


def test_an_upload_that_ends_at_the_deadline_is_no_trouble() -> None:
    env = simpy.Environment()
    bits = 5e6
    end_s = float(1.0 + cell_of(env, 1).links.upload_alone_s(bits)[0])
    for deadline_s in (end_s, np.nextafter(end_s, 0.0), np.nextafter(end_s, 9.0)):
        env = simpy.Environment()
        task = CrowdTask(train_s=np.ones(1), bits=bits, deadline_s=deadline_s)
        assert on_the_clock(task, cell_of(env, 1), env).count(Outcome.LATE) == 1
        env.run()  # nothing is left that fails


def test_a_ledger_that_stalls_is_an_outcome_not_a_hang() -> None:
    env = simpy.Environment()
    batches = []

    def agree(batch: np.ndarray) -> simpy.Event:
        batches.append(batch)
        event = env.event()
        if len(batches) == 1:
            event.fail(
                RuntimeError("no quorum"),
            )
        else:
            event.succeed()
        return event

    crowd = Crowd(env, cell_of(env, 3), np.arange(3), agree)
    result = env.run(crowd.work(CrowdTask(train_s=np.array([1.0, 2.0, 3.0]), bits=1e5)))
    assert (result.count(Outcome.STALLED), result.count(Outcome.FINAL)) == (1, 2)
    assert np.isnan(result.final_s[0])


@pytest.mark.parametrize("drops", [True, False])
def test_a_round_in_which_nobody_sends_ends(drops: bool) -> None:
    env = simpy.Environment()
    count = 4 if drops else 0
    crowd = Crowd(env, cell_of(env, 4), np.arange(4), lambda _batch: env.timeout(BATCH_S))
    task = CrowdTask(train_s=np.arange(1.0, 1.0 + count), bits=1e5, drops=np.full(count, True))
    result = env.run(crowd.work(task, rows=np.arange(count)))
    assert result.count(Outcome.DROPPED_OUT) == count
    assert env.now == (4.0 if drops else 0.0)

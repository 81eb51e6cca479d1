"""One PBFT instance: the arrays against messages, published means, quorums, closed forms, bad input."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pbft_oracle import Instance

from flnft_sim.errors import InputError
from flnft_sim.ledger import pbft_latency
from flnft_sim.ledger.consensus import faults_tolerated, quorum
from flnft_sim.ledger.consensus.pbft_latency import pbft_latencies


def normal_delays(n, rng, mean=0.25, sd=0.05):
    delays = np.maximum(rng.normal(mean, sd, (3, n, n)), 0.0)
    delays[:, range(n), range(n)] = 0.0
    return delays


def constant_delays(n, seconds):
    return normal_delays(n, np.random.default_rng(0), seconds, 0.0)


@st.composite
def instances(draw):
    """Delays from nearly equal to wildly spread, some replicas slow, some crashed, patient and impatient timeouts."""
    n = draw(st.integers(1, 11))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    delays = rng.lognormal(math.log(0.1), draw(st.sampled_from([0.0, 0.1, 1.0])), (3, n, n))
    delays[:, :, rng.random(n) < 0.2] *= draw(st.sampled_from([1.0, 10.0]))
    delays[:, range(n), range(n)] = 0.0
    most = faults_tolerated(n) + 1 if n >= 4 else 0
    crashed = draw(st.just(set()) | st.sets(st.integers(0, min(n - 1, most)), max_size=most))
    timeout = draw(st.sampled_from([None, 0.01, 0.15, 0.3, 0.5, 1.0, 5.0]))
    return delays, crashed, timeout


@given(instances())
def test_equals_the_message_level_simulation(instance):
    delays, crashed, timeout = instance
    seconds, views, messages = Instance(delays.tolist(), crashed, timeout).run()
    outcome = pbft_latency(delays, crashed=crashed, timeout=timeout)
    assert (outcome.seconds, outcome.views, outcome.messages) == (seconds, views, messages)
    assert outcome.committed == (seconds < math.inf)


@given(instances(), st.integers(1, 3))
def test_side_by_side_is_one_after_another(instance, count):
    delays, crashed, timeout = instance
    stack = [delays * factor for factor in (1.0, 0.3, 4.0)[:count]]
    alone = [pbft_latency(each, crashed=crashed, timeout=timeout) for each in stack]
    assert pbft_latencies(stack, crashed=crashed, timeout=timeout) == alone


@pytest.mark.parametrize("n", [4, 5, 6, 7, 8, 9, 10, 13])
def test_lives_with_f_crashes_and_never_commits_with_more(n):
    rng = np.random.default_rng(n)
    for _ in range(20):
        crashed = rng.permutation(n)
        f = faults_tolerated(n)
        assert pbft_latency(normal_delays(n, rng), crashed=crashed[:f].tolist(), timeout=1.0).committed
        stalled = pbft_latency(normal_delays(n, rng), crashed=crashed[: f + 1].tolist(), timeout=1.0)
        assert not stalled.committed
        assert stalled.seconds == math.inf


@given(st.integers(1, 10_000))
def test_any_two_quorums_share_a_correct_replica(n):
    f = faults_tolerated(n)
    assert 2 * quorum(n) - n >= f + 1
    assert quorum(n) <= n - f  # reachable with f crashes
    assert 3 * f + 1 <= n < 3 * (f + 1) + 1


@pytest.mark.parametrize(("n", "dead", "mean_ms"), [(4, 0, 731.1), (10, 0, 783.6), (31, 0, 800.2), (31, 10, 1060.4)])
def test_means_of_an_independent_simulator(n, dead, mean_ms):
    """Delays N(250, 50) ms; the references are means of 200 runs, so 1 % is about three of their standard errors."""
    rng = np.random.default_rng(1)
    seconds = [pbft_latency(normal_delays(n, rng), crashed=range(n - dead, n)).seconds for _ in range(1500)]
    assert 1e3 * np.mean(seconds) == pytest.approx(mean_ms, rel=0.01)


@given(st.integers(2, 40), st.floats(0.001, 10.0))
def test_equal_delays_take_three_of_them_and_all_messages(n, delay):
    outcome = pbft_latency(constant_delays(n, delay))
    assert outcome.seconds == pytest.approx(3 * delay)
    assert outcome.messages == 2 * n * (n - 1)


@given(st.integers(4, 30), st.integers(1, 9), st.floats(0.001, 0.1))
def test_each_crashed_primary_costs_its_timeout_and_a_hop(n, down, delay):
    """Timeouts 1, 2, 4 …: with the first k primaries down, 2^k − 1 seconds, k view-changes, then new-view and on."""
    down = min(down, faults_tolerated(n))
    outcome = pbft_latency(constant_delays(n, delay), crashed=range(down), timeout=1.0)
    assert outcome.seconds == pytest.approx(2.0**down - 1 + (down + 3) * delay)
    assert outcome.views == down + 1


@given(st.integers(1, 12), st.integers(0, 2**32 - 1), st.floats(0.1, 10.0))
def test_time_scales_with_delays(n, seed, factor):
    delays = normal_delays(n, np.random.default_rng(seed))
    assert pbft_latency(delays * factor).seconds == pytest.approx(pbft_latency(delays).seconds * factor)


@given(st.integers(4, 12), st.integers(0, 2**32 - 1))
def test_a_slower_message_never_helps(n, seed):
    rng = np.random.default_rng(seed)
    delays = normal_delays(n, rng)
    slower = delays + rng.exponential(0.1, delays.shape)
    slower[:, range(n), range(n)] = 0.0
    assert pbft_latency(slower).seconds >= pbft_latency(delays).seconds


def test_a_crashed_primary_without_view_change_never_commits():
    outcome = pbft_latency(constant_delays(4, 0.1), crashed=[0])
    assert (outcome.committed, outcome.seconds, outcome.views) == (False, math.inf, 1)


@pytest.mark.parametrize(
    ("delays", "options", "says"),
    [
        (np.zeros((2, 4, 4)), {}, "(3, n, n)"),
        (np.zeros((3, 4, 5)), {}, "(3, n, n)"),
        (np.zeros((3, 0, 0)), {}, "(3, n, n)"),
        (np.full((3, 4, 4), np.nan), {}, "negative or infinite"),
        (-constant_delays(4, 1.0), {}, "negative or infinite"),
        (np.ones((3, 4, 4)), {}, "diagonal"),
        (constant_delays(3, 1.0), {"crashed": [1]}, "n ≥ 4"),
        (constant_delays(4, 1.0), {"crashed": [4]}, "from 0 to 3"),
        (constant_delays(4, 1.0), {"timeout": 0.0}, "positive"),
        (constant_delays(4, 1.0), {"timeout": math.nan}, "positive"),
    ],
)
def test_bad_input_is_named(delays, options, says):
    with pytest.raises(InputError) as error:
        pbft_latency(delays, **options)
    assert says in str(error.value)
    with pytest.raises(InputError) as error:
        pbft_latencies([delays], **options)
    assert says.replace("(3", "(K, 3") in str(error.value)

"""Proof of work: exponential intervals, Erlang confirmations, stale shares of simulated references."""

import numpy as np
import pytest
from scipy import stats

from flnft_sim.ledger.consensus import MiningRace, PowSettings, ProofOfWork


def run_race(blocks, seed=0, **settings):
    race = MiningRace(PowSettings(**settings), np.random.default_rng(seed))
    while len(race.settled_s) < blocks:
        race.run()
    return race


def test_blocks_come_at_exponential_intervals():
    race = run_race(5000, block_interval_s=13.0)
    assert stats.kstest(np.diff(race.settled_s), stats.expon(scale=13.0).cdf).pvalue > 0.01


@pytest.mark.parametrize("confirmations", [1, 3, 12])
def test_waiting_for_confirmations_is_erlang(confirmations):
    """From any instant, the k-th block to come is Erlang(k): mean kT, deviation √k·T (no stale blocks at D = 0)."""
    pow_ = ProofOfWork(
        PowSettings(block_interval_s=13.0, propagation_s=0.0, confirmations=confirmations), np.random.default_rng(5)
    )
    asked_s = 1000.0 * np.arange(1, 1001)  # far apart, so that the waits are independent
    waits_s = np.array([pow_.next_block(after_s).final_s - after_s for after_s in asked_s])
    assert stats.kstest(waits_s, stats.erlang(confirmations, scale=13.0).cdf).pvalue > 0.01
    assert waits_s.mean() == pytest.approx(13.0 * confirmations, rel=0.1)
    assert waits_s.std() == pytest.approx(13.0 * np.sqrt(confirmations), rel=0.15)


@pytest.mark.parametrize(
    ("delay_s", "propagation", "stale_percent", "tolerance"),
    [
        (0.42, "exponential", 2.94, 0.35),
        (0.42, "fixed", 3.07, 0.35),
        (6.0, "exponential", 24.58, 0.9),
        (6.0, "fixed", 29.07, 0.9),
    ],
)
def test_stale_share_of_an_independent_simulation(delay_s, propagation, stale_percent, tolerance):
    """Ten equal miners, interval 12.42 s. The tolerance is three standard errors of our 20,000 blocks, or more."""
    race = run_race(20_000, miners=10, block_interval_s=12.42, propagation_s=delay_s, propagation=propagation)
    assert 100 * (1 - np.mean(race.canonical)) == pytest.approx(stale_percent, abs=tolerance)


def test_without_delay_or_rivals_nothing_is_stale():
    assert all(run_race(2000, propagation_s=0.0).canonical)
    assert all(run_race(2000, miners=1, propagation_s=6.0).canonical)


def test_confirmations_count_blocks_that_last():
    pow_ = ProofOfWork(PowSettings(propagation_s=6.0, confirmations=4), np.random.default_rng(2))
    slots, after_s = [], 0.0
    for _ in range(300):
        slots.append(pow_.next_block(after_s))
        after_s = slots[-1].time_s
    lasting = [slot for slot in slots if not slot.stale]
    assert len(lasting) < len(slots)
    for block, third_after in zip(lasting, lasting[3:], strict=False):
        assert block.final_s == third_after.time_s


def test_far_instants_are_reached_without_walking_and_their_blocks_are_those_of_a_walk():
    """Whoever asks, in whatever order: the same blocks, forks included (delay 6 s: a third of them is stale)."""
    settings, steps = PowSettings(propagation_s=6.0, confirmations=3), [k * 9_000.0 for k in range(1, 81)]
    walking = ProofOfWork(settings, np.random.default_rng(7))
    walked = {}
    for asked_s in steps:  # never a stretch ahead
        walked[asked_s] = walking.next_block(asked_s)
    for asked in (steps[::-30], steps[60:] + steps[:20]):
        jumping = ProofOfWork(settings, np.random.default_rng(7))
        assert {asked_s: jumping.next_block(asked_s) for asked_s in asked} == {each: walked[each] for each in asked}
    assert any(slot.stale for slot in walked.values())


def test_blocks_after_a_jump_are_found_as_ever():
    """Waits from far instants, far apart, are exponential; the stale share is that of an independent simulation."""
    first_s = 1e12
    pow_ = ProofOfWork(
        PowSettings(block_interval_s=12.42, propagation_s=6.0, confirmations=1), np.random.default_rng(5)
    )
    slots = [(asked_s, pow_.next_block(asked_s)) for asked_s in first_s + 1e6 * np.arange(25)]
    waits_s = [slot.proposed_s - asked_s for asked_s, slot in slots]
    assert stats.kstest(waits_s, stats.expon(scale=12.42).cdf).pvalue > 0.01
    after_s, stale = first_s, []
    for _ in range(6000):
        slot = pow_.next_block(after_s)
        after_s = slot.time_s
        stale.append(slot.stale)
    assert 100 * np.mean(stale) == pytest.approx(29.07, abs=1.8)

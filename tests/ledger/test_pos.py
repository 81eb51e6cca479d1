"""Proof of stake: slots, missed ones, epochs."""

import numpy as np
import pytest

from flnft_sim.ledger.consensus import PosSettings, ProofOfStake


def waits(settings, count=20_000):
    pos = ProofOfStake(settings, np.random.default_rng(3))
    after_s = np.random.default_rng(4).uniform(0, 1e6, count)
    slots = [pos.next_block(each) for each in after_s]
    inclusion_s = np.array([slot.time_s for slot in slots]) - after_s
    finality_slots = np.array([slot.final_s - slot.time_s for slot in slots]) / settings.block_interval_s
    return inclusion_s, finality_slots


@pytest.mark.parametrize("missed", [0.0, 0.01, 0.3])
def test_mean_wait_for_a_slot(missed):
    """Half a slot to the next one, and a geometric number of missed ones: 12·(1/2 + p/(1 − p)) s."""
    inclusion_s, _ = waits(PosSettings(block_interval_s=12.0, missed=missed))
    assert inclusion_s.mean() == pytest.approx(12.0 * (0.5 + missed / (1 - missed)), rel=0.03)


def test_final_64_to_95_slots_after_the_block():
    """Ethereum's figures: up to 31 slots to the checkpoint that holds the block, then two epochs of votes."""
    _, finality_slots = waits(PosSettings(block_interval_s=12.0, missed=0.0))
    assert finality_slots.min() == pytest.approx(64.0)
    assert finality_slots.max() == pytest.approx(95.0)
    assert finality_slots.mean() == pytest.approx(79.5, abs=0.3)


def test_share_of_missed_slots():
    pos = ProofOfStake(PosSettings(block_interval_s=12.0, missed=0.2), np.random.default_rng(0))
    slots, after_s = 0, 0.0
    while after_s < 12.0 * 20_000:
        after_s = pos.next_block(after_s).time_s
        slots += 1
    assert 1 - slots / 20_000 == pytest.approx(0.2, abs=0.01)


def test_slots_far_ahead_are_those_that_a_walk_comes_to():
    walking, asking = (
        ProofOfStake(PosSettings(block_interval_s=12.0, missed=0.3), np.random.default_rng(1)) for _ in range(2)
    )
    times_s = np.arange(0.0, 12.0 * 1024 * 20, 5000.0)
    assert [walking.next_block(each) for each in times_s] == [asking.next_block(each) for each in times_s[::-1]][::-1]
    slot = asking.next_block(1e13)
    assert 1e13 < slot.time_s < 1e13 + 500

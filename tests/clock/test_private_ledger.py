"""A DAO's ledger on the clock: concurrent instances, crashes, view changes, stated outcomes."""

import numpy as np
import pytest
import simpy

from flnft_sim.clock.private_ledger import PrivateLedger
from flnft_sim.ledger import Chain, ConsensusStalled, KeyPair, make_consensus, read_ledger
from flnft_sim.network import replica_delays

KEYS = [KeyPair.from_seed(bytes([each]) * 32) for each in range(4)]


def ledger(env, protocol="pbft", seed=0, **settings):
    consensus = make_consensus(protocol, np.random.default_rng(seed), **settings)
    return PrivateLedger(env, consensus=consensus, chain=Chain("dao-0"))


@pytest.mark.parametrize("protocol", ["pow", "pos", "pbft", "instant"])
def test_every_protocol_makes_submissions_final(protocol):
    env = simpy.Environment()
    dao = ledger(env, protocol)
    events = [dao.submit("update", key, {"round": 1}) for key in KEYS]
    env.run()
    for event in events:
        receipt = event.value
        block = dao.chain.blocks[receipt.block_height]
        assert block.time_s <= receipt.time_s == receipt.waited_s
    assert sorted(event.value.block_height for event in events) == [1, 2, 3, 4]
    assert read_ledger(dao.chain.to_jsonl())["dao-0"].tip == dao.chain.tip


def test_instances_run_side_by_side_and_are_appended_as_they_commit():
    env = simpy.Environment()
    dao = ledger(env, replicas=4, delay_ms=250.0, delay_sd_ms=100.0)
    events = [dao.submit("update", KEYS[0], {"n": n}) for n in range(20)]
    env.run()
    assert env.now < 3 * 0.75  # one after the other would take 15 s
    by_height = sorted(events, key=lambda event: event.value.block_height)
    assert [event.value.time_s for event in by_height] == sorted(event.value.time_s for event in events)
    assert [each.payload["n"] for each in dao.chain.transactions()] != list(range(20))
    assert dao.messages == 20 * 2 * 4 * 3


def test_a_crashed_primary_costs_one_view_change_and_is_replaced():
    env = simpy.Environment()
    dao = ledger(env, replicas=4, delay_sd_ms=0.0, delay_ms=100.0, timeout_s=2.0)
    dao.consensus.crash(dao.consensus.primary)
    receipts = []

    def user(delay_s):
        yield env.timeout(delay_s)
        receipts.append((yield dao.submit("update", KEYS[0], {})))

    for delay_s in (0.0, 1.0, 5.0):
        env.process(user(delay_s))
    env.run()
    # Timeout, view-change, new-view, prepare, commit; who asks meanwhile waits for it; then it is as ever.
    assert [each.waited_s for each in receipts] == pytest.approx([2.4, 1.4 + 0.3, 0.3])
    assert dao.view_changes == 1
    assert [block.producer for block in dao.chain.blocks[1:]] == ["replica-1"] * 3


def test_f_crashes_are_survived_and_one_more_is_a_stated_outcome():
    env = simpy.Environment()
    dao = ledger(env, replicas=10, timeout_s=3.0)
    dao.consensus.crash(7, 8, 9)
    env.run(until=dao.submit("update", KEYS[0], {}))
    dao.consensus.crash(2)
    asked_s = env.now
    with pytest.raises(ConsensusStalled, match=r"of 10 replicas 2, 7, 8, 9 are crashed.*quorum of 7"):
        env.run(until=dao.submit("update", KEYS[0], {}))
    assert env.now - asked_s == pytest.approx(3.0)
    dao.consensus.recover(2)
    env.run(until=dao.submit("update", KEYS[0], {}))
    assert len(dao.chain) == 3


def test_without_view_change_a_crashed_primary_stalls_at_once():
    env = simpy.Environment()
    dao = ledger(env, replicas=4, timeout_s=None, crashed=(0,))
    with pytest.raises(ConsensusStalled, match="no view change"):
        env.run(until=dao.submit("update", KEYS[0], {}))


def test_one_slow_replica_hurts_no_one_and_f_plus_one_do():
    def mean_wait_s(**settings):
        env = simpy.Environment()
        dao = ledger(env, replicas=7, timeout_s=100.0, **settings)
        events = [dao.submit("update", KEYS[0], {"n": n}) for n in range(50)]
        env.run()
        return np.mean([event.value.waited_s for event in events])

    usual_s = mean_wait_s()
    assert mean_wait_s(slow={6: 10.0}) < 1.2 * usual_s
    assert mean_wait_s(slow={4: 10.0, 5: 10.0, 6: 10.0}) > 3 * usual_s
    assert mean_wait_s(slow={0: 10.0}) > 2 * usual_s  # the primary


def test_messages_over_a_ring_take_longer_than_over_direct_links():
    def mean_wait_s(topology):
        env = simpy.Environment()
        draw = lambda rng: replica_delays(13, topology=topology, mean_s=0.1, sd_s=0.02, rng=rng)  # noqa: E731
        dao = ledger(env, replicas=13, delays=draw, timeout_s=100.0)
        events = [dao.submit("update", KEYS[0], {"n": n}) for n in range(20)]
        env.run()
        return np.mean([event.value.waited_s for event in events])

    complete_s = mean_wait_s("complete")
    assert complete_s == pytest.approx(0.3, rel=0.15)
    # On a ring of 13 the eighth nearest of the others, which a quorum of nine needs, is four links away.
    assert mean_wait_s("ring") > 3 * complete_s


def test_delays_may_come_from_elsewhere():
    drawn = np.full((3, 4, 4), 0.2) * (1 - np.eye(4))
    env = simpy.Environment()
    dao = ledger(env, replicas=4, delays=lambda rng: drawn)
    assert env.run(until=dao.submit("update", KEYS[0], {})).waited_s == pytest.approx(0.6)
    assert dao.expected_s == pytest.approx(0.6)

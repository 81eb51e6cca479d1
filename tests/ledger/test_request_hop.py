"""The request's hop to the primary: whose link it takes, its mean and spread, and what it adds to an instance."""

import numpy as np
import pytest
import simpy

from flnft_sim.clock.private_ledger import PrivateLedger
from flnft_sim.errors import InputError
from flnft_sim.ledger import Chain, KeyPair, make_consensus
from flnft_sim.ledger.consensus import RequestHop
from flnft_sim.network import link_delays

KEY = KeyPair.from_seed(bytes(32))


def ring_hop(sd_s=0.0, **settings):
    base_s = link_delays(8, topology="ring", mean_s=0.1, rng=np.random.default_rng(0))
    return RequestHop(base_s, 0.1, sd_s, np.random.default_rng(1), **settings)


def test_a_request_takes_the_path_from_its_keeper_to_the_primary():
    hop = ring_hop()
    assert [hop.draw_s(each, 0) for each in range(8)] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.3, 0.2, 0.1])
    assert [hop.draw_s(each, 5) for each in (5, 0)] == pytest.approx([0, 0.3])
    assert hop.draw_s(None, 3) == hop.draw_s(8, 3) == 0.1  # who keeps no replica: one link


def test_variances_add_up_along_a_path_and_slow_ends_are_slow():
    hop = ring_hop(0.02)
    far = [hop.draw_s(4, 0) for _ in range(4000)]
    assert np.mean(far) == pytest.approx(0.4, abs=0.003) and np.std(far) == pytest.approx(0.02 * 2, rel=0.05)
    assert hop.expected_s(4, 0) == pytest.approx(0.4)
    slow = ring_hop(slow={0: 10.0, 4: 10.0})
    assert slow.draw_s(1, 0) == pytest.approx(1.0) and slow.draw_s(4, 0) == pytest.approx(40.0)
    assert slow.draw_s(0, 0) == 0.0 and slow.draw_s(None, 0) == pytest.approx(1.0)
    assert all(ring_hop(1.0).draw_s(1, 0) >= 0 for _ in range(100))


def test_one_number_is_drawn_whoever_submits():
    hops = ring_hop(0.02), ring_hop(0.02)
    for first, second in ((0, 4), (1, 0), (None, 2)):
        hops[0].draw_s(first, 0)
        hops[1].draw_s(second, 0)
    assert hops[0].draw_s(3, 0) == hops[1].draw_s(3, 0)


@pytest.mark.parametrize("bad", [{"mean_s": -1.0}, {"sd_s": float("nan")}, {"base_s": np.zeros((2, 3))}])
def test_delays_that_are_none_are_refused(bad):
    good = {"base_s": np.zeros((2, 2)), "mean_s": 0.1, "sd_s": 0.0, "rng": np.random.default_rng(0)}
    with pytest.raises(InputError, match=next(iter(bad))):
        RequestHop(**good | bad)


def ledger(env, **settings):
    hop = RequestHop(0.1 * (1 - np.eye(4)), 0.1, 0.0, np.random.default_rng(2))
    consensus = make_consensus(
        "pbft", np.random.default_rng(0), replicas=4, delay_ms=100.0, delay_sd_ms=0.0, hop=hop, **settings
    )
    return PrivateLedger(env, consensus=consensus, chain=Chain("dao-0"))


def test_whoever_is_not_the_primary_waits_a_hop_longer():
    env = simpy.Environment()
    dao = ledger(env)
    events = [dao.submit("update", KEY, {"n": n}, submitter=n) for n in (0, 1, 2, 3, 4, None)]
    env.run()
    assert [event.value.waited_s for event in events] == pytest.approx([0.3, 0.4, 0.4, 0.4, 0.4, 0.4])
    assert dao.messages == 6 * 2 * 4 * 3 + 5  # and a message more
    np.testing.assert_allclose(dao.expected_of([0, 1, None]), [0.3, 0.4, 0.4])
    assert dao.expected_s == pytest.approx((0.3 + 3 * 0.4) / 4)


def test_after_a_view_change_requests_go_to_the_new_primary():
    env = simpy.Environment()
    dao = ledger(env, timeout_s=2.0)
    dao.consensus.crash(0)
    env.run(until=dao.submit("update", KEY, {}, submitter=1))
    assert env.now == pytest.approx(0.1 + 2.4)  # to the dead primary; timeout, view-change, new-view, prepare, commit
    events = [dao.submit("update", KEY, {"n": n}, submitter=n) for n in (0, 1)]
    env.run()
    assert [event.value.waited_s for event in events] == pytest.approx([0.4, 0.3])


def test_what_is_not_agreed_on_by_its_rounds_end_is_not_written():
    env = simpy.Environment()
    dao = ledger(env)
    events = [dao.submit("update", KEY, {"n": n}, submitter=n, closes_s=0.35) for n in (0, 1)]
    env.run()
    assert events[0].value.waited_s == pytest.approx(0.3) and events[1].value is None
    assert [each.payload["n"] for each in dao.chain.transactions()] == [0]

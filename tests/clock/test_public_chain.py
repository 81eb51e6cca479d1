"""The public chain on the clock: finality, fees and gas, stalls, other people's traffic."""

import math
from itertools import pairwise

import numpy as np
import pytest
import simpy
from scipy import stats

from flnft_sim.clock.public_chain import PublicChain
from flnft_sim.errors import InputError
from flnft_sim.ledger import Chain, ConsensusStalled, KeyPair, OtherTraffic, make_consensus, read_ledger
from flnft_sim.ledger.queueing import mean_inclusion_s

ALICE, BOB = (KeyPair.from_seed(bytes([each]) * 32) for each in (1, 2))


def public_chain(env, protocol="pow", *, gas_limit=8_000_000, traffic=None, seed=0, **settings):
    consensus = make_consensus(protocol, np.random.default_rng(seed), **settings)
    return PublicChain(env, consensus=consensus, chain=Chain("public"), gas_limit=gas_limit, traffic=traffic)


def outcome(env, event):
    """The receipt of a submission, once the clock has reached it."""
    return env.run(until=event)


def test_a_transaction_is_final_after_its_confirmations():
    env = simpy.Environment()
    chain = public_chain(env, confirmations=3)
    receipt = outcome(env, chain.submit("mint", ALICE, {"model": "m"}))
    consensus = make_consensus("pow", np.random.default_rng(0), confirmations=3)
    slot = consensus.next_block(0.0)
    assert not slot.stale
    assert receipt.time_s == receipt.waited_s == pytest.approx(slot.final_s)
    assert chain.chain.blocks[receipt.block_height].time_s == pytest.approx(slot.time_s)
    assert chain.chain.tip.transactions[0].payload == {"model": "m"}


@pytest.mark.parametrize("protocol", ["pow", "pos", "pbft", "instant"])
def test_nothing_happens_while_nothing_waits(protocol):
    """The run ends by itself, and there are a few events a transaction however long the pauses."""
    env = simpy.Environment()
    chain = public_chain(env, protocol)
    receipts = []

    def user():
        for _ in range(10):
            yield env.timeout(50_000.0)
            receipts.append((yield chain.submit("note", ALICE, {})))

    env.process(user())
    steps = 0
    while env.peek() < math.inf:
        env.step()
        steps += 1
    assert len(receipts) == 10
    assert steps < 150
    assert read_ledger(chain.chain.to_jsonl())["public"].tip == chain.chain.tip


def test_block_times_do_not_hang_on_what_is_submitted():
    def block_times(pause_s):
        env = simpy.Environment()
        chain = public_chain(env)

        def user():
            while env.now < 5_000:
                chain.submit("note", ALICE, {})
                yield env.timeout(pause_s)

        env.process(user())
        env.run()
        return np.array([block.time_s for block in chain.chain.blocks[1:]])

    often, seldom = block_times(1.0), block_times(97.0)
    assert len(often) > 2 * len(seldom) > 40
    assert np.isclose(seldom[:, None], often).any(axis=1).all()


def test_inter_block_times_of_a_busy_chain_are_exponential():
    env = simpy.Environment()
    chain = public_chain(env, propagation_s=0.0, confirmations=1)

    def user():
        for _ in range(1500):
            yield chain.submit("note", ALICE, {})

    env.process(user())
    env.run()
    times_s = [block.time_s for block in chain.chain.blocks]
    assert stats.kstest(np.diff(times_s), stats.expon(scale=13.0).cdf).pvalue > 0.01


def test_the_higher_fee_goes_first_where_gas_is_short():
    env = simpy.Environment()
    chain = public_chain(env, gas_limit=45_000, confirmations=1, propagation_s=0.0)
    events = [chain.submit("note", key, {}, fee=fee) for key, fee in [(ALICE, 1), (BOB, 3), (ALICE, 2), (BOB, 3)]]
    assert chain.mempool_size == 4
    env.run()
    heights = [event.value.block_height for event in events]
    assert heights == [2, 1, 2, 1]
    assert [each.fee for block in chain.chain.blocks for each in block.transactions] == [3, 3, 2, 1]


def test_stale_blocks_hand_their_transactions_back():
    env = simpy.Environment()
    chain = public_chain(env, propagation_s=13.0, confirmations=1, seed=4)

    def user():
        for _ in range(100):
            yield chain.submit("note", ALICE, {})

    env.process(user())
    env.run()
    assert chain.stale_blocks == chain.returned_transactions > 20
    assert sum(1 for _ in chain.chain.transactions()) == 100


def test_timestamps_are_whole_seconds_that_rise_and_never_lie_before_their_block():
    env = simpy.Environment()
    chain = public_chain(env, block_interval_s=0.7, gas_limit=25_000)
    env.run(until=env.all_of([chain.submit("note", ALICE, {"n": n}) for n in range(40)]))
    blocks = chain.chain.blocks
    stamps = [chain.timestamp_s(block.height) for block in blocks]
    assert all(earlier < later for earlier, later in pairwise(stamps))
    assert all(isinstance(stamp, int) and stamp >= block.time_s for stamp, block in zip(stamps, blocks, strict=True))
    sooner = [stamp > math.ceil(block.time_s) for stamp, block in zip(stamps, blocks, strict=True)]
    assert True in sooner and False in sooner  # two blocks of one second cannot have one timestamp


def test_a_stalled_chain_recovers_where_it_was():
    env, steady = simpy.Environment(), simpy.Environment()
    stalling, undisturbed = public_chain(env), public_chain(steady)
    events = [chain.submit("note", ALICE, {}) for chain in (stalling, undisturbed)]

    def stall(env, chain, at_s, for_s):
        yield env.timeout(at_s)
        chain.stall()
        yield env.timeout(for_s)
        chain.resume()

    env.process(stall(env, stalling, 1.0, 500.0))
    env.process(stall(env, stalling, 502.0, 70.0))
    env.run(), steady.run()
    assert events[0].value.time_s == pytest.approx(events[1].value.time_s + 570.0)


def test_a_chain_that_never_recovers_leaves_the_submission_open():
    env = simpy.Environment()
    chain = public_chain(env)
    chain.stall()
    event = chain.submit("note", ALICE, {})
    env.run(until=1e6)
    assert not event.triggered
    assert chain.mempool_size == 1


def test_stall_and_resume_in_the_wrong_state_are_named():
    chain = public_chain(simpy.Environment())
    with pytest.raises(InputError, match="not stalled"):
        chain.resume()
    chain.stall()
    with pytest.raises(InputError, match="stalled already"):
        chain.stall()


def test_a_protocol_that_cannot_decide_fails_the_submission():
    env = simpy.Environment()
    chain = public_chain(env, "pbft", replicas=4, crashed=(1, 2), timeout_s=2.0)
    with pytest.raises(ConsensusStalled, match=r"of 4 replicas 1, 2 are crashed.*quorum of 3"):
        outcome(env, chain.submit("note", ALICE, {}))
    assert env.now == pytest.approx(2.0)


def test_what_no_block_can_hold_is_refused_at_once():
    env = simpy.Environment()
    with pytest.raises(InputError, match="20999"):
        public_chain(env, gas_limit=20_999)
    chain = public_chain(env, gas_limit=30_000)
    with pytest.raises(InputError, match="a block holds 30000"):
        chain.submit("mint", ALICE, {"long": "x" * 1000})
    assert chain.mempool_size == 0


@pytest.mark.parametrize("load", [0.2, 0.6, 0.8])
def test_time_to_inclusion_under_load_is_that_of_bulk_service(load):
    env = simpy.Environment()
    per_block, interval_s = 10, 13.0
    rate = load * per_block / interval_s
    traffic = OtherTraffic(rate, np.random.default_rng(11), gas=50_000)
    chain = public_chain(
        env, gas_limit=50_000 * per_block, traffic=traffic, propagation_s=0.0, confirmations=1, seed=int(100 * load)
    )
    rng, answers = np.random.default_rng(12), []

    def probe():
        for _ in range(1500):
            yield env.timeout(rng.exponential(200.0))
            answers.append(chain.submit("note", ALICE, {}, gas=50_000))

    env.process(probe())
    env.run()
    waits_s = [answer.value.waited_s for answer in answers]
    expected_s = mean_inclusion_s(rate + 1 / 200.0, block_interval_s=interval_s, block_tx=per_block)
    assert np.mean(waits_s) == pytest.approx(expected_s, rel=0.12)


def test_the_mempool_grows_beyond_the_limit_and_a_fee_buys_a_way_past_it():
    env = simpy.Environment()
    traffic = OtherTraffic(2.0, np.random.default_rng(1), gas=50_000)
    chain = public_chain(env, gas_limit=500_000, traffic=traffic, confirmations=1)
    env.run(until=2_000.0)
    backlog = chain.mempool_size
    assert backlog == pytest.approx(2_000 * (2.0 - 10 / 13.0), rel=0.15)
    hasty = outcome(env, chain.submit("note", ALICE, {}, fee=2))
    patient = chain.submit("note", ALICE, {}, fee=1)
    env.run(until=env.now + 500.0)
    assert hasty.waited_s < 100.0
    assert not patient.triggered


def test_traffic_needs_a_rhythm_and_room():
    env = simpy.Environment()
    traffic = OtherTraffic(1.0, np.random.default_rng(0), gas=50_000)
    with pytest.raises(InputError, match="on demand"):
        public_chain(env, "pbft", traffic=traffic)
    with pytest.raises(InputError, match="50000"):
        public_chain(env, gas_limit=40_000, traffic=traffic).submit("note", ALICE, {})
    for options in ({"tx_per_s": 0.0}, {"tx_per_s": 1.0, "gas": 5}, {"tx_per_s": 1.0, "fees": ()}):
        with pytest.raises(InputError, match="other traffic"):
            OtherTraffic(rng=np.random.default_rng(0), **options)

"""The same auction on a node as in process: gas, logs and receipts are equal, and what a node lacks is told."""

import socket
import time

import pytest
from nodes import refusal, served
from stage import Stage

from flnft_sim.chain.backend import Candidate, Genesis, connect
from flnft_sim.chain.errors import NodeError, TransactionRefused
from flnft_sim.chain.keys import ChainKey, keys_from_environment
from flnft_sim.chain.transactions import Call
from flnft_sim.errors import InputError, UnknownNameError

ETH = 10**18


def replayed(stage, address):
    """The stage's raw transactions in the same blocks on the node."""
    there = connect("rpc", stage.genesis, address=address)
    for number in range(1, stage.chain.last.number + 1):
        block = stage.chain.block(number)
        there.build(block.env, [Candidate(raw, 0) for raw in block.raws])
    return there


@pytest.mark.node
def test_an_auction_of_40_bids_is_the_same_on_a_node(node):
    stage = Stage(bidders=40)
    auction, _, _ = stage.sold([10 * ETH // 1000 + 10**9 * place for place in range(40)], [10**15, 2 * 10**15])
    stage.settle(auction)
    stage.do(stage.auction.withdraw(stage.bidders[0].address), stage.bidders[0])
    there = replayed(stage, node)
    for number in range(1, stage.chain.last.number + 1):
        here, other = stage.chain.block(number), there.block(number)
        assert other.own == here.own, number  # success, gas, logs, output, created
        assert (other.receipts_root, other.logs_bloom) == (here.receipts_root, here.logs_bloom)
    for who in (*stage.bidders, stage.operator):
        assert there.account(who.address) == stage.chain.account(who.address)
    assert there.read(stage.auction.sale(auction)) == stage.read(stage.auction.sale(auction))


@pytest.mark.node
def test_a_block_takes_on_a_node_what_it_takes_in_process(node):
    """Room is what gas is left by execution, a failure is an outcome, and a stale block leaves nothing."""
    rich, other = (ChainKey.from_seed(bytes([number] * 32)) for number in (1, 2))
    genesis = Genesis(alloc={rich.address: ETH})
    outcomes = []
    for chain in (connect("evm", genesis), connect("rpc", genesis, address=node)):
        sent = [chain.sign(Call(other.address, b"", 1), rich, gas=limit) for limit in (50_000, 50_000, 50_000)]
        env = chain.next_block(1_700_000_100, gas_limit=100_000)
        waiting = [Candidate(each.raw, each.gas_limit) for each in sent] + [Candidate(None, 40_000)]
        stale = chain.build(env, waiting, keep=False)
        assert chain.account(other.address).balance == 0
        built = chain.build(env, waiting)
        assert built.taken == 3 and built.own == stale.own
        assert chain.account(other.address).balance == 3
        outcomes.append((built.own, built.taken, built.receipts_root))
        assert chain.receipt(sent[2].hash) == (1, built.own[2])
    assert outcomes[0] == outcomes[1]


@pytest.mark.node
def test_a_stage_can_be_played_on_a_node(node):
    """Estimates, revert names and results come from the node as well."""
    here, there = Stage(bidders=2), Stage(bidders=2, chain=lambda genesis: connect("rpc", genesis, address=node))
    for stage in (here, there):
        stage.sold([10**16, 2 * 10**16], [10**15, 2 * 10**15])
    assert here.gas == there.gas
    from flnft_sim.chain.errors import ContractRevert

    for stage in (here, there):
        with pytest.raises(ContractRevert, match="WrongStage"):
            stage.do(stage.auction.cancel(1), stage.stranger)


@pytest.mark.node
def test_another_chain_than_the_runs_is_told(node):
    with pytest.raises(NodeError, match="is on chain 1337, the run on chain 5"):
        connect("rpc", Genesis(chain_id=5), address=node)


def test_a_node_that_does_not_answer_is_told_in_seconds():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    began = time.monotonic()
    with pytest.raises(NodeError, match=f"no node answers at {address} .* `make chain-node`"):
        connect("rpc", Genesis(), address=address)
    assert time.monotonic() - began < 10
    with pytest.raises(NodeError, match="is none; give one such as"):
        connect("rpc", Genesis(), address="localhost:8545")


def test_a_node_without_a_clock_to_set_is_told():
    def answers(asked):
        return {"result": "0x539"} if asked["method"] == "eth_chainId" else refusal(asked)

    with served(answers) as public, pytest.raises(NodeError, match="does not let its clock be set"):
        connect("rpc", Genesis(), address=public)


def test_an_unknown_backend_is_told_and_the_model_is_none():
    with pytest.raises(UnknownNameError, match="unknown chain backend 'emv', did you mean 'evm'"):
        connect("emv", Genesis())
    assert connect("model", Genesis()) is None


WORDS = "test test test test test test test test test test test junk"  # every development node's


def test_keys_come_from_the_environment_alone():
    with pytest.raises(InputError, match="no key to sign with: set the environment variable FLNFT_MNEMONIC"):
        keys_from_environment(1, {})
    with pytest.raises(InputError, match="are no mnemonic") as fault:
        keys_from_environment(1, {"FLNFT_MNEMONIC": "secret words"})
    assert "secret words" not in str(fault.value)
    first, second = keys_from_environment(2, {"FLNFT_MNEMONIC": WORDS})
    # The first two accounts that anvil and Hardhat print when they start.
    assert first.address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert second.address == "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    assert "secret" not in repr(first) and first.secret.hex() not in repr(first)


def test_signing_tells_what_is_too_little():
    poor, rich = (ChainKey.from_seed(bytes([number] * 32)) for number in (1, 2))
    chain = connect("evm", Genesis(alloc={poor.address: 5, rich.address: ETH}))
    with pytest.raises(TransactionRefused, match="may cost 6 wei, its account holds 5; give it more money"):
        chain.sign(Call(rich.address, b"", 6, "a gift"), poor)
    with pytest.raises(TransactionRefused, match="a gift needs 21000 gas and is given 20999; give more"):
        chain.sign(Call(rich.address, b"", 1, "a gift"), rich, gas=20_999)
    with pytest.raises(TransactionRefused, match="may cost"):
        chain.sign(Call(poor.address, b"", 1), rich, gas_price=ETH)

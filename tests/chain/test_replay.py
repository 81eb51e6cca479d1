"""A ledger's blocks are executed again: whatever was altered is named by its block and field."""

import copy

import pytest
from stage import Stage

from flnft_sim.chain.backend import Candidate
from flnft_sim.chain.replay import replay
from flnft_sim.ledger.errors import VerificationError


@pytest.fixture(scope="module")
def ledger():
    """Genesis and blocks of an auction, as the ledger keeps them, with a refused clearing among them."""
    stage = Stage(bidders=2)
    auction, _, _ = stage.sold([10**16, 2 * 10**16], [10**15, 2 * 10**15])
    stage.settle(auction)
    chain = stage.chain
    again = chain.sign(stage.auction.cancel(auction), stage.stranger)
    chain.build(chain.next_block(stage.now + 1), [Candidate(again.raw, again.gas_limit)])
    return stage.genesis.to_dict(), [chain.block(number).to_dict() for number in range(1, chain.last.number + 1)]


def test_what_was_kept_holds_and_gives_the_final_state(ledger):
    genesis, blocks = ledger
    chain = replay(genesis, blocks)
    assert chain.engine.state_root().hex() == blocks[-1]["state_root"]
    assert blocks[-1]["status"] == [0]


def flip(text):
    return text[:-1] + ("0" if text[-1] != "0" else "1")


@pytest.mark.parametrize(
    ("field", "alter"),
    [
        ("state_root", flip),
        ("receipts_root", flip),
        ("logs_bloom", flip),
        ("gas_used", lambda gas: gas + 1),
        ("gas", lambda gas: [gas[0] - 1]),
        ("status", lambda status: [1 - status[0]]),
        ("raw", lambda raw: [flip(raw[0])]),
        ("raw", lambda raw: []),
        ("raw", lambda raw: raw * 2),
        ("raw", lambda raw: ["zz"]),
        # A later time that changes nothing is for the hash over the ledger's block to find.
        ("timestamp", lambda time: 0),
        ("number", lambda number: number + 1),
        ("prev_randao", lambda randao: None),
    ],
)
@pytest.mark.parametrize("number", [3, 6])
def test_whatever_is_altered_is_named_with_its_block(ledger, number, field, alter):
    genesis, blocks = copy.deepcopy(ledger)
    number = min(number, len(blocks))
    block = blocks[number - 1]
    block[field] = alter(block[field])
    with pytest.raises(VerificationError, match=f"block {number} of the chain") as fault:
        replay(genesis, blocks[:number])
    assert "\n" not in str(fault.value)


def test_an_altered_genesis_is_named(ledger):
    genesis, blocks = copy.deepcopy(ledger)
    account = next(iter(genesis["alloc"]))
    with pytest.raises(VerificationError, match="block 1 of the chain: its state_root"):
        replay(genesis | {"alloc": {**genesis["alloc"], account: 10**20 + 1}}, blocks)
    with pytest.raises(VerificationError, match="genesis names the contract FlNft by SHA-256"):
        replay(genesis | {"artifacts": {**genesis["artifacts"], "FlNft": "0" * 64}}, blocks)
    with pytest.raises(VerificationError, match="genesis is none"):
        replay({"alloc": 5}, blocks)
    with pytest.raises(VerificationError, match="block 1 of the chain"):
        replay(genesis | {"chain_id": 5}, blocks)


def test_the_same_seed_gives_the_same_bytes(ledger):
    _, blocks = ledger
    stage = Stage(bidders=2)
    stage.sold([10**16, 2 * 10**16], [10**15, 2 * 10**15])
    assert [stage.chain.block(number).to_dict() for number in range(1, stage.chain.last.number + 1)] == blocks[
        : stage.chain.last.number
    ]

"""What Python knows of the contracts: calls, keys, shares; and a sentence for what no contract could take."""

import numpy as np
import pytest
from stage import BOX, DRAW, Stage, key

from flnft_sim.chain.backend import Genesis, block_time, connect
from flnft_sim.chain.contracts import MuDao, SealedAuction, portions
from flnft_sim.chain.errors import ContractRevert, TransactionRefused
from flnft_sim.chain.keys import ChainKey, chain_key_of
from flnft_sim.chain.limits import MAX_BIDS
from flnft_sim.chain.merkle import ShareTree
from flnft_sim.chain.transactions import MOST_GAS, declared_gas
from flnft_sim.errors import InputError
from flnft_sim.streams import Streams


def test_a_call_that_is_given_less_gas_than_it_takes_is_refused():
    stage = Stage(bidders=1, daos=1)
    mint = stage.nft.mint(stage.daos[0].address, DRAW, DRAW, 5)
    with pytest.raises(TransactionRefused, match=r"FlNft\.mint needs 1\d\d\d\d\d gas and is given 50000; give more"):
        stage.chain.sign(mint, stage.stranger, gas=50_000)
    sent = stage.chain.sign(mint, stage.stranger)
    assert sent.gas_limit < MOST_GAS == declared_gas(MOST_GAS)


def test_more_bids_or_voters_than_a_contract_holds_are_a_sentence():
    with pytest.raises(InputError, match="an order of 257 winners: an auction holds 256 bids"):
        SealedAuction("0x" + "12" * 20).clear(1, DRAW, bytes(257))
    with pytest.raises(InputError, match="a DAO of 257 members votes on chain with at most 256"):
        MuDao.deploy(["0x" + "12" * 20] * 257)
    assert [len(some) for some in portions(range(250))] == [100, 100, 50]


@pytest.mark.slow
def test_the_257th_bid_is_refused():
    stage = Stage(bidders=MAX_BIDS + 1)
    auction = stage.announce()
    for bidder in stage.bidders[:-1]:
        stage.do(stage.auction.bid(auction, DRAW, BOX, escrow=1), bidder)
    with pytest.raises(ContractRevert, match="Full"):
        stage.do(stage.auction.bid(auction, DRAW, BOX, escrow=1), stage.bidders[-1])
    stage.do(stage.auction.bid(auction, DRAW, BOX, escrow=1), stage.bidders[0])  # who is in may still bid more


def test_keys_follow_from_a_stream_of_their_own_and_sign_the_same_bytes():
    one, other = (chain_key_of(Streams(7), "user", number) for number in (0, 1))
    assert one == chain_key_of(Streams(7), "user", 0) != other
    fields = {"chainId": 1, "nonce": 0, "gas": 21_000, "gasPrice": 0, "value": 0, "data": b"", "to": other.address}
    assert one.sign(fields) == one.sign(fields) != other.sign(fields)
    assert ChainKey.from_seed(np.random.SeedSequence(3)) == ChainKey.from_seed(np.random.SeedSequence(3))
    with pytest.raises(InputError, match="exactly 32"):
        ChainKey.from_seed(b"short")
    # The address of secret 1, which every wallet knows.
    assert ChainKey.from_hex("0x" + "1".zfill(64)).address == "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"


def test_nonces_are_given_in_the_order_of_signing():
    rich = key("rich")
    chain = connect("evm", Genesis(alloc={rich.address: 10**18}))
    calls = [chain.sign(SealedAuction.deploy(rich.address), rich) for _ in range(3)]
    assert [sent.nonce for sent in calls] == [0, 1, 2]
    assert len({sent.creates for sent in calls}) == 3


def test_block_times_are_whole_seconds_from_the_epoch_on():
    assert [block_time(time_s) - block_time(0) for time_s in (0.0, 0.001, 1.0, 1.5)] == [0, 1, 1, 2]


def test_shares_need_weights():
    with pytest.raises(InputError, match="all shares weigh 0"):
        ShareTree(["0x" + "12" * 20], [0])
    with pytest.raises(InputError, match="2 members and 1 weights"):
        ShareTree(["0x" + "12" * 20] * 2, [1])
    with pytest.raises(InputError, match="the weight of member 0 is -1"):
        ShareTree(["0x" + "12" * 20], [-1])

"""Lots among equal reports: from a draw that was sealed beforehand, as the auction contract draws them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.ledger.keccak import keccak
from flnft_sim.market import Lots, clear, seal_of_draw
from flnft_sim.market.clearing import sorted_book

DRAW = bytes(range(32))
addresses = st.lists(st.binary(min_size=20, max_size=20), min_size=2, max_size=8, unique=True)


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        (b"Transfer(address,address,uint256)", "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"),
    ],
)
def test_keccak_is_ethereums_and_not_sha3(data, digest):
    assert keccak(data).hex() == digest


@given(addresses)
def test_equal_bids_win_in_the_order_of_their_lots(bidders):
    lots = Lots.sealed(DRAW, bidders=bidders, tokens=[1])
    result = clear("pms-am", [5.0] * len(bidders), [1.0], reserve=2.0, lots=lots)
    words = [int.from_bytes(keccak(DRAW + bytes(12) + bidder), "big") for bidder in bidders]
    assert result.buyers.tolist() == sorted(range(len(bidders)), key=words.__getitem__)
    assert result.seed is None


def test_of_equal_asks_the_token_with_the_smaller_lot_sells_and_another_draw_decides_otherwise():
    def seller(draw):
        lots = Lots.sealed(draw, bidders=[bytes(20)], tokens=[7, 8])
        return clear("pms-am", [5.0], [1.0, 1.0], reserve=2.0, lots=lots).sellers.tolist()

    for draw in (DRAW, DRAW[::-1], bytes(32)):
        first, second = (keccak(draw + token.to_bytes(32, "big")) for token in (7, 8))
        assert seller(draw) == [0 if first < second else 1]
    assert {seller(bytes([each] * 32))[0] for each in range(9)} == {0, 1}


@given(addresses, st.data())
def test_who_is_named_first_does_not_matter(bidders, data):
    bids = data.draw(st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=len(bidders), max_size=len(bidders)))
    order = data.draw(st.permutations(range(len(bidders))))

    def winners(places):
        lots = Lots.sealed(DRAW, bidders=[bidders[place] for place in places], tokens=[1])
        result = clear("pms-am", [bids[place] for place in places], [1.0], reserve=2.0, lots=lots)
        return [bidders[places[winner]] for winner in result.buyers]

    assert winners(order) == winners(range(len(bidders)))


def test_lots_are_drawn_for_who_asks_alone():
    lots = Lots.sealed(DRAW, bidders=[bytes([each] * 20) for each in range(4)], tokens=[7, 8]).of_bids(np.arange(3))
    clear("pms-am", [4.0, 5.0, 6.0], [1.0, 2.0], reserve=2.0, lots=lots)
    assert not {"bids", "asks"} & set(vars(lots))
    clear("pms-am", [4.0, 6.0, 6.0], [1.0, 2.0], reserve=2.0, lots=lots)
    assert {"bids", "asks"} <= set(vars(lots))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_a_market_without_equal_reports_is_sorted_as_one_with_them(bids, asks):
    lots, reserve = Lots.drawn(3, len(bids), len(asks)), np.array(5.0)
    alone = sorted_book(np.array(bids, float), np.array(asks, float), reserve, lots)
    stacked = sorted_book(np.array([bids], float), np.array([asks], float), reserve[None], lots)
    assert [order.tolist() for order in alone[1:]] == [order[0].tolist() for order in stacked[1:]]
    for name in ("bids", "asks", "bid_lots", "ask_lots", "side"):
        assert getattr(alone[0], name).tolist() == getattr(stacked[0], name)[0].tolist(), name


def test_lots_of_a_few_bids_keep_their_order():
    lots = Lots(bids=np.array([2, 0, 1]), asks=np.array([0]))
    assert lots.of_bids(np.array([0, 2])).bids.tolist() == [2, 1]
    assert lots.of_bids(np.array([True, False, True])).counts == (2, 1)
    with pytest.raises(IndexError):
        lots.of_bids(np.array([9]))
    assert clear("pms-am", [5, 5], [1], reserve=2.0, lots=lots.of_bids(np.array([0, 2]))).buyers.tolist() == [1, 0]
    with pytest.raises(InputError, match="3 and 1 lots meet 2 bids and 1 asks"):
        clear("pms-am", [5, 5], [1], reserve=2.0, lots=lots)


def test_a_seal_tells_nothing_and_binds():
    assert seal_of_draw(DRAW) == keccak(DRAW) != seal_of_draw(DRAW[::-1])

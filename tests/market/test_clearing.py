"""Clearing rules against their definitions, brute force and closed forms."""

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import UnknownNameError
from flnft_sim.market import RULES, InvalidOutcome, InvalidReport, NoTrade, clear
from flnft_sim.market.rules import OrderBook, Outcome

SHIPPED = ("first-price", "mcafee", "pms-am", "pms-am-literal", "random", "uniform", "vcg")


money = st.one_of(st.integers(0, 12).map(float), st.floats(0, 1e6, allow_subnormal=False))
markets = st.tuples(
    st.lists(money, min_size=1, max_size=7),
    st.lists(money, min_size=1, max_size=5),
    st.one_of(st.just(np.inf), money),
    st.integers(0, 5),
)


def first_best(bids, asks):
    return sum(max(b - min(asks), 0.0) for b in bids)


@given(markets)
def test_pms_am_is_one_price_for_all_who_bid_it(market):
    bids, asks, reserve, seed = market
    result = clear("pms-am", bids, asks, reserve=reserve, seed=seed)
    price = min(sorted(asks)[1] if len(asks) > 1 else np.inf, reserve)
    winners = [i for i, b in enumerate(bids) if b >= price and min(asks) <= price and price < np.inf]
    assert sorted(result.buyers) == winners
    assert list(result.payments) == [price if i in winners else 0 for i in range(len(bids))]
    assert result.surplus == 0
    if winners:
        (seller,) = result.sellers
        assert asks[seller] == min(asks)
        assert result.receipts[seller] == pytest.approx(price * len(winners))
        assert result.licences[seller] == len(winners)
        assert (result.price, result.reason) == (price, None)
    else:
        assert result.price is None and result.reason in NoTrade


@given(markets)
def test_mcafee_follows_the_published_case_distinction(market):
    bids, asks, _, seed = market
    result = clear("mcafee", bids, asks, seed=seed)
    b, s = sorted(bids, reverse=True), sorted(asks)
    k = max((i for i in range(1, min(len(b), len(s)) + 1) if b[i - 1] >= s[i - 1]), default=0)
    if 0 < k < min(len(b), len(s)) and s[k - 1] <= (b[k] + s[k]) / 2 <= b[k - 1]:
        pairs, pays, gets = k, (b[k] + s[k]) / 2, (b[k] + s[k]) / 2
    else:
        pairs, pays, gets = max(k - 1, 0), b[k - 1], s[k - 1]
    assert len(result.buyers) == len(result.sellers) == pairs
    assert sorted(result.payments) == pytest.approx([0] * (len(b) - pairs) + [pays] * pairs)
    assert sorted(result.receipts) == pytest.approx([0] * (len(s) - pairs) + [gets] * pairs)
    assert result.surplus >= -1e-9 * max(b)


@given(markets)
def test_literal_rule_pays_the_next_report(market):
    bids, asks, _, seed = market
    result = clear("pms-am-literal", bids, asks, seed=seed)
    b, s = sorted(bids, reverse=True), sorted(asks)
    k = max((i for i in range(1, min(len(b), len(s)) + 1) if b[i - 1] >= s[i - 1]), default=0)
    assert len(result.buyers) == k
    if k:
        assert set(result.payments[result.buyers]) == {b[k] if k < len(b) else b[k - 1]}
        assert result.receipts.sum() == (s[1] if len(s) > 1 else s[0])


@given(markets)
def test_vcg_is_efficient_and_pays_clarke(market):
    """Clarke payments computed from the definition: what the others lose by one's presence."""
    bids, asks, reserve, seed = market
    result = clear("vcg", bids, asks, reserve=reserve, seed=seed)
    welfare = first_best(bids, asks)
    value = sum(bids[i] for i in result.buyers)  # what everybody but the selling DAO has from the allocation
    assert value - min(asks) * len(result.buyers) == pytest.approx(welfare, abs=1e-6)
    for i in result.buyers:
        without = first_best(bids[:i] + bids[i + 1 :], asks)
        assert result.payments[i] == pytest.approx(without - (welfare - bids[i]), abs=1e-6)
    for i in result.sellers:
        without = first_best(bids, asks[:i] + asks[i + 1 :] or [np.inf])
        assert result.receipts[i] == pytest.approx(value - without, abs=1e-6)
    assert result.surplus <= 1e-6


@given(markets)
def test_uniform_price_clears_the_market(market):
    bids, asks, reserve, seed = market
    result = clear("uniform", bids, asks, reserve=reserve, seed=seed)
    if result.price is not None:
        assert min(asks) <= result.price <= min(bids[i] for i in result.buyers)
        assert len(result.buyers) == sum(b >= min(asks) for b in bids)  # efficient
        assert len(set(result.payments[result.buyers])) == 1
        assert sum(a < result.price for a in asks) <= 1  # at this price no other DAO wants to sell
        assert result.surplus == 0


@given(markets)
def test_first_price_winners_pay_their_bids_to_the_cheapest_dao(market):
    bids, asks, reserve, seed = market
    result = clear("first-price", bids, asks, reserve=reserve, seed=seed)
    winners = [i for i, b in enumerate(bids) if b >= min(asks)]
    assert sorted(result.buyers) == winners
    assert result.receipts.sum() == pytest.approx(sum(bids[i] for i in winners))


def test_lottery_is_fair_at_the_reserve():
    wins = sum(
        np.bincount(clear("random", [5.0] * 4, [1.0, 1.0], reserve=3.0, seed=s).buyers, minlength=4) for s in range(400)
    )
    assert wins.sum() == 800
    assert wins.min() > 150  # each is drawn with probability 1/2: 200 ± 10
    single = clear("random", [5.0], [1.0], reserve=3.0)
    assert (single.price, single.receipts.tolist()) == (3.0, [3.0])


def test_ties_are_drawn_for_by_the_seed_and_recorded():
    first = [int(clear("mcafee", [5, 5, 5], [1, 1, 9], seed=s).drawn_buyers[0]) for s in range(300)]
    counts = np.bincount(first, minlength=3)
    assert counts.min() > 60  # 100 ± 8 each
    result = clear("mcafee", [5, 5, 4, 5], [1, 2, 2], seed=3)
    assert sorted(result.drawn_buyers) == [0, 1, 3]
    assert sorted(result.drawn_sellers) == [1, 2]
    assert result.seed == 3
    assert list(result.buyers) == list(result.drawn_buyers[: result.buyers.size])


@pytest.mark.parametrize(
    ("bids", "asks", "reserve", "reason"),
    [
        ([], [1.0], np.inf, NoTrade.NO_BIDS),
        ([1.0], [], np.inf, NoTrade.NO_ASKS),
        ([1.0], [2.0], np.inf, NoTrade.BIDS_TOO_LOW),
        ([9.0], [2.0], 1.0, NoTrade.ASKS_ABOVE_RESERVE),
        ([9.0], [2.0], np.inf, NoTrade.NO_RESERVE),
        ([3.0], [2.0, 4.0], np.inf, NoTrade.PRICE_TOO_HIGH),
    ],
)
def test_no_trade_says_why(bids, asks, reserve, reason):
    result = clear("pms-am", bids, asks, reserve=reserve)
    assert (result.reason, result.buyers.size, result.price, result.surplus) == (reason, 0, None, 0.0)


@pytest.mark.parametrize(
    "bad", [[np.nan], [np.inf], [-1.0], ["ten"], [None], [[1.0, 2.0]], [[1.0], [1.0, 2.0]], [True]]
)
def test_reports_that_are_no_money_are_named_on_either_side(bad):
    with pytest.raises(InvalidReport, match="bid"):
        clear("pms-am", bad, [1.0])
    with pytest.raises(InvalidReport, match="ask"):
        clear("pms-am", [1.0], bad)


@pytest.mark.parametrize("reserve", [np.nan, -1.0, "high", None])
def test_reserves_that_are_no_money_are_named(reserve):
    with pytest.raises(InvalidReport, match="reserve"):
        clear("pms-am", [1.0], [1.0], reserve=reserve)


def test_an_unknown_rule_is_answered_with_the_closest():
    with pytest.raises(UnknownNameError, match="did you mean 'mcafee'"):
        clear("macafee", [1.0], [1.0])


def test_a_rule_that_oversells_is_stopped(monkeypatch):
    def oversell(book: OrderBook) -> Outcome:
        everyone = np.ones(book.bids.shape, bool)
        return Outcome(everyone, book.bids, np.zeros(book.asks.shape, int), np.zeros(book.asks.shape))

    monkeypatch.setitem(RULES._parts, "oversell", oversell)
    with pytest.raises(InvalidOutcome, match="lets 2 providers win, but its DAOs grant 0 licences"):
        clear("oversell", [1.0, 2.0], [1.0])


def test_the_worked_example_of_the_printed_rule():
    """By hand: worth 6, the second buyer loses when truthful, and bidding 7.5 it wins and pays 5."""
    honest = clear("pms-am-literal", [10, 6, 5], [1, 7, 8])
    assert honest.buyers.tolist() == [0]
    assert (honest.payments.tolist(), honest.surplus) == ([6, 0, 0], -1)  # the DAO gets 7: a deficit
    lying = clear("pms-am-literal", [10, 7.5, 5], [1, 7, 8])
    assert lying.buyers.tolist() == [0, 1]
    assert lying.payments.tolist() == [5, 5, 0]
    for bid in (6, 7.5):
        assert clear("pms-am", [10, bid, 5], [1, 7, 8]).payments.tolist() == [7, 7 * (bid > 7), 0]


def test_a_million_bids_clear_within_a_second():
    bids = np.random.default_rng(0).random(1_000_000)
    for rule, asks in product(("pms-am", "mcafee"), ([0.2, 0.4, 0.5],)):
        start = time.process_time()
        clear(rule, bids, asks)
        assert time.process_time() - start < 1.0

"""Rules on total asks against their definitions, exact values by fractions, and what they promise."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim.ledger.accounts import Accounts
from flnft_sim.market import (
    RULES,
    InvalidReport,
    NoTrade,
    RuleFacts,
    clear,
    facts_of,
    payments_in_units,
    settle,
    share_setter,
)
from flnft_sim.market.rules.myerson import MyersonOptions, best_price_of
from flnft_sim.scenario import ScenarioError, load_scenario
from flnft_sim.scenario.asks import asks_of, fitting_rules

GIVEN = json.loads((Path(__file__).parent / "cost_sharing_values.json").read_text())
TOTALS = ("cost-sharing", "myerson", "rsop", "rspe")

few = settings(max_examples=40)
whole = st.integers(0, 12)
books = st.tuples(st.lists(whole, min_size=1, max_size=6), st.lists(whole, min_size=1, max_size=4))
reserves = st.one_of(st.just(np.inf), whole.map(float))


@pytest.mark.parametrize("case", GIVEN["instances"], ids=lambda case: case["name"])
def test_the_given_instances(case):
    reserve = np.inf if case["reserve_total"] is None else case["reserve_total"]
    result = clear(case["rule"], case["bids"], case["total_asks"], reserve=reserve, side=case["side"])
    near = GIVEN["tolerance"]
    assert sorted(result.buyers) == case["winners"]
    np.testing.assert_allclose(result.payments, case["payments"], atol=near)
    np.testing.assert_allclose(sorted(result.receipts), sorted(case["receipts"]), atol=near)
    assert result.surplus == pytest.approx(case["surplus"], abs=near)
    assert result.reason == case["reason"]


def largest_group(bids, target):
    """How many share `target`, by fractions and from the definition; 0 where nobody can."""
    descending = sorted(map(Fraction, bids), reverse=True)
    return max((k for k in range(1, len(bids) + 1) if descending[k - 1] >= Fraction(target) / k), default=0)


@few
@given(books, reserves, st.integers(0, 5))
def test_cost_sharing_is_the_largest_group_that_covers_the_target(book, reserve, seed):
    bids, asks = book
    result = clear("cost-sharing", bids, asks, reserve=reserve, seed=seed)
    target = min(sorted(asks)[1] if len(asks) > 1 else np.inf, reserve)
    k = largest_group(bids, int(target)) if np.isfinite(target) and min(asks) <= target else 0
    assert len(result.buyers) == k
    assert result.surplus == 0
    if k:
        assert {i for i, b in enumerate(bids) if b * k >= target} == set(result.buyers)
        np.testing.assert_allclose(result.payments[result.buyers], target / k)
        assert result.receipts.sum() == pytest.approx(target)
        assert asks[int(result.sellers[0])] == min(asks)
    elif len(asks) == 1 and np.isinf(reserve):
        assert result.reason == NoTrade.NO_TARGET
    elif min(asks) > reserve:
        assert result.reason == NoTrade.ASKS_ABOVE_RESERVE
    else:
        assert result.reason == NoTrade.TARGET_TOO_HIGH


def best_price(bids):
    """The best single price of a half, from the definition; None for an empty one."""
    return max(bids, key=lambda p: (p * sum(b >= p for b in bids), p), default=None)


@few
@given(books, st.data())
def test_each_half_faces_what_the_other_shows(book, data):
    bids, asks = book
    side = data.draw(st.lists(st.booleans(), min_size=len(bids), max_size=len(bids)))
    price_result = clear("rsop", bids, asks, side=side)
    extraction = clear("rspe", bids, asks, side=side)
    for half in (True, False):
        mine = [i for i, s in enumerate(side) if s is half]
        others = [b for b, s in zip(bids, side, strict=True) if s is not half]
        price = best_price(others)
        takers = [i for i in mine if price is not None and bids[i] >= price]
        assert set(takers) == set(mine) & set(price_result.buyers)
        assert all(price_result.payments[i] == price for i in takers)
        revenue = None if price is None else price * sum(b >= price for b in others)
        k = 0 if revenue is None else largest_group([bids[i] for i in mine], revenue)
        sharing = [i for i in mine if k and bids[i] * k >= revenue]
        assert set(sharing) == set(mine) & set(extraction.buyers)
        np.testing.assert_allclose(extraction.payments[sharing], revenue / k if k else 0.0)
    for result in (price_result, extraction):
        assert result.surplus == 0
        assert result.receipts[asks.index(min(asks))] >= 0 and np.count_nonzero(result.receipts) <= 1
        if all(side) or not any(side):
            assert result.reason == NoTrade.EMPTY_HALF


@few
@given(books, reserves, st.sampled_from(("cost-sharing", "rsop", "rspe")), st.data())
def test_no_lie_of_a_bidder_pays_and_nobody_loses(book, reserve, rule, data):
    """With the draw, hence the halves, as they are: a lot is drawn before anybody reports."""
    bids, asks = book
    liar, lie = data.draw(st.integers(0, len(bids) - 1)), data.draw(st.integers(0, 14))

    def utility(report):
        reports = [report if i == liar else b for i, b in enumerate(bids)]
        result = clear(rule, reports, asks, reserve=reserve, seed=3)
        return (bids[liar] if liar in result.buyers else 0) - result.payments[liar]

    honest = utility(bids[liar])
    assert honest >= -1e-9
    assert utility(lie) <= honest + 1e-9


@few
@given(books, reserves, st.data())
def test_no_lie_of_a_dao_pays_where_the_target_is_its_rivals(book, reserve, data):
    bids, costs = book
    liar, lie = data.draw(st.integers(0, len(costs) - 1)), data.draw(st.integers(0, 14))

    def utility(report):
        asks = [report if i == liar else cost for i, cost in enumerate(costs)]
        result = clear("cost-sharing", bids, asks, reserve=reserve, seed=3)
        return result.receipts[liar] - costs[liar] * (liar in result.sellers)

    assert utility(costs[liar]) >= -1e-9
    assert utility(lie) <= utility(costs[liar]) + 1e-9


@few
@given(st.lists(whole, min_size=1, max_size=6), whole, st.integers(1, 20))
def test_shares_only_fall_as_more_take_part(bids, newcomer, target):
    """Cross-monotone: nobody who shares loses by another bidder, and pays no more."""
    before = clear("cost-sharing", bids, [0, target])
    after = clear("cost-sharing", [*bids, newcomer], [0, target])
    assert set(before.buyers) <= set(after.buyers)
    assert all(after.payments[i] <= before.payments[i] + 1e-12 for i in before.buyers)


@few
@given(books, reserves, st.randoms(use_true_random=False))
def test_who_stands_where_does_not_matter(book, reserve, random):
    bids, asks = book
    order = random.sample(range(len(bids)), len(bids))
    result = clear("cost-sharing", bids, asks, reserve=reserve)
    moved = clear("cost-sharing", [bids[i] for i in order], asks, reserve=reserve)
    np.testing.assert_allclose(moved.payments, result.payments[order])


def test_a_share_of_decimals_that_are_none_in_binary_counts():
    assert 3 * 0.7 < 2.1  # in floats
    assert clear("cost-sharing", [0.7, 0.7, 0.7], [1.0, 2.1]).buyers.size == 3
    assert clear("rsop", [0.3, 0.1, 0.1, 0.5], [0.0], side=[True, True, True, False]).payments.tolist() == [
        0,
        0,
        0,
        0.3,
    ]


def test_calling_rsop_off_below_the_ask_would_break_truth():
    """Worth 9.535, a bidder alone in its half takes the other's price 0.786 — if the trade is not called off.

    Called off at receipts below the ask of 1.469, it wins by a lie: bidding 0.786 it still takes its price, and now the
    other half takes the price that it is offered, so that the receipts reach the ask.
    """
    bids, ask, side = [9.535, 0.786], 1.469, [True, False]
    honest = clear("rsop", bids, [ask], side=side)
    assert honest.payments.tolist() == [0.786, 0.0]
    assert honest.receipts[0] < ask

    def called_off(report):
        """Utility of the first bidder under the rule that calls off what stays below the ask."""
        result = clear("rsop", [report, bids[1]], [ask], side=side)
        if result.receipts[0] < ask or 0 not in result.buyers:
            return 0.0
        return bids[0] - result.payments[0]

    assert called_off(bids[0]) == 0.0
    assert called_off(0.786) == pytest.approx(bids[0] - 0.786)  # both pay 0.786, 1.572 in all


@pytest.mark.parametrize(
    ("told", "price"),
    [
        ({"value_law": "uniform", "value_range_money": (0.0, 10.0)}, 5.0),
        ({"value_law": "uniform", "value_range_money": (6.0, 10.0)}, 6.0),
        ({"value_law": "exponential", "value_mean_money": 4.0}, 4.0),
        ({"value_law": "learned", "value_range_money": (0.0, 10.0)}, 5.0),
        ({"value_law": "learned", "past_bids": (9.0, 4.0, 4.0, 1.0)}, 4.0),
    ],
)
def test_the_posted_price_is_the_best_for_the_law_of_values(told, price):
    told = MyersonOptions(**told)
    result = clear("myerson", [11, price, price - 0.01], [7, 3], settings=told)
    assert sorted(result.buyers) == [0, 1]
    assert result.payments.tolist() == [price, price, 0.0]
    assert result.receipts.tolist() == [0.0, 2 * price]


@few
@given(st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_the_learned_price_is_the_best_there_was(values):
    assert best_price_of(values) == best_price(values)


@few
@given(st.integers(1, 10**13), st.integers(1, 9))
def test_shares_are_paid_in_whole_units_and_never_above_the_share(target_units, k):
    money = target_units / 1_000_000
    cleared = clear("cost-sharing", [money] * k, [0.0, money])
    assert payments_in_units(cleared) == [target_units // k] * k


def test_the_pot_is_what_is_paid():
    accounts = Accounts()
    names = ["a", "b", "c"]
    for name in (*names, "dao", "other", "auctioneer"):
        accounts.open(name, 50_000_000 if name in names else 0)
    for name in names:
        accounts.escrow(name, "auction", 50_000_000)
    cleared = clear("cost-sharing", [9, 8, 7], [1, 10], seed=1)
    moved = settle(
        accounts,
        cleared,
        auction_id="auction",
        buyers=names,
        sellers=["dao", "other"],
        claims={},
        auctioneer="auctioneer",
    )
    assert moved.payments == dict.fromkeys(names, 3_333_333)
    assert moved.receipts == {"dao": 9_999_999}
    assert moved.auctioneer_units == 0
    assert sum(moved.refunds.values()) == 150_000_000 - 9_999_999


def test_halves_are_even_drawn_by_the_seed_and_named_where_wrong():
    wins = [frozenset(clear("rsop", [5, 4, 3, 2, 1], [1], seed=seed).buyers.tolist()) for seed in range(40)]
    assert len(set(wins)) > 1
    with pytest.raises(InvalidReport, match="side has shape"):
        clear("rsop", [1, 2, 3], [1], side=[True])
    with pytest.raises(InvalidReport, match="give true or false"):
        clear("rsop", [1, 2], [1], side=[0, 1])


@pytest.mark.parametrize("rule", TOTALS)
def test_a_rule_on_totals_is_refused_where_asks_are_per_licence(rule):
    with pytest.raises(ScenarioError, match=rf"market.*rule = {rule} clears asks for the whole model.*such as pms-am"):
        load_scenario("tiny", overrides={"market.rule": rule})


def test_what_scenarios_know_of_asks_is_what_the_rules_declare():
    for rule in filter(RULES.ships, RULES):
        assert facts_of(rule).asks == asks_of(RULES, rule), rule
    assert {rule for rule in RULES if asks_of(RULES, rule) == "total"} == set(TOTALS)


def test_a_mechanism_is_offered_the_rules_that_fit_it():
    assert set(fitting_rules("paper")) == set(RULES) - set(TOTALS)


@pytest.mark.parametrize(
    ("rule", "bids", "asks", "reserve", "told"),
    [
        ("cost-sharing", [12, 9, 8, 3], [14, 24], np.inf, "the second-lowest ask, shared equally"),
        ("cost-sharing", [7, 7, 7], [9, 40], 20.0, "the reserve, shared equally"),
        ("cost-sharing", [30, 2], [9, 29], np.inf, "the second-lowest ask"),
        ("rsop", [6, 6, 6, 6, 6, 6], [1], np.inf, "prices that no ask sets"),
        ("myerson", [60, 70], [1, 2], np.inf, "prices that no ask sets"),
        ("cost-sharing", [1], [9, 29], np.inf, ""),
    ],
)
def test_what_set_a_share_is_told(rule, bids, asks, reserve, told):
    cleared = clear(rule, bids, asks, reserve=reserve)
    assert share_setter(cleared.payments[cleared.buyers], asks, reserve) == told


def test_a_rule_of_ones_own_declares_its_asks():
    RULES.register("my-shares", facts=RuleFacts(asks="total"))(RULES.get("cost-sharing"))
    try:
        with pytest.raises(ScenarioError, match="rule = my-shares clears asks for the whole model"):
            load_scenario("tiny", overrides={"market.rule": "my-shares"})
        assert payments_in_units(clear("my-shares", [1, 1, 1], [0, 1])) == [333_333] * 3
    finally:
        RULES.forget("my-shares")

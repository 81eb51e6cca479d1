"""Voting, matching, the ask of a licence, reserves, rebids and licences."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.ledger.accounts import Accounts
from flnft_sim.market import Licences, ask_per_licence, clear, learned_reserve, match, price_setter, rebid_step, vote
from flnft_sim.market.voting import VOTING, threshold

rewards = st.lists(st.floats(0.01, 1e6), min_size=2, max_size=9)


@given(rewards, st.floats(1.2, 100), st.data())
def test_inflated_asks_fall_and_honest_ones_stand(estimates, inflation, data):
    """Everybody knows what everybody earns (δ is broadcast within the DAO), so only the truth finds a majority."""
    inflated = np.array(data.draw(st.lists(st.booleans(), min_size=len(estimates), max_size=len(estimates))))
    asks = np.where(inflated, np.array(estimates) * inflation, estimates)
    result = vote(asks, estimates, tolerance=0.1)
    assert (result.approved == ~inflated).all()
    assert result.total_ask == pytest.approx(np.sum(np.array(estimates)[~inflated]))
    assert (result.claims[inflated] == 0).all()


@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_votes_are_counted_as_eq_34_says(users, seed):
    """Against the definition, voter by voter; the own vote does not count, and one estimate for all is a row."""
    rng = np.random.default_rng(seed)
    asks, estimates = rng.random(users), rng.random((users, users))
    result = vote(asks, estimates)
    for i in range(users):
        approvals = sum(asks[i] <= estimates[j, i] for j in range(users) if j != i)
        assert result.approvals[i] == approvals
        assert result.approved[i] == (approvals >= users / 2 or users == 1)
        assert result.approved[i] == (approvals > (users - 1) / 2 or users == 1)  # a strict majority of the others
    shared = vote(asks, np.tile(estimates[0], (users, 1)))
    np.testing.assert_array_equal(vote(asks, estimates[0]).claims, shared.claims)


@pytest.mark.parametrize("rule", ["majority", "two-thirds"])
def test_a_rule_is_told_in_one_number_of_approvals(rule):
    """As a contract counts: from that many on an ask stands, by no fewer."""
    for users in range(2, 60):
        approvals = np.arange(users)
        assert ((approvals >= threshold(rule, users)) == VOTING.get(rule)(approvals, users)).all()
    assert threshold(rule, 1) == 0  # a DAO of one has nobody to object


def test_another_voting_rule_needs_more():
    asks, estimates = [2.0, 0, 0, 0, 0], np.ones((5, 5)) * 3
    estimates[3:, 0] = 1  # two of four object to the first ask
    assert not vote(asks, estimates).approved[0]  # 2 of 4 is no strict majority
    estimates[4, 0] = 3
    assert vote(asks, estimates).approved[0]
    estimates = np.vstack([np.ones((4, 4)) * 3])
    estimates[3, 0] = 1
    assert vote([2.0, 0, 0, 0], estimates, rule="two-thirds").approved[0]  # 2 of 3
    estimates[2, 0] = 1
    assert not vote([2.0, 0, 0, 0], estimates, rule="two-thirds").approved[0]


def test_a_vote_that_makes_no_sense_is_named():
    with pytest.raises(InputError, match="asks meet"):
        vote([1.0, 2.0], [1.0])
    with pytest.raises(InputError, match="an ask in the vote"):
        vote([np.nan], [1.0])
    with pytest.raises(InputError, match="an estimate in the vote"):
        vote([1.0], [-1.0])
    with pytest.raises(InputError, match="tolerance"):
        vote([1.0], [1.0], tolerance=-0.1)
    with pytest.raises(UnknownNameError, match="did you mean 'majority'"):
        vote([1.0], [1.0], rule="majorty")


def test_groups_hold_who_sells_and_who_wants_a_category():
    result = match(["art", "maps", "art", "music"], [["art"], ["maps", "art"], ["chess"], []])
    assert [(g.category, g.sellers, g.buyers) for g in result.groups] == [
        ("art", (0, 2), (0, 1)),
        ("maps", (1,), (1,)),
    ]
    assert result.unmatched_sellers == (3,)
    assert result.unmatched_buyers == (2, 3)


categories = st.sampled_from("abcde")


@given(st.lists(categories, max_size=5), st.lists(st.lists(categories, max_size=4), max_size=6), st.integers(1, 3))
def test_a_limited_buyer_covers_as_many_categories_as_possible(sellers, demands, limit):
    result = match(sellers, demands, groups_per_buyer=limit)
    for buyer, demand in enumerate(demands):
        mine = [g.category for g in result.groups if buyer in g.buyers]
        wanted = {c for c in demand if c in sellers}
        assert set(mine) <= wanted
        assert len(mine) == min(limit, len(wanted))
    assert len(result.groups) == most_covered(sorted(set(sellers)), demands, limit)
    everyone = {i for g in result.groups for i in g.sellers} | set(result.unmatched_sellers)
    assert everyone == set(range(len(sellers)))


def most_covered(offered, demands, limit):
    """Brute force: the largest set of categories that buyers can cover, each at most `limit` of them."""

    def covered(rest, capacity):
        if not rest:
            return 0
        best = covered(rest[1:], capacity)
        for buyer, demand in enumerate(demands):
            if rest[0] in demand and capacity[buyer]:
                left = [*capacity[:buyer], capacity[buyer] - 1, *capacity[buyer + 1 :]]
                best = max(best, 1 + covered(rest[1:], left))
        return best

    return covered(offered, [limit] * len(demands))


def test_no_groups_for_nobody():
    assert match([], [["a"]]).unmatched_buyers == (0,)
    with pytest.raises(InputError, match="at least 1"):
        match(["a"], [["a"]], groups_per_buyer=0)


def test_the_ask_of_one_licence():
    assert ask_per_licence(120.0, 4) == 30.0
    assert ask_per_licence(120.0, 4, 0.5) == 15.0
    assert ask_per_licence(120.0, 0) == 120.0
    with pytest.raises(InputError, match="total ask of nan"):
        ask_per_licence(float("nan"), 1)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40))
def test_a_learned_reserve_is_numpys_percentile_to_the_last_bit(asks):
    assert learned_reserve(asks, prior=7.0) == np.percentile(asks, 75)


def test_the_reserve_is_learned_from_lowest_asks():
    assert learned_reserve([], prior=7.0) == 7.0
    assert learned_reserve([1, 2, 3, 4, 5], prior=7.0) == 4.0


@given(st.lists(st.floats(0.1, 100), min_size=2, max_size=6), st.lists(st.floats(0.1, 100), min_size=2, max_size=4))
def test_rebids_move_toward_each_other_and_stop_at_the_limits(bids, asks):
    moved = rebid_step(bids, asks)
    np.testing.assert_allclose(moved.bids, np.array(bids) * 1.05)
    np.testing.assert_allclose(moved.asks, np.array(asks) * 0.95)
    held = rebid_step(bids, asks, bid_limits=bids, ask_floors=asks)
    np.testing.assert_array_equal(held.bids, bids)
    np.testing.assert_array_equal(held.asks, asks)
    for _ in range(10):
        bids, asks = moved.bids, moved.asks
        moved = rebid_step(bids, asks)
    if np.max(bids) >= np.sort(asks)[1]:
        assert clear("pms-am", bids, asks).buyers.size


def test_a_rebid_step_is_a_share():
    with pytest.raises(InputError, match="the rebid step"):
        rebid_step([1.0], [2.0], step=1.0)


def test_licences_keep_their_priority_and_pay_the_royalty_down_to_the_unit():
    accounts, licences = Accounts(), Licences()
    for address, balance in (("dao", 0), ("ann", 0), ("ben", 0), ("cyd", 100)):
        accounts.open(address, balance)
    first, second = licences.grant("nft", dao="dao", holders=["ann", "ben"])
    assert (first.priority, second.priority) == (1, 2)
    licences.resell(accounts, first.licence_id, buyer="cyd", price_units=99, royalty=0.1)
    assert dict(accounts.balances) == {"dao": 9, "ann": 90, "ben": 0, "cyd": 1}
    assert [licence.holder for licence in licences.of_nft("nft")] == ["cyd", "ben"]
    assert licences.of_holder("cyd")[0].priority == 1
    with pytest.raises(InputError, match="cyd holds a licence of nft already"):
        licences.resell(accounts, second.licence_id, buyer="cyd", price_units=0, royalty=0.1)
    with pytest.raises(InputError, match="royalty"):
        licences.resell(accounts, second.licence_id, buyer="ann", price_units=0, royalty=1.1)
    with pytest.raises(InputError, match="no licence 'nft/9'"):
        licences.get("nft/9")
    with pytest.raises(InputError, match=r"basis points, say 0\.1234"):
        licences.resell(accounts, second.licence_id, buyer="ann", price_units=0, royalty=0.12345)
    (third,) = licences.grant("nft", dao="dao", holders=["ann"])
    assert third.priority == 3


@given(st.integers(0, 10_000), st.integers(0, 10**6))
def test_a_royalty_is_a_whole_number_of_basis_points_rounded_down_to_the_unit(points, price_units):
    accounts, licences = Accounts(), Licences()
    for address in ("dao", "ann", "ben"):
        accounts.open(address, price_units)
    (licence,) = licences.grant("nft", dao="dao", holders=["ann"])
    licences.resell(accounts, licence.licence_id, buyer="ben", price_units=price_units, royalty=points / 10_000)
    due = price_units * points // 10_000
    assert [accounts.balance(each) - price_units for each in ("dao", "ann")] == [due, price_units - due]


def test_a_licence_expires_for_whoever_holds_it_then():
    accounts, licences = Accounts(), Licences()
    for address in ("dao", "ann", "ben", "cyd"):
        accounts.open(address, 10)
    (licence,) = licences.grant("nft", dao="dao", holders=["ann"], expires_s=100.0)
    resold = licences.resell(accounts, licence.licence_id, buyer="ben", price_units=1, royalty=0.0, now_s=99.0)
    assert resold.expires_s == 100.0 and resold.allows(99.9) and not resold.allows(100.0)
    with pytest.raises(InputError, match="expired at 100 s; it is 100 s now"):
        licences.resell(accounts, licence.licence_id, buyer="cyd", price_units=1, royalty=0.0, now_s=100.0)
    assert accounts.balance("cyd") == 10


@pytest.mark.parametrize(
    ("rule", "bids", "asks", "reserve", "setter"),
    [
        ("pms-am", [9, 8, 5], [4, 6], 7, "the second-lowest ask"),
        ("pms-am", [9, 8, 5], [4, 8], 7, "the reserve"),
        ("pms-am", [9, 8, 5], [4], 7, "the reserve"),
        ("pms-am", [3, 2], [4, 6], 7, ""),
        ("vcg", [9, 8, 5], [4, 6], 7, "the lowest ask"),
        ("first-price", [9, 8, 5], [4, 6], 7, "each winner's own bid"),
        ("first-price", [9, 3], [4, 6], 7, "the winner's own bid"),
        ("pms-am-literal", [9, 8], [4, 6], 7, "the lowest winning bid"),  # there is no next bid
        ("pms-am-literal", [9, 8, 5, 2], [4, 6, 8], 7, "the highest losing bid"),
        ("uniform", [9, 8, 5], [4, 6], 7, "a price between the reports"),  # (4 + 5) / 2
        ("mcafee", [9, 8, 5], [4, 6, 8], 7, "a price between the reports"),  # (5 + 8) / 2
        ("mcafee", [9, 8, 2], [4, 6, 9], 7, "the highest losing bid"),  # (2 + 9) / 2 is below s_2: one pair, at b_2
    ],
)
def test_what_sets_the_price_is_said(rule, bids, asks, reserve, setter):
    cleared = clear(rule, bids, asks, reserve=reserve)
    assert price_setter(cleared.payments[cleared.buyers], bids, asks, reserve) == setter


@given(st.floats(1.0, 1e4), st.floats(1.0, 1e4), st.integers(1, 30))
def test_one_dao_and_like_bids_never_trade_at_once(bid, reserve, bidders):
    """The ask is the bids' mean, so all reports lie on one side of the reserve, and that is the price."""
    assume(abs(bid - reserve) > 1e-9 * bid)  # the mean's rounding apart
    asks = [ask_per_licence(bid * bidders, bidders)]
    assert not len(clear("pms-am", [bid] * bidders, asks, reserve=reserve).buyers)

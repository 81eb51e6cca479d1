"""Settlement moves every unit somewhere and loses none; a state machine tries to make it lose one."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from flnft_sim.errors import InputError
from flnft_sim.ledger.accounts import MICRO, Accounts, InsufficientFunds, from_units
from flnft_sim.market import RULES, Licences, clear, rebid_step, refund_all, settle, share_out

weights = st.lists(st.floats(0, 1e12), min_size=1, max_size=12).filter(any)


@given(st.integers(0, 10**15), weights)
def test_shares_sum_to_the_total_and_stay_within_one_unit_of_the_quota(total, weights):
    shares = share_out(total, weights)
    whole = sum(map(Fraction, weights))
    assert sum(shares) == total
    assert all(abs(share - total * Fraction(w) / whole) < 1 for share, w in zip(shares, weights, strict=True))


@given(st.integers(0, 10**6), weights)
def test_whoever_stands_together_gets_what_one_with_their_weight_would(total, weights):
    """Shares are intervals of one line, so joining neighbours joins their shares; largest remainder would fail this."""
    shares = share_out(total, [*map(int, weights), 1])
    for cut in range(1, len(shares)):
        joined = [sum(map(int, weights[:cut])), *map(int, weights[cut:]), 1]
        assert share_out(total, joined) == [sum(shares[:cut]), *shares[cut:]]


def test_cumulative_rounding_by_hand():
    assert share_out(10, [1, 1, 1]) == [3, 3, 4]
    assert share_out(100, [470, 160, 158, 120, 61, 31]) == [47, 16, 15, 12, 6, 4]
    assert share_out(0, [1.0, 2.0]) == [0, 0]


@pytest.mark.parametrize("bad", [[], [0.0], [-1.0, 2.0], [float("nan")], [float("inf")]])
def test_weights_that_cannot_share_are_named(bad):
    with pytest.raises(InputError, match="weight"):
        share_out(10, bad)


def book(**balances):
    accounts = Accounts()
    for address, balance in balances.items():
        accounts.open(address, balance)
    return accounts


def test_a_settlement_by_hand():
    """p = 7: the provider at 10 pays it, its members share 7 by their claims 2 : 1, the rest of escrow returns."""
    accounts = book(p0=10 * MICRO, p1=6 * MICRO, dao0=0, dao1=0, ann=0, ben=0, house=0)
    accounts.escrow("p0", "a", 10 * MICRO)
    accounts.escrow("p1", "a", 6 * MICRO)
    result = settle(
        accounts,
        clear("pms-am", [10, 6], [1, 7]),
        auction_id="a",
        buyers=["p0", "p1"],
        sellers=["dao0", "dao1"],
        claims={"dao0": {"ann": 2.0, "ben": 1.0}},
        auctioneer="house",
    )
    assert result.payments == {"p0": 7_000_000}
    assert result.receipts == {"dao0": 7_000_000}
    assert result.shares == {"dao0": {"ann": 4_666_666, "ben": 2_333_334}}
    assert result.refunds == {"p0": 3_000_000, "p1": 6_000_000}
    assert result.auctioneer_units == 0
    assert accounts.balances == {
        "p0": 3_000_000, "p1": 6_000_000, "dao0": 0, "dao1": 0, "ann": 4_666_666, "ben": 2_333_334, "house": 0,
    }  # fmt: skip


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=6),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=4),
    st.sampled_from(sorted(RULES)),
    st.integers(0, 3),
)
def test_every_rule_settles_to_the_unit(bid_units, ask_units, rule_name, seed):
    """Bids and asks are whole units; payments never exceed bids, so nobody owes more than it locked."""
    buyers, sellers = [f"p{i}" for i in range(len(bid_units))], [f"d{i}" for i in range(len(ask_units))]
    accounts = book(house=10**12, **dict(zip(buyers, bid_units, strict=True)), **dict.fromkeys(sellers, 0))
    for address, units in zip(buyers, bid_units, strict=True):
        accounts.escrow(address, "a", units)
    clearing = clear(
        rule_name, list(map(from_units, bid_units)), list(map(from_units, ask_units)), reserve=500.0, seed=seed
    )
    result = settle(accounts, clearing, auction_id="a", buyers=buyers, sellers=sellers, claims={}, auctioneer="house")
    assert accounts.total() == 10**12 + sum(bid_units)
    assert accounts.escrowing("a") == ()
    for i, address in enumerate(buyers):
        assert accounts.balance(address) == bid_units[i] - result.payments.get(address, 0)
        assert abs(result.payments.get(address, 0) - clearing.payments[i] * MICRO) <= 1
    for i, address in enumerate(sellers):
        assert abs(accounts.balance(address) - clearing.receipts[i] * MICRO) <= len(buyers) + 1
    if abs(clearing.surplus) < 1e-9:
        assert result.auctioneer_units == 0


def test_nothing_moves_where_somebody_cannot_pay():
    deficit = clear("vcg", [10, 10], [1, 7])  # pays 2, costs 14
    accounts = book(p0=10 * MICRO, p1=10 * MICRO, d0=0, d1=0, house=11 * MICRO)
    names = {"auction_id": "a", "buyers": ["p0", "p1"], "sellers": ["d0", "d1"], "claims": {}}
    with pytest.raises(InsufficientFunds, match="p0 owes 1000000 units in auction a, but locked only 0"):
        settle(accounts, deficit, auctioneer="house", **names)
    accounts.escrow("p0", "a", MICRO)
    accounts.escrow("p1", "a", MICRO)
    before = dict(accounts.balances)
    with pytest.raises(InsufficientFunds, match="deficit of 12000000 units"):
        settle(accounts, deficit, auctioneer="house", **names)
    with pytest.raises(InputError, match="no account ghost"):
        settle(
            accounts,
            clear("pms-am", [10, 10], [1, 1]),
            auctioneer="house",
            **names | {"claims": {"d0": {"ghost": 1.0}, "d1": {"ghost": 1.0}}},
        )
    with pytest.raises(InputError, match="buyer stands twice"):
        settle(accounts, deficit, auctioneer="house", **names | {"buyers": ["p0", "p0"]})
    assert dict(accounts.balances) == before


class Markets(RuleBasedStateMachine):
    """Auctions open, take and replace bids, lose parties, rebid, clear by any rule, or fail; licences are resold."""

    auctions = Bundle("auctions")
    providers, daos, users = ("p0", "p1", "p2", "p3"), ("d0", "d1"), ("u0", "u1", "u2")

    @initialize()
    def open_accounts(self):
        self.accounts, self.licences = Accounts(), Licences()
        for address in (*self.providers, "house"):
            self.accounts.open(address, 1_000_003)
        for address in (*self.daos, *self.users):
            self.accounts.open(address)
        self.issued = self.accounts.total()
        self.started = 0
        self.bids: dict[str, dict[str, float]] = {}
        self.asks: dict[str, dict[str, float]] = {}

    @rule(target=auctions, asks=st.lists(st.floats(0, 1), min_size=1, max_size=2))
    def start(self, asks):
        self.started += 1
        auction_id = f"a{self.started}"
        self.bids[auction_id] = {}
        self.asks[auction_id] = dict(zip(self.daos, asks, strict=False))
        return auction_id

    @rule(auction=auctions, provider=st.sampled_from(providers), share=st.floats(0, 1))
    def bid(self, auction, provider, share):
        """Lock the whole budget, then offer a share of what is locked; a second bid replaces the first."""
        self.accounts.escrow(provider, auction, self.accounts.balance(provider) // 2)
        self.bids[auction][provider] = share * from_units(self.accounts.escrowed(provider, auction))

    @rule(auction=auctions, provider=st.sampled_from(providers))
    def cancel_bid(self, auction, provider):
        held, locked = self.accounts.balance(provider), self.accounts.escrowed(provider, auction)
        assert self.accounts.refund(provider, auction) == locked
        assert self.accounts.balance(provider) == held + locked
        self.bids[auction].pop(provider, None)

    @rule(auction=auctions, dao=st.sampled_from(daos))
    def withdraw_dao(self, auction, dao):
        self.asks[auction].pop(dao, None)

    @rule(auction=auctions)
    def rebid(self, auction):
        bids, asks = self.bids[auction], self.asks[auction]
        limits = [from_units(self.accounts.escrowed(p, auction)) for p in bids]
        moved = rebid_step(list(bids.values()), list(asks.values()), bid_limits=limits)
        self.bids[auction] = dict(zip(bids, moved.bids, strict=True))
        self.asks[auction] = dict(zip(asks, moved.asks, strict=True))

    @rule(auction=consumes(auctions))
    def fail(self, auction):
        """The contract dies before clearing: everybody gets everything back."""
        owed = {p: self.accounts.balance(p) + self.accounts.escrowed(p, auction) for p in self.providers}
        refund_all(self.accounts, auction)
        assert {p: self.accounts.balance(p) for p in self.providers} == owed

    @rule(
        auction=consumes(auctions),
        name=st.sampled_from(sorted(RULES)),
        reserve=st.sampled_from([np.inf, 0.3]),
        claims=st.dictionaries(st.sampled_from(users), st.floats(0, 5)),
    )
    def clear_and_settle(self, auction, name, reserve, claims):
        bids, asks = self.bids[auction], self.asks[auction]
        clearing = clear(name, list(bids.values()), list(asks.values()), reserve=reserve)
        before = dict(self.accounts.balances)
        try:
            result = settle(
                self.accounts,
                clearing,
                auction_id=auction,
                buyers=list(bids),
                sellers=list(asks),
                claims=dict.fromkeys(self.daos, claims),
                auctioneer="house",
            )
        except InsufficientFunds:
            assert clearing.surplus < 0  # only a deficit that the house cannot cover
            assert dict(self.accounts.balances) == before
            refund_all(self.accounts, auction)
            return
        assert sum(result.payments.values()) == sum(result.receipts.values()) + result.auctioneer_units
        winners = [list(bids)[i] for i in clearing.buyers]
        if winners:
            self.licences.grant(auction, dao=list(asks)[clearing.sellers[0]], holders=winners)

    @rule(
        provider=st.sampled_from(providers),
        buyer=st.sampled_from(providers),
        price=st.integers(0, 2_000_000),
        royalty=st.floats(0, 1),
    )
    def resell(self, provider, buyer, price, royalty):
        for licence in self.licences.of_holder(provider)[:1]:
            before = dict(self.accounts.balances)
            try:
                moved = self.licences.resell(
                    self.accounts, licence.licence_id, buyer=buyer, price_units=price, royalty=royalty
                )
            except InputError:  # too poor, or a holder already
                assert dict(self.accounts.balances) == before
                assert self.licences.get(licence.licence_id) == licence
                return
            due = int(price * Fraction(royalty))
            assert self.accounts.balance(licence.dao) == before[licence.dao] + due
            assert self.accounts.balance(provider) == before[provider] + price - due
            assert (moved.holder, moved.priority, moved.dao) == (buyer, licence.priority, licence.dao)

    @invariant()
    def not_one_unit_appears_or_disappears(self):
        assert self.accounts.total() == self.issued
        assert min(self.accounts.balances.values()) >= 0


TestMarkets = Markets.TestCase
TestMarkets.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

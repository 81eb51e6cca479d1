"""The pot of a sale: nothing comes or goes, whatever is done in whatever order, and refunds are exact to the unit."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from flnft_sim.errors import InputError
from flnft_sim.game.contest import release
from flnft_sim.ledger import Accounts
from flnft_sim.market import Pot

WINNERS = [f"winner-{number}" for number in range(4)]
MEMBERS = [f"member-{number}" for number in range(3)]
PARTIES = ("dao", "committer")
UNITS = st.integers(0, 10**12)
PART = st.floats(0, 1)


def accounts_of(units):
    accounts = Accounts()
    for winner in WINNERS:
        accounts.open(winner, units)
    for address in (*PARTIES, *MEMBERS, "sink"):
        accounts.open(address, 1000 if address in PARTIES else 0)
    return accounts


class Sale(RuleBasedStateMachine):
    """Every order of locking, paying, bonding, settling, refunding and forfeiting."""

    sales = Bundle("sales")

    @initialize(units=UNITS)
    def begin(self, units):
        self.accounts = accounts_of(units)
        self.issued = self.accounts.total()
        self.pot = Pot(self.accounts, "a", sink="sink")
        self.spent = dict.fromkeys(WINNERS, 0)
        self.bonded = dict.fromkeys(PARTIES, 0)

    @rule(winner=st.sampled_from(WINNERS), units=UNITS, part=PART)
    def lock_and_pay(self, winner, units, part):
        if winner in self.accounts.escrowing("a") or units > self.accounts.balance(winner):
            return
        self.accounts.escrow(winner, "a", units)
        price = int(units * part)
        if self.pot.payout is not None or winner in self.pot.paid:
            with pytest.raises(InputError):
                self.pot.collect(winner, price)
        else:
            self.pot.collect(winner, price)
            self.spent[winner] = price
        self.accounts.refund(winner, "a")

    @rule(party=st.sampled_from(PARTIES), units=st.integers(0, 400))
    def bond(self, party, units):
        if party in self.pot.bonds:
            with pytest.raises(InputError):
                self.pot.post_bond(party, units)
        elif units <= self.accounts.balance(party):
            self.pot.post_bond(party, units)

    @rule(party=st.sampled_from(PARTIES), lost=st.booleans())
    def end_bond(self, party, lost):
        out, before = self.pot.bonds.get(party, 0), self.accounts.balance(party)
        assert (self.pot.forfeit_bond if lost else self.pot.return_bond)(party) == out
        assert self.accounts.balance(party) - before == (0 if lost else out)

    @precondition(lambda self: self.pot.payout is None)
    @rule(delivered=PART, exponent=st.floats(1, 50), shares=st.lists(st.floats(0, 1e3), min_size=3, max_size=3))
    def settle(self, delivered, exponent, shares):
        total, before = self.pot.units, {m: self.accounts.balance(m) for m in MEMBERS}
        due = release(list(self.pot.paid.values()) or [0], delivered, exponent=exponent)
        refunds = dict(zip(self.pot.paid, due.refunds.tolist(), strict=False))
        by_member = dict(zip(MEMBERS, shares, strict=True))
        payout = self.pot.settle("dao", by_member, released=due.released, refunds=refunds)
        assert payout.released + payout.sunk + sum(payout.refunds.values()) == total
        for winner, paid in self.pot.paid.items():
            self.spent[winner] = paid - payout.refunds[winner]
        if any(shares):
            gained = {m: self.accounts.balance(m) - before[m] for m in MEMBERS}
            assert sum(gained.values()) == payout.released
            assert all(gained[m] == 0 for m, share in by_member.items() if share == 0)

    @precondition(lambda self: self.pot.payout is None)
    @rule()
    def refund(self):
        payout = self.pot.refund()
        assert payout.refunds == self.pot.paid and payout.sunk == payout.released == 0
        self.spent = dict.fromkeys(WINNERS, 0)

    @precondition(lambda self: self.pot.payout is not None)
    @rule(units=UNITS)
    def nothing_moves_twice(self, units):
        before = dict(self.accounts.balances)
        for again in (self.pot.refund, lambda: self.pot.settle("dao", {}, released=units, refunds={})):
            with pytest.raises(InputError):
                again()
        assert dict(self.accounts.balances) == before

    @invariant()
    def money_is_all_there(self):
        if hasattr(self, "accounts"):
            assert self.accounts.total() == self.issued
            held = self.pot.units
            assert held == (0 if self.pot.payout else sum(self.pot.paid.values()))
            for winner in WINNERS:
                opening = self.accounts.opening_balances[winner]
                assert self.accounts.balance(winner) == opening - self.spent[winner]


Sale.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestSale = Sale.TestCase


@given(units=UNITS, delivered=PART)
@settings(max_examples=60, deadline=None)
def test_all_delivered_is_all_released_and_nothing_delivered_all_refunded(units, delivered):
    for part in (0.0, 1.0, delivered):
        accounts = accounts_of(units)
        pot = Pot(accounts, "a", sink="sink")
        accounts.escrow(WINNERS[0], "a", units)
        pot.collect(WINNERS[0], units)
        due = release([units], part, exponent=1.5)
        payout = pot.settle("dao", {MEMBERS[1]: 0.5}, released=due.released, refunds={WINNERS[0]: int(due.refunds[0])})
        expected = {0.0: (0, units), 1.0: (units, 0)}.get(part)
        assert expected is None or (payout.released, payout.refunds[WINNERS[0]]) == expected


@pytest.mark.parametrize(("released", "refunds"), [(11, {}), (8, {WINNERS[0]: 3}), (0, {WINNERS[1]: 1}), (-1, {})])
def test_more_than_there_is_goes_to_nobody(released, refunds):
    accounts = accounts_of(10)
    pot = Pot(accounts, "a", sink="sink")
    accounts.escrow(WINNERS[0], "a", 10)
    pot.collect(WINNERS[0], 10)
    before = dict(accounts.balances)
    with pytest.raises(InputError):
        pot.settle("dao", {MEMBERS[0]: 1.0}, released=released, refunds=refunds)
    assert dict(accounts.balances) == before and pot.payout is None


def test_a_sink_must_be_there():
    with pytest.raises(InputError, match="nowhere"):
        Pot(accounts_of(10), "a", sink="nowhere")

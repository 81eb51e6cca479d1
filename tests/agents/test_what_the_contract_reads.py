"""The auctioneer reads what is public or opened to it, and no bidder's private figures."""

import inspect

import pytest

from flnft_sim import FlnftModel, load_scenario
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.ledger import to_units
from flnft_sim.market import ask_per_licence

QUICK = {"learning.learner": "surrogate", "game.history_auctions": 4}
REBIDS = QUICK | {"market.reserve_money": 1e5, "market.rebids_max": 2}
CONTRACT = "flnft_sim.agents.contract.contract"
PRIVATE = ("valuation_money", "quality_valuation_money", "freshness_valuation_money", "quality_elasticity")


class Overheard(AssertionError):
    """The contract looked at what it must not see."""


def guarded(monkeypatch):
    """Let every look at a private figure from the contract's own file raise."""
    plain = ServiceProvider.__getattribute__

    def watched(self, name):
        frame = inspect.currentframe()
        if name in PRIVATE and frame is not None and frame.f_back.f_globals["__name__"] == CONTRACT:
            raise Overheard(name)
        return plain(self, name)

    monkeypatch.setattr(ServiceProvider, "__getattribute__", watched)


def test_the_contract_holds_an_auction_with_rebids_without_a_look_at_worths(monkeypatch):
    guarded(monkeypatch)
    model = FlnftModel(load_scenario("tiny", overrides=REBIDS))
    model.run()
    assert model.auctions[0].rebids == 2


def test_the_guard_sees_a_contract_that_looks(monkeypatch):
    guarded(monkeypatch)
    model = FlnftModel(load_scenario("tiny", overrides=REBIDS))
    look = compile("found = buyer.valuation_money", "look", "exec")
    with pytest.raises(Overheard):
        exec(look, {"__name__": CONTRACT, "buyer": model.providers[0]})


def test_the_ask_is_shared_by_all_who_have_locked_an_escrow():
    """Also by one who locks its budget and bids what is rejected: nobody can see that before bids are opened."""
    fields = QUICK | {"failures.overspenders": 2, "population.providers": 5}
    model = FlnftModel(load_scenario("tiny", overrides=fields))
    model.run()
    (auction,) = model.auctions
    locked = f"escrow for auction {auction.name}"
    registered = {entry["src"] for entry in model.world.accounts.entries if entry["memo"] == locked}
    bidding = {entry.bid.bidder for entry in auction.book if entry.bid is not None}
    assert bidding < registered
    claims = auction.votes[0].total_ask
    assert to_units(auction.announced_asks[0]) == to_units(ask_per_licence(claims, len(registered)))
    assert to_units(auction.announced_asks[0]) < to_units(ask_per_licence(claims, len(bidding)))

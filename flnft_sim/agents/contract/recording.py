"""The rows an auction leaves; they tell of a simulation, so they know what the contract does not: worths, beliefs."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from flnft_sim.agents.contract.auction import Auction
from flnft_sim.arrays import Floats
from flnft_sim.game import ProviderForm, provider_utility, quality_satisfaction
from flnft_sim.ledger import from_units
from flnft_sim.market import BidStatus, BookEntry, Clearing, facts_of, forgone_money, price_setter, share_setter
from flnft_sim.results.tables import NAN, AuctionRow, BidRow


def auction_row(auction: Auction, rule: str) -> AuctionRow:
    """The line of a settled auction in the table `auctions`."""
    row = AuctionRow(
        auction=auction.name,
        category=auction.category,
        rule=rule,
        closed_at_s=auction.closes_s,
        daos=len(auction.sellers),
        bidders=int((auction.bids > 0).sum()),
        rejected=auction.rejected,
        ask_money=float(auction.asks.min()) if auction.asks.size else NAN,
        announced_ask_money=float(auction.announced_asks.min()) if auction.asks.size else NAN,
        reserve_money=auction.reserve_money,
        rebids=auction.rebids,
    )
    if (clearing := auction.clearing) is not None:
        row.price_set_by = _set_by(auction, clearing)
        row.price_money = NAN if clearing.price is None else clearing.price
        row.winners, row.trades = int(clearing.buyers.size), int(clearing.buyers.size > 0)
        row.surplus_money, row.dao_receipt_money = clearing.surplus, float(clearing.receipts.sum())
        row.reason = "" if clearing.reason is None else str(clearing.reason)
    return row


def _set_by(auction: Auction, clearing: Clearing) -> str:
    payments = clearing.payments[clearing.buyers]
    if facts_of(clearing.rule).asks == "total":
        return share_setter(payments, auction.asks, auction.reserve_money)
    return price_setter(payments, auction.bids[auction.bidders], auction.asks, auction.reserve_money)


class BidRows:
    """The lines of a settled auction in the table `bids`: sealed bids in the order of the book, then who sent none.

    They may be asked for later: what demand moves meanwhile is taken down here.
    """

    def __init__(self, auction: Auction) -> None:
        self.auction = auction
        self._worths, self._valuations = auction.worths, [buyer.valuations_money for buyer in auction.buyers]

    def __len__(self) -> int:
        return len(self.auction.book) + len(self._silent_places())

    def __iter__(self) -> Iterator[BidRow]:
        auction = self.auction
        self._places = {buyer.address: place for place, buyer in enumerate(auction.buyers)}
        self._offers, self._payments = auction.offers, auction.payments_money
        self._ranks = {place: rank for rank, place in enumerate(auction.winners, start=1)}
        self._gains = auction.gains_money
        self._first_bids, self._first_total = auction.first_bids.tolist(), float(auction.first_bids.sum())
        yield from map(self._sent, self.auction.book)
        yield from map(self._silent, self._silent_places())

    def _silent_places(self) -> list[int]:
        bidding = {entry.sender for entry in self.auction.book}
        return [place for place, buyer in enumerate(self.auction.buyers) if buyer.name not in bidding]

    def _sent(self, entry: BookEntry) -> BidRow:
        row = BidRow(
            auction=self.auction.name,
            provider=entry.sender,
            sealed_at_s=NAN if entry.sealed_at_s is None else entry.sealed_at_s,
            status=str(entry.status),
            reason=entry.reason,
        )
        if entry.bid is None:
            return row
        place = self._places[entry.bid.bidder]
        row.quality_price_money, row.freshness_price_money = entry.bid.quality_price, entry.bid.freshness_price
        row.total_money = from_units(entry.bid.total)
        self._tell_rivals(row, place)
        if entry.status is BidStatus.ACCEPTED and self.auction.clearing is not None:
            self._tell_outcome(row, place)
        return row

    def _silent(self, place: int) -> BidRow:
        row = BidRow(
            auction=self.auction.name,
            provider=self.auction.buyers[place].name,
            total_money=0.0,
            status="no bid",
            reason="a licence is worth nothing against the rivals believed in",
            forgone_money=self._forgone_money[place],
        )
        self._tell_rivals(row, place)
        return row

    def _tell_rivals(self, row: BidRow, place: int) -> None:
        """What the buyer at `place` foresaw all others to bid, and what they did: both before any rebid."""
        row.predicted_rivals_money = self._offers[place].believed_rivals_money
        row.real_rivals_money = self._first_total - self._first_bids[place]
        row.valuation_money = self._worths[place]

    def _tell_outcome(self, row: BidRow, place: int) -> None:
        auction = self.auction
        row.payment_money, row.provider_utility = self._payments[place], self._utilities[place]
        row.forgone_money = self._forgone_money[place]
        if place in self._ranks and auction.clearing is not None:
            row.won, row.dao = True, auction.sellers[int(auction.clearing.sellers[0])].name
            row.priority = self._ranks[place]
            row.cash_money = self._gains[place]

    @cached_property
    def _forgone_money(self) -> list[float]:
        """What each buyer's last sealed bid, or its silence, left on the table: (buyers,) money."""
        auction = self.auction
        if auction.clearing is None:
            return [0.0] * len(auction.buyers)
        forgone = forgone_money(
            auction.clearing.rule,
            auction.bids,
            auction.asks,
            reserve=auction.reserve_money,
            lots=auction.lots,
            settings=auction.rule_told,
            values=self._worths,
            limits=[buyer.budget_money for buyer in auction.buyers],
        )
        return forgone.tolist()

    @cached_property
    def _utilities(self) -> list[float]:
        """Ψ_j (Eq. 16 mended) at the bids really made, over quality and freshness, mean over the FL-NFTs: (buyers,).

        A provider's money becomes a unit price with its *own* satisfaction, as in the decision that bid it.
        """
        buyers, decisions = self.auction.buyers, self.auction.tender.decisions
        if not decisions:
            return [0.0] * len(buyers)
        money = np.nan_to_num(self.auction.accepted_offers())
        valuations = np.array(self._valuations).T
        ratios, form = np.array([buyer.elasticity_ratio for buyer in buyers]), decisions[0].problem.provider_utility
        of_all = []
        for step in (decision.step for decision in decisions):
            satisfied = np.stack([quality_satisfaction(step.quality, ratios), np.full(len(ratios), step.freshness)])
            quality, freshness = _utility(money, satisfied, valuations, form=form)
            of_all.append(quality + freshness)
        return np.stack(of_all, axis=-1).mean(axis=-1).tolist()


def _utility(money: Floats, satisfaction: Floats, valuations: Floats, *, form: ProviderForm) -> Floats:
    """Ψ (2, buyers) of quality and of freshness, at what each bid for them; 0 where they satisfy nobody."""
    there = satisfaction > 0
    prices = np.divide(money, satisfaction, out=np.zeros_like(money), where=there)
    rivals = prices.sum(axis=-1, keepdims=True) - prices
    return np.where(there, provider_utility(prices, rivals, valuations, satisfaction, form=form), 0.0)

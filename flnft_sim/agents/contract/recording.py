"""The rows an auction leaves; they tell of a simulation, so they know what the contract does not: worths, beliefs."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from flnft_sim.agents.contract.auction import Auction
from flnft_sim.agents.provider import ServiceProvider
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
    """The lines of a settled auction in the table `bids`: sealed bids in the order of the book, then who sent none."""

    def __init__(self, auction: Auction) -> None:
        self.auction = auction
        self._places = {buyer.address: place for place, buyer in enumerate(auction.buyers)}

    def __iter__(self) -> Iterator[BidRow]:
        yield from map(self._sent, self.auction.book)
        bidding = {entry.sender for entry in self.auction.book}
        for place, buyer in enumerate(self.auction.buyers):
            if buyer.name not in bidding:
                yield self._silent(place, buyer)

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

    def _silent(self, place: int, buyer: ServiceProvider) -> BidRow:
        row = BidRow(
            auction=self.auction.name,
            provider=buyer.name,
            total_money=0.0,
            status="no bid",
            reason="a licence is worth nothing against the rivals believed in",
            forgone_money=float(self._forgone_money[place]),
        )
        self._tell_rivals(row, place)
        return row

    def _tell_rivals(self, row: BidRow, place: int) -> None:
        """What the buyer at `place` foresaw all others to bid, and what they did: both before any rebid."""
        auction = self.auction
        row.predicted_rivals_money = auction.offers[place].believed_rivals_money
        row.real_rivals_money = float(auction.first_bids.sum() - auction.first_bids[place])
        row.valuation_money = self._worths[place]

    def _tell_outcome(self, row: BidRow, place: int) -> None:
        auction = self.auction
        row.payment_money, row.provider_utility = auction.payment_money(place), self._utility(place)
        row.forgone_money = float(self._forgone_money[place])
        if place in auction.winners and auction.clearing is not None:
            row.won, row.dao = True, auction.sellers[int(auction.clearing.sellers[0])].name
            row.priority = auction.winners.index(place) + 1
            row.cash_money = auction.cash_money(place)

    @cached_property
    def _worths(self) -> list[float]:
        return self.auction.worths

    @cached_property
    def _forgone_money(self) -> Floats:
        """What each buyer's last sealed bid, or its silence, left on the table: (buyers,) money."""
        auction = self.auction
        if auction.clearing is None:
            return np.zeros(len(auction.buyers))
        return forgone_money(
            auction.clearing.rule,
            auction.bids,
            auction.asks,
            reserve=auction.reserve_money,
            lots=auction.lots,
            settings=auction.rule_told,
            values=self._worths,
            limits=[buyer.budget_money for buyer in auction.buyers],
        )

    @cached_property
    def _accepted(self) -> tuple[Floats, Floats]:
        return self.auction.accepted_offers()

    @cached_property
    def _satisfactions(self) -> list[tuple[Floats, Floats]]:
        """Of each FL-NFT the satisfaction with quality and with freshness, (buyers,) each."""
        ratios = np.array([buyer.elasticity_ratio for buyer in self.auction.buyers])
        steps = [decision.step for decision in self.auction.tender.decisions]
        return [(quality_satisfaction(each.quality, ratios), np.full(len(ratios), each.freshness)) for each in steps]

    def _utility(self, place: int) -> float:
        """Ψ_j (Eq. 16 mended) at the bids really made, summed over quality and freshness, mean over the FL-NFTs."""
        utilities = [float(of_all[place]) for of_all in self._utilities]
        return float(np.mean(utilities)) if utilities else 0.0

    @cached_property
    def _utilities(self) -> list[Floats]:
        """Of each FL-NFT all buyers' Ψ, (buyers,).

        A provider's money becomes a unit price with its *own* satisfaction, as in the decision that bid it.
        """
        buyers, decisions = self.auction.buyers, self.auction.tender.decisions
        valuations = (
            np.array([buyer.quality_valuation_money for buyer in buyers]),
            np.array([buyer.freshness_valuation_money for buyer in buyers]),
        )
        form = decisions[0].problem.provider_utility if decisions else "printed"
        of_all = []
        for worth in self._satisfactions:
            parts = zip(self._accepted, worth, valuations, strict=True)
            quality, freshness = (_part_utility(*part, form=form) for part in parts)
            of_all.append(quality + freshness)
        return of_all


def _part_utility(money: Floats, satisfaction: Floats, valuations: Floats, *, form: ProviderForm) -> Floats:
    """Ψ (buyers,) of one dimension, quality or freshness, at what each bid for it; 0 where it satisfies nobody."""
    there = satisfaction > 0
    prices = np.divide(np.nan_to_num(money), satisfaction, out=np.zeros_like(money), where=there)
    rivals = prices.sum() - prices
    return np.where(there, provider_utility(prices, rivals, valuations, satisfaction, form=form), 0.0)

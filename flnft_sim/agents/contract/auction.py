"""One auction as it unfolds: who takes part, the book of sealed bids, and the rows it leaves."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flnft_sim.agents.dao.dao import FlNft, MuDao
from flnft_sim.agents.provider import Offer, ServiceProvider
from flnft_sim.arrays import Floats
from flnft_sim.game import provider_utility, quality_satisfaction
from flnft_sim.ledger import from_units
from flnft_sim.market import Bid, BidRejected, Clearing, SealedBids, VoteResult, clear, forgone_money, price_setter

Row = dict[str, Any]


@dataclass
class BookEntry:
    """One line of the book: a ciphertext while sealed, a bid or the reason of its rejection once opened."""

    sender: str
    sealed: bytes
    sealed_at_s: float
    in_block_s: float = float("inf")
    bid: Bid | None = None
    status: str = "sealed"
    reason: str = ""


@dataclass
class Auction:
    """One market of an episode. `offers` and `bids` are (buyers,), `asks` and `votes` (sellers,)."""

    name: str
    category: str
    sellers: list[MuDao]
    nfts: list[FlNft]
    buyers: list[ServiceProvider]
    reserve_money: float
    offers: list[Offer]
    asks: Floats  # money per licence, as rebids have lowered it so far
    votes: list[VoteResult]
    sealed: SealedBids
    state: str = "announced"
    closes_s: float = 0.0
    rebids: int = 0  # also the number of the window that is open, which its bids are signed for
    book: list[BookEntry] = field(default_factory=list)
    bids: Floats = field(default_factory=lambda: np.zeros(0))  # accepted money, 0 where there is none
    bidders: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))  # places of accepted bids
    clearing: Clearing | None = None
    first_bids: Floats = field(default_factory=lambda: np.zeros(0))  # accepted money before any rebid
    first_offers: tuple[Floats, Floats] = field(default_factory=lambda: (np.zeros(0), np.zeros(0)))  # by dimension
    announced_asks: Floats = field(init=False)  # as first published

    def __post_init__(self) -> None:
        self.announced_asks = self.asks

    def open_book(self) -> None:
        """Decrypt and check, in the order of blocks, every ciphertext of this window; newer bids replace older ones."""
        places = {buyer.address: place for place, buyer in enumerate(self.buyers)}
        self.bids = np.zeros(len(self.buyers))
        latest: dict[str, BookEntry] = {}
        arrived = [entry for entry in self.book if entry.status == "sealed"]
        for entry in sorted(arrived, key=lambda entry: entry.in_block_s):
            try:
                entry.bid = self.sealed.open(
                    entry.sealed, now_s=entry.in_block_s, closes_s=self.closes_s, window=self.rebids
                )
            except BidRejected as rejection:
                entry.status, entry.reason = "rejected", str(rejection.reason)
                continue
            if entry.bid.bidder in latest:
                latest[entry.bid.bidder].status = "replaced"
            entry.status = "accepted"
            latest[entry.bid.bidder] = entry
            self.bids[places[entry.bid.bidder]] = from_units(entry.bid.total)
        if self.rebids == 0:
            self.first_bids, self.first_offers = self.bids.copy(), self.accepted_offers()

    def clear(self, rule: str, seed: int) -> None:
        """Let the rule decide among those whose bid was accepted; who made none is not in the market, not even at 0."""
        self.bidders = np.flatnonzero(self.bids > 0)
        self.clearing = clear(rule, self.bids[self.bidders], self.asks, reserve=self.reserve_money, seed=seed)

    @property
    def winners(self) -> list[int]:
        """Places of the winning buyers, highest access priority first."""
        return [] if self.clearing is None else self.bidders[self.clearing.buyers].tolist()

    def payment_money(self, place: int) -> float:
        """What the buyer at `place` pays."""
        at = np.flatnonzero(self.bidders == place)
        return float(self.clearing.payments[at[0]]) if self.clearing is not None and at.size else 0.0

    def outbid(self) -> None:
        """Nobody won: what was accepted is about to be replaced by rebids."""
        for entry in self.book:
            if entry.status == "accepted":
                entry.status = "replaced"

    def accepted_offers(self) -> tuple[Floats, Floats]:
        """Money bid for quality and for freshness by each buyer, (buyers,); NaN where no bid was accepted."""
        quality, freshness = np.full(len(self.buyers), np.nan), np.full(len(self.buyers), np.nan)
        for place, offer in enumerate(self.offers):
            # A buyer that priced the licence at nothing has shown that, too; one that was rejected has shown nothing.
            if self.bids[place] > 0 or offer.total_money == 0:
                quality[place], freshness[place] = offer.quality_money, offer.freshness_money
        return quality, freshness

    def row(self, rule: str) -> Row:
        """The auction's line in the table `auctions`."""
        clearing = self.clearing
        traded = clearing is not None and clearing.buyers.size > 0
        return {
            "auction": self.name,
            "category": self.category,
            "rule": rule,
            "closed_at_s": self.closes_s,
            "daos": len(self.sellers),
            "bidders": int((self.bids > 0).sum()),
            "rejected": sum(entry.status == "rejected" for entry in self.book),
            "ask_money": float(self.asks.min()) if self.asks.size else float("nan"),
            "announced_ask_money": float(self.announced_asks.min()) if self.asks.size else float("nan"),
            "reserve_money": self.reserve_money,
            "price_money": clearing.price if clearing is not None and clearing.price is not None else float("nan"),
            "price_set_by": self._price_setter(),
            "winners": int(clearing.buyers.size) if clearing is not None else 0,
            "surplus_money": clearing.surplus if clearing is not None else 0.0,
            "dao_receipt_money": float(clearing.receipts.sum()) if clearing is not None else 0.0,
            "trades": int(traded),
            "rebids": self.rebids,
            "reason": "" if clearing is None or clearing.reason is None else str(clearing.reason),
        }

    def _price_setter(self) -> str:
        """Which report set the price, in words."""
        if self.clearing is None:
            return ""
        payments = self.clearing.payments[self.clearing.buyers]
        return price_setter(payments, self.bids[self.bidders], self.asks, self.reserve_money)

    def bid_rows(self) -> list[Row]:
        """A line for every sealed bid in the table `bids`, in the order of the book, and one for who did not bid."""
        places = {buyer.address: place for place, buyer in enumerate(self.buyers)}
        forgone = self._forgone_money()
        rows = [self._bid_row(entry, places, forgone) for entry in self.book]
        bidding = {entry.sender for entry in self.book}
        silent = [place for place, buyer in enumerate(self.buyers) if buyer.name not in bidding]
        return rows + [self._silent_row(place, forgone) for place in silent]

    def _forgone_money(self) -> Floats:
        """What each buyer's last sealed bid, or its silence, left on the table: (buyers,) money."""
        if self.clearing is None:
            return np.zeros(len(self.buyers))
        return forgone_money(
            self.clearing.rule,
            self.bids,
            self.asks,
            reserve=self.reserve_money,
            seed=self.clearing.seed,
            values=[buyer.valuation_money for buyer in self.buyers],
            limits=[buyer.budget_money for buyer in self.buyers],
        )

    def _bid_row(self, entry: BookEntry, places: dict[str, int], forgone: Floats) -> Row:
        row = self._blank_row(entry.sender) | {
            "sealed_at_s": entry.sealed_at_s,
            "status": entry.status,
            "reason": entry.reason,
        }
        if entry.bid is None:
            return row
        place = places[entry.bid.bidder]
        row |= {
            "quality_price_money": entry.bid.quality_price,
            "freshness_price_money": entry.bid.freshness_price,
            "total_money": from_units(entry.bid.total),
            **self._rivals(place),
            "valuation_money": self.buyers[place].valuation_money,
        }
        clearing = self.clearing
        if entry.status == "accepted" and clearing is not None:
            won = place in self.winners
            payment_money = self.payment_money(place)
            row |= {
                "won": won,
                "dao": self.sellers[int(clearing.sellers[0])].name if won else "",
                "payment_money": payment_money,
                "priority": self.winners.index(place) + 1 if won else 0,
                "provider_utility": self._utility(place),
                "cash_money": self.buyers[place].valuation_money - payment_money if won else 0.0,
                "forgone_money": float(forgone[place]),
            }
        return row

    def _silent_row(self, place: int, forgone: Floats) -> Row:
        buyer = self.buyers[place]
        return self._blank_row(buyer.name) | {
            "total_money": 0.0,
            "status": "no bid",
            "reason": "a licence is worth nothing against the rivals believed in",
            **self._rivals(place),
            "valuation_money": buyer.valuation_money,
            "forgone_money": float(forgone[place]),
        }

    def _rivals(self, place: int) -> Row:
        """What the buyer at `place` foresaw all others to bid, and what they did: both before any rebid."""
        return {
            "predicted_rivals_money": self.offers[place].believed_rivals_money,
            "real_rivals_money": float(self.first_bids.sum() - self.first_bids[place]),
        }

    def _blank_row(self, provider: str) -> Row:
        nothing = float("nan")
        return {
            "auction": self.name,
            "provider": provider,
            "dao": "",
            "quality_price_money": nothing,
            "freshness_price_money": nothing,
            "total_money": nothing,
            "sealed_at_s": nothing,
            "status": "",
            "reason": "",
            "won": False,
            "payment_money": 0.0,
            "priority": 0,
            "predicted_rivals_money": nothing,
            "real_rivals_money": nothing,
            "valuation_money": nothing,
            "provider_utility": 0.0,
            "cash_money": 0.0,
            "forgone_money": nothing,
        }

    def _utility(self, place: int) -> float:
        """Ψ_j (Eq. 16 mended) at the bids really made, summed over quality and freshness, mean over the FL-NFTs.

        A provider's money becomes a unit price with its *own* satisfaction, as in the decision that bid it.
        """
        buyer, quality, freshness = self.buyers[place], *self.accepted_offers()
        ratios = np.array([other.elasticity_ratio for other in self.buyers])
        utilities = []
        for nft in self.nfts:
            step = nft.decision.step
            worth = quality_satisfaction(step.quality, ratios), np.full(len(ratios), step.freshness)
            valuations = buyer.quality_valuation_money, buyer.freshness_valuation_money
            total = 0.0
            for money, satisfaction, valuation in zip((quality, freshness), worth, valuations, strict=True):
                if satisfaction[place] > 0:
                    prices = np.divide(
                        np.nan_to_num(money), satisfaction, out=np.zeros_like(money), where=satisfaction > 0
                    )
                    rivals = prices.sum() - prices[place]
                    total += provider_utility(prices[place], rivals, valuation, float(satisfaction[place]))
            utilities.append(total)
        return float(np.mean(utilities)) if utilities else 0.0

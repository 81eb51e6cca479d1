"""One auction as it unfolds: who sells, who buys, what was accepted, and what the rule made of it."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.dao.fl_nft import FlNft
from flnft_sim.agents.provider import Offer, ServiceProvider
from flnft_sim.agents.tender import Tender
from flnft_sim.arrays import Floats
from flnft_sim.knobs import Settings
from flnft_sim.ledger import from_units, to_units
from flnft_sim.market import (
    BidStatus,
    BookEntry,
    Clearing,
    Lots,
    VoteResult,
    ask_per_licence,
    clear,
    facts_of,
    payments_in_units,
    rebid_step,
)


@dataclass
class Auction:
    """One market of an episode. `bids` are (buyers,), `asks` and `votes` (sellers,)."""

    tender: Tender
    sellers: list[MuDao]
    nfts: list[FlNft]
    buyers: list[ServiceProvider]
    votes: list[VoteResult]
    draw: bytes = field(repr=False)
    """Orders equal reports; sealed when the auction was announced, opened with the clearing."""
    state: str = "announced"
    closes_s: float = 0.0
    asks: Floats = field(default_factory=lambda: np.zeros(0))  # money per licence in whole units, as lowered so far
    announced_asks: Floats = field(default_factory=lambda: np.zeros(0))  # as first published
    bids: Floats = field(default_factory=lambda: np.zeros(0))  # accepted money, 0 where there is none
    bidders: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))  # places of accepted bids
    rule_told: Settings | None = None  # what the rule was told at the last clearing
    clearing: Clearing | None = None
    refunds: dict[int, float] = field(default_factory=dict)  # money that buyers got back, by place
    delivered_worths: dict[int, float] = field(default_factory=dict)  # of the model as delivered, by place of a winner
    _gains_money: dict[int, float] | None = field(default=None, init=False, repr=False, compare=False)  # in the end
    first_bids: Floats = field(default_factory=lambda: np.zeros(0))  # accepted money before any rebid
    first_offers: tuple[Floats, Floats] = field(
        default_factory=lambda: (np.zeros(0), np.zeros(0))
    )  # its two dimensions

    @property
    def name(self) -> str:
        """Its name on the public chain."""
        return self.tender.name

    @property
    def category(self) -> str:
        """What the FL-NFTs on offer are about."""
        return self.tender.category

    @property
    def reserve_money(self) -> float:
        """The reserve price of a licence, published before any bid was sealed."""
        return self.tender.reserve_money

    @property
    def rebids(self) -> int:
        """How many windows were opened after the first."""
        return self.tender.window

    @property
    def book(self) -> list[BookEntry]:
        """Every ciphertext sent so far, in the order of sending."""
        return self.tender.book

    @property
    def offers(self) -> list[Offer]:
        """What each buyer has on offer now: for who looks at the simulation, not for the contract."""
        return [buyer.offers.get(self.name) or Offer.of_nothing() for buyer in self.buyers]

    def ask(self, registered: int, ask_fraction: float) -> None:
        """Ask of each licence its part of the members' claims, shared by all bidders who have `registered`."""
        asks = [ask_per_licence(vote.total_ask, registered, ask_fraction) for vote in self.votes]
        self.asks = self.announced_asks = in_whole_units(asks)

    def lower_asks(self, step: float) -> None:
        """Lower every ask by the share `step`."""
        self.asks = in_whole_units(rebid_step([], self.asks, step=step).asks)

    def open_book(self) -> None:
        """Decrypt and check, in the order of blocks, every ciphertext of this window."""
        self.tender.sealed.open_window(self.tender.window, closes_s=self.closes_s)
        counting = self.tender.sealed.bids
        totals = [counting[buyer.address].total if buyer.address in counting else 0 for buyer in self.buyers]
        self.bids = np.array([from_units(total) for total in totals])
        if self.rebids == 0:
            self.first_bids, self.first_offers = self.bids.copy(), self.accepted_offers()

    @cached_property
    def lots(self) -> Lots:
        """Of all buyers and sellers, in every window the same."""
        bidders = [bytes.fromhex(buyer.chain_key.address[2:]) for buyer in self.buyers]
        # Where nothing is minted yet, a DAO's own address stands for its token.
        tokens = [nft.token for nft in self.nfts] or [int(dao.address, 16) for dao in self.sellers]
        return Lots.sealed(self.draw, bidders=bidders, tokens=tokens)

    def clear(self, rule: str, told: Settings | None = None) -> Clearing:
        """Let the rule, as it is told, decide among those whose bid was accepted.

        Who made none is not in the market, not even at 0.
        """
        self.bidders, self.rule_told = np.flatnonzero(self.bids > 0), told
        bids, lots = self.bids[self.bidders], self.lots.of_bids(self.bidders)
        self.clearing = clear(rule, bids, self.asks, reserve=self.reserve_money, lots=lots, settings=told)
        return self.clearing

    def keep_sellers(self, places: list[int]) -> None:
        """Go on with the sellers at these places alone."""
        if len(places) == len(self.sellers):
            return
        self.sellers = [self.sellers[place] for place in places]
        self.nfts = [self.nfts[place] for place in places]
        self.votes = [self.votes[place] for place in places]
        self.asks, self.announced_asks = self.asks[places], self.announced_asks[places]
        self.__dict__.pop("lots", None)  # drawn among those who were there

    @property
    def winners(self) -> list[int]:
        """Places of the winning buyers, highest access priority first."""
        return [] if self.clearing is None else self.bidders[self.clearing.buyers].tolist()

    @property
    def worths(self) -> list[float]:
        """What a licence is worth to each buyer as announced: for who looks at the simulation."""
        return [buyer.worth(self.tender) for buyer in self.buyers]

    @property
    def gains_money(self) -> dict[int, float]:
        """What each winner gains, by place: what it got is worth to it, less its payment; once settled, what it was."""
        if self._gains_money is not None:
            return self._gains_money
        worths, paid = dict(enumerate(self.worths)) | self.delivered_worths, self.payments_money
        return {place: worths[place] - paid[place] + self.refunds.get(place, 0.0) for place in self.winners}

    def end(self) -> None:
        """All is settled: what demand moves from now on changes nothing of what was gained."""
        self.state, self._gains_money = "settled", self.gains_money

    @property
    def payments_money(self) -> list[float]:
        """What each buyer pays: (buyers,)."""
        payments = [0.0] * len(self.buyers)
        if self.clearing is not None:
            shared = facts_of(self.clearing.rule).asks == "total"  # shares of a total are whole units
            paid = map(from_units, payments_in_units(self.clearing)) if shared else self.clearing.payments.tolist()
            for place, money in zip(self.bidders.tolist(), paid, strict=True):
                payments[place] = money
        return payments

    def accepted_offers(self) -> tuple[Floats, Floats]:
        """Money bid for quality and for freshness by each buyer, (buyers,); NaN where no bid was accepted.

        The two parts of a bid are what its bidder's prices, announced to users in the decision phases, come to.
        """
        parts = np.full((2, len(self.buyers)), np.nan)
        for place, (offer, bid) in enumerate(zip(self.offers, self.bids.tolist(), strict=True)):
            # A buyer that priced the licence at nothing has shown that, too; one that was rejected has shown nothing.
            if bid > 0 or offer.total_money == 0:
                parts[:, place] = offer.quality_money, offer.freshness_money
        return parts[0], parts[1]

    @property
    def rejected(self) -> int:
        """How many ciphertexts did not count from the start."""
        return sum(entry.status is BidStatus.REJECTED for entry in self.book)


def in_whole_units(money: ArrayLike) -> Floats:
    """Amounts of money as the ledger counts them: what is compared is what is paid."""
    return np.array([from_units(to_units(amount)) for amount in np.asarray(money, np.float64).tolist()])

"""A service provider: it prices an FL-NFT by what it believes of its rivals, seals a bid, and bids again."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import mesa
import numpy as np
import simpy

from flnft_sim.agents.actor import Actor
from flnft_sim.agents.decision import Decision
from flnft_sim.agents.tender import Tender, submit
from flnft_sim.agents.world import World
from flnft_sim.ledger import to_units
from flnft_sim.market import Bid, Content, Envelope, rebid_step

Process = Generator[simpy.Event, Any, Any]


@dataclass(frozen=True)
class Offer:
    """What a provider bids for a licence: money for quality and for freshness, and the prices they come from."""

    quality_price: float
    freshness_price: float
    quality_money: float
    freshness_money: float
    total_money: float
    believed_rivals_money: float

    @classmethod
    def of_nothing(cls) -> "Offer":
        """Where nothing is for sale."""
        return cls(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    def scaled_to(self, total_money: float) -> "Offer":
        """The same offer at another total, as a rebid."""
        factor = total_money / self.total_money if self.total_money > 0 else 0.0
        return replace(
            self,
            quality_price=self.quality_price * factor,
            freshness_price=self.freshness_price * factor,
            quality_money=self.quality_money * factor,
            freshness_money=self.freshness_money * factor,
            total_money=total_money,
        )


class ServiceProvider(Actor):
    """One buyer of licences, with a budget, a valuation that its hidden demand moves, and a key."""

    role = "provider"

    def __init__(
        self,
        model: mesa.Model,
        world: World,
        number: int,
        *,
        category: str,
        quality_elasticity: float,
        overspends: bool,
    ) -> None:
        super().__init__(model, world, number)
        game = world.settings.game
        self.category, self.quality_elasticity, self.overspends = category, quality_elasticity, overspends
        self.budget_money = game.budget_money
        self.base_valuation_money = game.valuation_money or game.budget_money
        self.valuation_money = self.base_valuation_money
        self.offers: dict[str, Offer] = {}  # what it has on offer, or had last, by auction
        self._nonce = 0
        self._timing = world.streams.generator("bid timing", number)
        self._entropy = world.streams.generator("bid sealing", number)

    def wants(self, content: str) -> bool:
        """Whether it can use an FL-NFT of the content of that name."""
        return content == self.category or Content.named(content).meets(Content.named(self.category))

    @property
    def elasticity_ratio(self) -> float:
        """λ_j = e^Q/e^F (Eq. 9)."""
        return self.quality_elasticity / (1.0 - self.quality_elasticity)

    @property
    def quality_valuation_money(self) -> float:
        """V_j^Q = e_j^Q·V_j."""
        return self.quality_elasticity * self.valuation_money

    @property
    def freshness_valuation_money(self) -> float:
        """V_j^F = e_j^F·V_j, the rest of V_j."""
        return self.valuation_money - self.quality_valuation_money

    @property
    def valuations_money(self) -> tuple[float, float]:
        """V_j^Q and V_j^F."""
        return self.quality_valuation_money, self.freshness_valuation_money

    def feel_demand(self, factor: float) -> None:
        """Let the hidden demand regime move the valuation for the coming auction."""
        self.valuation_money = self.base_valuation_money * factor

    def offer(self, decisions: Sequence[Decision]) -> Offer:
        """The bid that the last decisions amount to; where several DAOs sell the category, their mean.

        The licence is that of whichever DAO is cheapest, which nobody knows when bids are sealed.
        """
        if not decisions:
            return Offer.of_nothing()
        rows = list[tuple[float, ...]]()
        for decision in decisions:
            me, step = decision.buyers.index(self.number), decision.step
            prices = step.quality_prices[me], step.freshness_prices[me]
            money = step.quality_money[me], step.freshness_money[me]
            rows.append((*prices, *money, sum(money), decision.believed_rivals_money[me]))
        return Offer(*(map(float, rows[0]) if len(rows) == 1 else np.mean(rows, axis=0).tolist()))

    def worth(self, tender: Tender) -> float:
        """What a licence of what is announced is worth to it: V_j, or v_j of what is promised; money."""
        promise = tender.promise
        if promise is None:
            return self.valuation_money
        return promise.worth(self.valuation_money, self.quality_elasticity, promise.model)

    def value(self, tender: Tender) -> Offer:
        """Its value of what is promised, as a bid: what it says moves nothing but whether it wins.

        Quality and freshness have their elasticities' parts of it; beliefs are about these.
        """
        money, beliefs = min(self.worth(tender), self.budget_money), self.world.beliefs
        others = sum(float(sum(part)) for part in beliefs.believed_money(tender.rivals_of(self.number)))
        quality = self.quality_elasticity * money
        return Offer(0.0, 0.0, quality, money - quality, money, others)

    def bid(self, tender: Tender) -> Process:
        """Live through an auction: lock the budget, seal and send a bid, and again as long as nobody wins.

        Whoever prices the licence at nothing stays away (an overspender comes anyway). The whole budget is locked:
        escrowing the bid would reveal it.
        """
        offer = self.offer(tender.decisions) if tender.promise is None else self.value(tender)
        money = yield from self.world.policy.bid(self.number, offer.total_money)
        offer = self.offers[tender.name] = offer if money == offer.total_money else offer.scaled_to(money)
        if not (offer.total_money > 0 or self.overspends):
            return
        self.world.accounts.escrow(self.address, tender.name, to_units(self.budget_money))
        rebids = True
        while rebids:
            moved = tender.moved
            yield self.world.env.timeout(tender.soon_s(self._timing))
            yield from submit(self, tender, self._sealed(tender))
            rebids = yield moved
            if rebids:
                self._raise(tender.name)

    def _raise(self, auction: str) -> None:
        """Bid a step more where nobody won, at most a licence's worth and the budget."""
        offer, limit = self.offers[auction], min(self.valuation_money, self.budget_money)
        raised = rebid_step([offer.total_money], [], step=self.world.settings.market.rebid_step, bid_limits=limit)
        self.offers[auction] = offer.scaled_to(float(raised.bids[0]))

    def _sealed(self, tender: Tender) -> Envelope:
        """A signed and encrypted bid for the open window (an overspender's exceeds its budget, and is refused)."""
        self._nonce += 1
        offer = self.offers[tender.name]
        money = 2.0 * self.budget_money if self.overspends else offer.total_money
        bid = Bid(
            auction_id=tender.name,
            bidder=self.address,
            quality_price=offer.quality_price,
            freshness_price=offer.freshness_price,
            total=to_units(money),
            nonce=self._nonce,
            window=tender.window,
        )
        return Envelope(bid, self.key.signing_key, tender.seal_to, entropy=self._entropy.bytes(32))

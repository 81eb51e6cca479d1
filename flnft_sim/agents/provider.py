"""A service provider: it prices an FL-NFT by what it believes of its rivals, and seals a bid."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import mesa
import numpy as np

from flnft_sim.agents.actor import Actor
from flnft_sim.ledger import to_units
from flnft_sim.market import Bid, seal

if TYPE_CHECKING:
    from flnft_sim.agents.dao.decision import Decision
    from flnft_sim.agents.world import World


@dataclass(frozen=True)
class Offer:
    """What a provider bids for a licence: money for quality and for freshness, and the prices they come from."""

    quality_price: float
    freshness_price: float
    quality_money: float
    freshness_money: float
    total_money: float
    believed_rivals_money: float

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
        world: "World",
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
        self._nonce = 0
        self._timing = world.streams.generator("bid timing", number)
        self._entropy = world.streams.generator("bid sealing", number)

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

    def feel_demand(self, factor: float) -> None:
        """Let the hidden demand regime move the valuation for the coming auction."""
        self.valuation_money = self.base_valuation_money * factor

    def offer(self, decisions: Sequence["Decision"]) -> Offer:
        """The bid that the last decisions amount to; where several DAOs sell the category, their mean.

        The licence is that of whichever DAO is cheapest, which nobody knows when bids are sealed.
        """
        if not decisions:
            return Offer(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        rows = []
        for decision in decisions:
            me, step = decision.buyers.index(self), decision.step
            prices = step.quality_prices[me], step.freshness_prices[me]
            money = step.quality_money[me], step.freshness_money[me]
            rows.append((*prices, *money, sum(money), decision.believed_rivals_money[me]))
        return Offer(*np.mean(rows, axis=0).tolist())

    def seal_bid(self, auction: str, window: int, seal_to: bytes, offer: Offer) -> bytes:
        """A signed and encrypted bid for one window (an overspender's exceeds its budget, and will be refused)."""
        self._nonce += 1
        money = 2.0 * self.budget_money if self.overspends else offer.total_money
        bid = Bid(
            auction_id=auction,
            bidder=self.address,
            quality_price=offer.quality_price,
            freshness_price=offer.freshness_price,
            total=to_units(money),
            nonce=self._nonce,
            window=window,
        )
        return seal(bid, self.key.signing_key, seal_to, entropy=self._entropy.bytes(32))

    def bid_delay_s(self, window_s: float) -> float:
        """When in the first twentieth of the window the bid is sent: early enough to be in a block in time."""
        return float(self._timing.uniform(0.0, 0.05)) * window_s

"""The paper's mechanism: every DAO mints first, then its FL-NFT is auctioned licence by licence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.dao.decision import settled_decision
from flnft_sim.agents.decision import Decision
from flnft_sim.agents.mechanisms.base import MECHANISMS, Mechanism, Process
from flnft_sim.agents.provider import Offer, ServiceProvider
from flnft_sim.ledger import Transaction, to_units
from flnft_sim.market import ask_per_licence


@MECHANISMS.register("paper")
class PaperMechanism(Mechanism):
    """Prices move users, work comes first, and what was minted is sold to whoever still wants it."""

    def hold_episode(self, episode: int) -> Process:
        """Every DAO mints; when all are done the market opens."""
        env, daos = self.parties.world.env, self.parties.daos
        self.enter("minting", episode)
        yield env.all_of([env.process(dao.mint_nft(episode)) for dao in daos])
        self.enter("auction", episode)
        yield from self.parties.contract.hold_auctions(episode, daos)

    def past_auction(self, name: str, category: str) -> Transaction | None:
        """Decisions settled off the clock, everybody's bid and the lowest ask as they follow from them."""
        world, market = self.parties.world, settled_market(self.parties.daos, category)
        if market is None:
            return None
        offers = market.offers
        bidders = sum(offer.total_money > 0 for offer in offers)
        fraction = world.settings.market.ask_fraction
        lowest = min(ask_per_licence(float(each.rewards.sum()), bidders, fraction) for each in market.decisions)
        world.reserves.learn(market.category, lowest)
        quality, freshness = ([getattr(o, part) for o in offers] for part in ("quality_money", "freshness_money"))
        world.beliefs.observe(np.array(quality), np.array(freshness), [buyer.number for buyer in market.buyers])
        payload = {
            "auction": name,
            "bids": {b.address: to_units(o.total_money) for b, o in zip(market.buyers, offers, strict=True)},
            "lowest_ask_units": to_units(lowest),
        }
        return world.public_chain.chain.sign(self.parties.contract.key, "past-auction", payload)


@dataclass(frozen=True)
class SettledMarket:
    """A category's market off the clock: decisions settled, everybody's offer known."""

    category: str
    daos: tuple[MuDao, ...]
    buyers: tuple[ServiceProvider, ...]
    decisions: tuple[Decision, ...]
    """One a DAO."""

    @property
    def offers(self) -> list[Offer]:
        """What each buyer bids."""
        return [buyer.offer(self.decisions) for buyer in self.buyers]


def settled_market(daos: Sequence[MuDao], category: str) -> SettledMarket | None:
    """The market of a category as it stands now, None where nobody sells or nobody demands it."""
    sellers = tuple(dao for dao in daos if dao.category == category)
    if not sellers or not sellers[0].buyers:
        return None
    decisions = tuple(settled_decision(dao) for dao in sellers)
    return SettledMarket(category, sellers, tuple(sellers[0].buyers), decisions)

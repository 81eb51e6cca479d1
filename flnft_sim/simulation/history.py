"""The story's first chapter: past auctions, played off the clock, which beliefs and reserves learn from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.dao.decision import settled_decision
from flnft_sim.agents.dao.experience import Experience
from flnft_sim.agents.decision import Decision
from flnft_sim.agents.provider import Offer, ServiceProvider
from flnft_sim.learning import Noise, SurrogateLearner, load_curves
from flnft_sim.ledger import Transaction, to_units
from flnft_sim.market import ask_per_licence
from flnft_sim.scenario import Scenario
from flnft_sim.simulation.cast import Cast


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


def play_history(cast: Cast, auctions: int) -> None:
    """Play `auctions` past auctions of every category off the clock, all on the ledger."""
    transactions: list[Transaction] = []
    measured = [dao.experience for dao in cast.daos]
    for dao in cast.daos if auctions else ():
        dao.experience = foreseen(dao, cast.settings)
    for number in range(auctions):
        cast.next_demand()
        for category in dict.fromkeys(dao.category for dao in cast.daos):
            market = settled_market(cast.daos, category)
            if market is not None:
                transactions.append(_past_auction(cast, f"{category}-h{number}", market))
    for dao, nothing in zip(cast.daos, measured, strict=True):
        dao.experience = nothing
    if transactions:
        cast.world.public_chain.chain.append(transactions, time_s=0.0, producer="history")


def _past_auction(cast: Cast, name: str, market: SettledMarket) -> Transaction:
    """Let the ledger learn from a market, and sign what it shows."""
    world, offers = cast.world, market.offers
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
    return world.public_chain.chain.sign(cast.contract.key, "past-auction", payload)


def foreseen(dao: MuDao, settings: Scenario) -> Experience:
    """What the surrogate learner tells of a whole minting at k⁰ epochs.

    A workload without a fitted curve is taken as it is before anything is measured.
    """
    experience = dao.unmeasured()
    workload = f"{settings.learning.dataset}/{settings.learning.model}"
    if workload not in load_curves():
        return experience
    learner = SurrogateLearner(
        load_curves()[workload],
        dao.learner.model,
        dao.shard_sizes,
        batch_size=settings.learning.batch_size,
        noise=Noise(sensitivity=settings.learning.sensitivity, clip_l1=settings.learning.clip_l1),
        seed=dao.world.streams.integer("history", dao.number),
    )
    everyone = np.arange(len(dao.members))
    epochs = np.full(len(everyone), settings.game.default_epochs)
    privacy = np.full(len(everyone), settings.game.privacy_range[1])
    losses = np.zeros(len(everyone))
    for number in range(1, settings.learning.rounds + 1):
        updates = learner.train(number, everyone, epochs, privacy)
        learner.aggregate(updates, np.ones(len(everyone), dtype=bool))
        losses += updates.losses
    experience.mean_loss, experience.update_norm = losses / settings.learning.rounds, updates.update_norms
    return experience

"""The story's first chapter: past auctions, played off the clock, which beliefs and reserves learn from."""

import numpy as np

from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.dao.experience import Experience
from flnft_sim.learning import Noise, SurrogateLearner, load_curves
from flnft_sim.ledger import Transaction
from flnft_sim.scenario import Scenario
from flnft_sim.simulation.cast import Cast


def play_history(cast: Cast, auctions: int) -> None:
    """Play `auctions` past auctions of every category off the clock, all on the ledger."""
    transactions: list[Transaction] = []
    measured = [dao.experience for dao in cast.daos]
    for dao in cast.daos if auctions else ():
        dao.experience = foreseen(dao, cast.settings)
    for number in range(auctions):
        cast.next_demand()
        for category in dict.fromkeys(dao.category for dao in cast.daos):
            transaction = cast.mechanism.past_auction(f"{category}-h{number}", category)
            if transaction is not None:
                transactions.append(transaction)
    for dao, nothing in zip(cast.daos, measured, strict=True):
        dao.experience = nothing
    if transactions:
        cast.world.public_chain.chain.append(transactions, time_s=0.0, producer="history")


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

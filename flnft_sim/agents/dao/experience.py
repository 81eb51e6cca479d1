"""What a DAO has measured of its members in the rounds of one minting."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from flnft_sim.agents.dao.work import Work
from flnft_sim.arrays import Floats, Ints
from flnft_sim.learning import LocalUpdates, Participation, SurrogateLearner, load_curves

if TYPE_CHECKING:
    from flnft_sim.agents.dao.dao import MuDao


@dataclass
class Experience:
    """Arrays (N,) over a DAO's members."""

    mean_loss: Floats  # H̄_i, mean cross-entropy over the rounds so far
    update_norm: Floats  # ‖g̃_i‖ of the last noised update
    fixed_age_s: Floats  # upload and consensus time of the last update
    last_epochs: Floats  # k_i of the last update
    rounds: Ints  # how many rounds mean_loss is over

    @classmethod
    def of_nothing(cls, dao: "MuDao") -> Self:
        """Before anything is measured: H̄ = ln(classes), ‖g̃‖ = 1, and the age of an uncontended upload (Eq. 11)."""
        world, count = dao.world, len(dao.members)
        alone_s = world.cell.links.upload_alone_s(dao.learner.model.upload_bits)
        return cls(
            mean_loss=np.full(count, np.log(dao.learner.model.classes)),
            update_norm=np.ones(count),
            fixed_age_s=alone_s[dao.members.numbers] + dao.members.expected_consensus_s(dao.ledger),
            last_epochs=np.full(count, float(world.settings.game.default_epochs)),
            rounds=np.zeros(count, dtype=np.int64),
        )

    @classmethod
    def foreseen(cls, dao: "MuDao") -> Self:
        """What the surrogate learner tells of a whole minting at k⁰ epochs, for the auctions of the ledger's history.

        A workload without a fitted curve is taken as it is before anything is measured.
        """
        experience, settings = cls.of_nothing(dao), dao.world.settings
        workload = f"{settings.learning.dataset}/{settings.learning.model}"
        if workload not in load_curves():
            return experience
        learner = SurrogateLearner(
            load_curves()[workload],
            dao.learner.model,
            dao.shard_sizes,
            batch_size=settings.learning.batch_size,
            sensitivity=settings.learning.sensitivity,
            clip_l1=settings.learning.clip_l1,
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

    def learn(self, plan: Participation, work: Work, updates: LocalUpdates) -> None:
        """Take in a round's final contributions; a first measurement replaces the guess that stood before it."""
        rows = np.flatnonzero(work.arrived)
        members = plan.users[rows]
        self.rounds[members] += 1
        self.mean_loss[members] += (updates.losses[rows] - self.mean_loss[members]) / self.rounds[members]
        self.update_norm[members] = updates.update_norms[rows]
        self.fixed_age_s[members] = work.upload_s[rows] + work.consensus_s[rows]
        self.last_epochs[members] = plan.epochs[rows]

"""What a DAO has measured of its members in the rounds of one minting."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from flnft_sim.agents.dao.round import Round
from flnft_sim.arrays import Floats, Ints


@dataclass
class Experience:
    """Arrays (N,) over a DAO's members."""

    mean_loss: Floats  # H̄_i, mean cross-entropy over the rounds so far
    update_norm: Floats  # ‖g̃_i‖ of the last noised update
    fixed_age_s: Floats  # upload, consensus and, in a secure sum, masking time of the last update
    last_epochs: Floats  # k_i of the last update, as its user says
    rounds: Ints  # how many rounds mean_loss is over

    @classmethod
    def of_nothing(cls, fixed_age_s: Floats, *, classes: int, epochs: int) -> Self:
        """Before anything is measured: H̄ = ln(classes), ‖g̃‖ = 1, and what is expected of ages (N,) and epochs."""
        count = len(fixed_age_s)
        return cls(
            mean_loss=np.full(count, np.log(classes)),
            update_norm=np.ones(count),
            fixed_age_s=fixed_age_s,
            last_epochs=np.full(count, float(epochs)),
            rounds=np.zeros(count, dtype=np.int64),
        )

    def learn(self, held: Round) -> None:
        """Take in a round's final contributions; a first measurement replaces the guess that stood before it."""
        plan, work, updates = held.plan, held.work, held.updates
        rows = np.flatnonzero(work.arrived)
        members = plan.users[rows]
        self.rounds[members] += 1
        self.mean_loss[members] += (updates.losses[rows] - self.mean_loss[members]) / self.rounds[members]
        self.update_norm[members] = updates.update_norms[rows]
        self.fixed_age_s[members] = work.upload_s[rows] + work.consensus_s[rows] + work.masking_s[rows]
        self.last_epochs[members] = held.claimed_epochs[rows]

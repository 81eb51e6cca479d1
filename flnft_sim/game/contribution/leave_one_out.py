"""Contribution as what would be missing."""

import numpy as np

from flnft_sim.game.contribution.base import CONTRIBUTIONS, Arrivals, Measured


@CONTRIBUTIONS.register("leave-one-out")
def leave_one_out(arrived: Arrivals) -> Measured:
    """v(N) − v(N∖i): by how much the validation loss would be higher without a user's update, in nats."""
    everybody = np.ones((1, len(arrived)), dtype=bool)
    worth = arrived.worth(np.concatenate([everybody, ~np.eye(len(arrived), dtype=bool)]))
    return Measured.exactly(worth[0] - worth[1:])

"""Contribution of an update by itself."""

import numpy as np

from flnft_sim.game.contribution.base import CONTRIBUTIONS, Arrivals, Measured


@CONTRIBUTIONS.register("loss-drop")
def loss_drop(arrived: Arrivals) -> Measured:
    """v({i}): by how much a user's update alone lowers the validation loss, in nats."""
    return Measured.exactly(arrived.worth(np.eye(len(arrived), dtype=bool)))

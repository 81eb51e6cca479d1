"""Contribution by direction."""

import numpy as np

from flnft_sim.arrays import length
from flnft_sim.game.contribution.base import CONTRIBUTIONS, Arrivals, Measured, MeasureFacts


@CONTRIBUTIONS.register("cosine", facts=MeasureFacts(validates=False))
def cosine(arrived: Arrivals) -> Measured:
    """cos(u_i, u): how far a user's update points where the aggregate has gone, −1 to 1 (Xu et al. 2021, Eq. 1).

    0 for an update of length 0, and where the model has not moved.
    """
    updates, step = arrived.updates.astype(np.float64), arrived.step.astype(np.float64)
    lengths = np.linalg.norm(updates, axis=1) * length(step)
    products = (updates * step).sum(axis=1)  # not a matrix product, whose bits depend on the library's threads
    return Measured.exactly(np.divide(products, lengths, out=np.zeros(len(arrived)), where=lengths > 0))

"""Equal shares at random: the paper's split."""

import numpy as np

from flnft_sim.learning.partitions.base import PARTITIONS, Split


@PARTITIONS.register("iid")
def iid(labels: np.ndarray, users: int, *, rng: np.random.Generator) -> Split:
    """Equal shares of a random permutation (the paper's split); sizes differ by at most one."""
    return np.array_split(rng.permutation(len(labels)), users)

"""Shards of given sizes."""

import numpy as np

from flnft_sim.learning.partitions.base import PARTITIONS, PartitionError, Split
from flnft_sim.settings.learning import SizesSettings


@PARTITIONS.register("sizes", settings=SizesSettings)
def given_sizes(labels: np.ndarray, users: int, *, rng: np.random.Generator, settings: SizesSettings) -> Split:
    """Random shards of given sizes; what they do not cover stays unused."""
    counts = np.asarray(settings.sizes or ())
    if counts.shape != (users,) or counts.dtype.kind not in "iu" or counts.min() < 1:
        raise PartitionError(
            f"partition sizes: {counts.tolist()} must be {users} whole numbers, one a user, each at least 1"
        )
    if counts.sum() > len(labels):
        raise PartitionError(f"partition sizes: they sum to {counts.sum()}, the data has {len(labels)} samples")
    return np.split(rng.permutation(len(labels))[: counts.sum()], np.cumsum(counts)[:-1])

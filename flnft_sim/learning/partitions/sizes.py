"""Shards of given sizes."""

from collections.abc import Sequence

import numpy as np

from flnft_sim.learning.partitions.base import PARTITIONS, PartitionError, Split


@PARTITIONS.register("sizes")
def given_sizes(labels: np.ndarray, users: int, *, rng: np.random.Generator, sizes: Sequence[int]) -> Split:
    """Random shards of given sizes; what they do not cover stays unused."""
    counts = np.asarray(sizes)
    if counts.shape != (users,) or counts.dtype.kind not in "iu" or counts.min() < 1:
        raise PartitionError(
            f"partition sizes: {list(sizes)} must be {users} whole numbers, one a user, each at least 1"
        )
    if counts.sum() > len(labels):
        raise PartitionError(f"partition sizes: they sum to {counts.sum()}, the data has {len(labels)} samples")
    return np.split(rng.permutation(len(labels))[: counts.sum()], np.cumsum(counts)[:-1])

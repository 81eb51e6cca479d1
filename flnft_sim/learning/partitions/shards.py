"""Few labels a user: sorted pieces dealt out."""

import numpy as np

from flnft_sim.learning.partitions.base import PARTITIONS, PartitionError, Split
from flnft_sim.settings.learning import ShardsSettings


@PARTITIONS.register("shards", settings=ShardsSettings)
def label_shards(labels: np.ndarray, users: int, *, rng: np.random.Generator, settings: ShardsSettings) -> Split:
    """Sort by label, cut into users·`shards_per_user` pieces and deal them (McMahan et al. 2017's non-IID split)."""
    n = settings.shards_per_user
    if users * n > len(labels):
        raise PartitionError(
            f"partition shards: {users} users × shards_per_user = {n} do not fit {len(labels)} samples; "
            f"shards_per_user must be in 1..{len(labels) // users}"
        )
    by_label = rng.permutation(len(labels))
    by_label = by_label[np.argsort(labels[by_label], kind="stable")]
    pieces = np.array_split(by_label, users * n)
    deal = rng.permutation(users * n).reshape(users, n)
    return [np.concatenate([pieces[i] for i in hand]) for hand in deal]

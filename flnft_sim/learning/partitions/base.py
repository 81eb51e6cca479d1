"""Who holds which samples: the one way to split a training set among users, and a table of what each one got."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from flnft_sim import families
from flnft_sim.arrays import Ints
from flnft_sim.checks import whole
from flnft_sim.errors import InputError
from flnft_sim.registry import Registry

type Split = list[Ints]
"""One array of sample indices a user."""

# A partition takes labels (n,), the number of users, `rng`, and `settings` where it registered a class of them.
PARTITIONS: Registry[Callable[..., Split]] = families.PARTITIONS


class PartitionError(InputError):
    """A split that cannot be made."""


def partition(kind: str, labels: np.ndarray, users: int, *, rng: np.random.Generator, **settings: Any) -> Split:
    """Split samples among users: one array of distinct sample indices a user, none of them empty.

    Further settings are the partition's own (`dirichlet`: alpha, `shards`: shards_per_user, `sizes`: sizes).
    """
    split, given = PARTITIONS.get(kind), PARTITIONS.given(kind, **settings)
    whole(f"partition {kind}: the number of users", users, least=1, error=PartitionError)
    if users > len(labels):
        raise PartitionError(
            f"partition {kind}: {users} users cannot share {len(labels)} samples, one each at least; "
            "choose fewer users or more data"
        )
    return split(labels, users, rng=rng, **given)


def partition_table(shards: Sequence[np.ndarray], labels: np.ndarray, classes: int) -> pd.DataFrame:
    """Count what each user got: one row a user with columns `samples`, `class_0`, `class_1` …"""
    counts = np.stack([np.bincount(labels[shard], minlength=classes) for shard in shards])
    table = pd.DataFrame(counts, columns=[f"class_{label}" for label in range(classes)])
    table.insert(0, "samples", counts.sum(axis=1))
    table.index.name = "user"
    return table

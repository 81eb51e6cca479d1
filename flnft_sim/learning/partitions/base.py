"""Who holds which samples: the one way to split a training set among users, and a table of what each one got."""

import inspect
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

# A partition takes labels (n,), the number of users and `rng`, and settings of its own by keyword.
PARTITIONS: Registry[Callable[..., Split]] = families.PARTITIONS


class PartitionError(InputError):
    """A split that cannot be made."""


def partition(kind: str, labels: np.ndarray, users: int, *, rng: np.random.Generator, **settings: Any) -> Split:
    """Split samples among users: one array of distinct sample indices a user, none of them empty."""
    split = PARTITIONS.get(kind)
    whole(f"partition {kind}: the number of users", users, least=1, error=PartitionError)
    if users > len(labels):
        raise PartitionError(
            f"partition {kind}: {users} users cannot share {len(labels)} samples, one each at least; "
            "choose fewer users or more data"
        )
    try:
        inspect.signature(split).bind(labels, users, rng=rng, **settings)
    except TypeError as error:
        raise PartitionError(f"partition {kind}: {error}") from None
    return split(labels, users, rng=rng, **settings)


def partition_table(shards: Sequence[np.ndarray], labels: np.ndarray, classes: int) -> pd.DataFrame:
    """Count what each user got: one row a user with columns `samples`, `class_0`, `class_1` …"""
    counts = np.stack([np.bincount(labels[shard], minlength=classes) for shard in shards])
    table = pd.DataFrame(counts, columns=[f"class_{label}" for label in range(classes)])
    table.insert(0, "samples", counts.sum(axis=1))
    table.index.name = "user"
    return table

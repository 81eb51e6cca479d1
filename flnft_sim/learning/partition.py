"""Who holds which samples: ways to split a training set among users, and a table of what each one got."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flnft_sim import families
from flnft_sim.errors import InputError
from flnft_sim.learning.data import Dataset, load_dataset
from flnft_sim.registry import Registry
from flnft_sim.streams import Streams

Shards = list[np.ndarray]

# A partition takes labels (n,), the number of users and `rng`, and settings of its own by keyword.
PARTITIONS: Registry[Callable[..., Shards]] = families.PARTITIONS


class PartitionError(InputError):
    """A split that cannot be made."""


def partition(kind: str, labels: np.ndarray, users: int, *, rng: np.random.Generator, **settings: Any) -> Shards:
    """Split samples among users: one array of distinct sample indices a user, none of them empty."""
    split = PARTITIONS.get(kind)
    if users < 1:
        raise PartitionError(f"partition {kind}: {users} users; at least 1 is needed")
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


@PARTITIONS.register("iid")
def iid(labels: np.ndarray, users: int, *, rng: np.random.Generator) -> Shards:
    """Equal shares of a random permutation (the paper's split); sizes differ by at most one."""
    return np.array_split(rng.permutation(len(labels)), users)


@PARTITIONS.register("dirichlet")
def dirichlet(labels: np.ndarray, users: int, *, rng: np.random.Generator, alpha: float = 0.5) -> Shards:
    """Split each class among the users in proportions drawn from Dirichlet(α): small α, unlike users.

    (Hsu, Qi, Brown 2019, in the per-class form of Li et al. 2022.) As α grows, sizes become equal; as it vanishes,
    each class goes to one user. A user left with nothing takes one sample from the largest shard.
    """
    if not 0 < alpha < np.inf:
        raise PartitionError(f"partition dirichlet: alpha {alpha} must be positive and finite")
    parts: list[list[np.ndarray]] = [[] for _ in range(users)]
    owed = np.zeros(users)  # samples that rounding has kept from each user so far
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        shares = _proportions(users, alpha, rng)
        if _is_fine(users, alpha, len(members)):
            wanted = shares * len(members)
            counts = _whole(wanted + owed, len(members))
            owed += wanted - counts
            cuts = np.cumsum(counts)[:-1]
        else:
            cuts = np.rint(np.cumsum(shares)[:-1] * len(members)).astype(int)
        for user, part in enumerate(np.split(members, cuts)):
            parts[user].append(part)
    shards = [rng.permutation(np.concatenate(part)) for part in parts]
    sizes = np.array([len(shard) for shard in shards])
    for empty in np.flatnonzero(sizes == 0):
        largest = int(sizes.argmax())
        shards[empty], shards[largest] = shards[largest][:1], shards[largest][1:]
        sizes[empty], sizes[largest] = 1, sizes[largest] - 1
    return shards


def _proportions(users: int, alpha: float, rng: np.random.Generator) -> np.ndarray:
    """A draw from Dirichlet(α, …, α), at its limits where floating point has none: all alike, or all to one."""
    if alpha > 1e12:  # a user's share is then within a millionth of 1/users, and NumPy's gamma variates would overflow
        return np.full(users, 1 / users)
    shares = rng.dirichlet(np.full(users, alpha))
    if not np.isclose(shares.sum(), 1):  # NumPy's underflow
        shares = np.zeros(users)
        shares[rng.integers(users)] = 1.0
    return shares


def _is_fine(users: int, alpha: float, members: int) -> bool:
    """Whether users' counts of a class differ by less than a sample (a standard deviation of Dirichlet(α)).

    Rounding then decides who gets more, and would favour the same users in every class.
    """
    return bool(members / users * np.sqrt((users - 1) / (users * alpha + 1)) < 1)


def _whole(wanted: np.ndarray, total: int) -> np.ndarray:
    """Whole counts that sum to `total`, as `wanted` does, and lie close to it; whoever wants less than 0 gets 0."""
    counts = np.floor(wanted.clip(min=0)).astype(int)
    while missing := total - int(counts.sum()):
        over = counts - wanted
        if missing > 0:
            counts[np.argsort(over, kind="stable")[:missing]] += 1
        else:
            counts[
                np.argsort(np.where(counts > 0, -over, np.inf), kind="stable")[
                    : min(-missing, np.count_nonzero(counts))
                ]
            ] -= 1
    return counts


@PARTITIONS.register("shards")
def label_shards(labels: np.ndarray, users: int, *, rng: np.random.Generator, n: int = 2) -> Shards:
    """Sort by label, cut into users·n pieces and deal n to each user (McMahan et al. 2017's non-IID split)."""
    if n < 1 or users * n > len(labels):
        raise PartitionError(
            f"partition shards: {users} users × n = {n} pieces do not fit {len(labels)} samples; "
            f"n must be in 1..{len(labels) // users}"
        )
    by_label = rng.permutation(len(labels))
    by_label = by_label[np.argsort(labels[by_label], kind="stable")]
    pieces = np.array_split(by_label, users * n)
    deal = rng.permutation(users * n).reshape(users, n)
    return [np.concatenate([pieces[i] for i in hand]) for hand in deal]


@PARTITIONS.register("sizes")
def given_sizes(labels: np.ndarray, users: int, *, rng: np.random.Generator, sizes: Sequence[int]) -> Shards:
    """Random shards of given sizes; what they do not cover stays unused."""
    counts = np.asarray(sizes)
    if counts.shape != (users,) or counts.dtype.kind not in "iu" or counts.min() < 1:
        raise PartitionError(
            f"partition sizes: {list(sizes)} must be {users} whole numbers, one a user, each at least 1"
        )
    if counts.sum() > len(labels):
        raise PartitionError(f"partition sizes: they sum to {counts.sum()}, the data has {len(labels)} samples")
    return np.split(rng.permutation(len(labels))[: counts.sum()], np.cumsum(counts)[:-1])


def partition_table(shards: Sequence[np.ndarray], labels: np.ndarray, classes: int) -> pd.DataFrame:
    """Count what each user got: one row a user with columns `samples`, `class_0`, `class_1` …"""
    counts = np.stack([np.bincount(labels[shard], minlength=classes) for shard in shards])
    table = pd.DataFrame(counts, columns=[f"class_{label}" for label in range(classes)])
    table.insert(0, "samples", counts.sum(axis=1))
    table.index.name = "user"
    return table


def describe_partition(
    dataset_name: str,
    kind: str,
    users: int,
    *,
    data_dir: str | Path | None = None,
    split: str = "paper",
    seed: int = 0,
    **settings: Any,
) -> tuple[Dataset, pd.DataFrame]:
    """Load a data set and split it as the first DAO of a run with that seed does; return it and the table."""
    dataset = load_dataset(dataset_name, data_dir=data_dir, split=split, seed=seed)
    shards = partition(kind, dataset.train_y, users, rng=Streams(seed).generator("partition", 0), **settings)
    return dataset, partition_table(shards, dataset.train_y, dataset.classes)

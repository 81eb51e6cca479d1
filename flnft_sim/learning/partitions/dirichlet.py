"""Unlike users: each class in proportions of their own."""

import numpy as np

from flnft_sim.learning.partitions.base import PARTITIONS, Split
from flnft_sim.settings.learning import DirichletSettings


@PARTITIONS.register("dirichlet", settings=DirichletSettings)
def dirichlet(labels: np.ndarray, users: int, *, rng: np.random.Generator, settings: DirichletSettings) -> Split:
    """Split each class among the users in proportions drawn from Dirichlet(α): small α, unlike users.

    (Hsu, Qi, Brown 2019, in the per-class form of Li et al. 2022.) As α grows, sizes become equal; as it vanishes,
    each class goes to one user. A user left with nothing takes one sample from the largest shard.
    """
    alpha = settings.alpha
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

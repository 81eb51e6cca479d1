"""What adversaries send and train on: pure functions over updates, labels and samples."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flnft_sim.arrays import Ints
from flnft_sim.errors import InputError

type Params = NDArray[np.float32]


def imitated(start: Params, length: float, rng: np.random.Generator, count: int = 1) -> Params:
    """Return `count` models (count, P) of free riders: the start (P,) with noise of an update's length.

    Gaussian noise scaled to `length`, what the model's last step was long: a disguised free rider (Fraboni, Vidal,
    Lorenzi 2021) that has seen nothing but the models. Of length 0, before any step was seen, it is the start itself.
    """
    noise = rng.standard_normal((count, len(start)))
    noise *= length / np.linalg.norm(noise, axis=1, keepdims=True)
    return (start + noise).astype(np.float32)


def poisoned(start: Params, params: Params, scale: float) -> Params:
    """Return what poisoners send instead of `params` (n, P): the start and `scale` times their update.

    Below 0 it is turned around, beyond ±1 it is boosted (Blanchard et al. 2017, Bagdasaryan et al. 2020).
    """
    return (start + scale * (params.astype(np.float64) - start)).astype(np.float32)


def false_labels(labels: Ints, shards: Sequence[Ints], classes: int, *, share: float, rng: np.random.Generator) -> Ints:
    """Return a copy of labels (n,) in which a `share` of the samples of each shard, drawn, are false.

    Label l becomes L − 1 − l, as in Fang et al. (2020); of an odd number of classes the middle one stays true.
    """
    false = labels.copy()
    for shard in shards:
        chosen = rng.permutation(shard)[: round(share * len(shard))]
        false[chosen] = classes - 1 - false[chosen]
    return false


def split_names(shards: Sequence[Ints], user: int, names: int) -> list[Ints]:
    """Return the shards with that of `user` in equal parts: the first in its place, the others at the end.

    Raises `InputError` where it has fewer samples than names.
    """
    if names > (held := len(shards[user])):
        raise InputError(
            f"failures.sybils = {names}: user {user} has {held} samples to share among {names} names, one each at "
            f"least; use at most {held} names, or fewer users"
        )
    first, *others = np.array_split(shards[user], names)
    return [*shards[:user], first, *shards[user + 1 :], *others]

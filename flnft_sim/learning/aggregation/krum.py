"""Krum and Multi-Krum: the models that lie closest to enough of the others (Blanchard et al. 2017)."""

from typing import Any

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.learning.aggregation.base import AGGREGATORS, AggregatorFacts
from flnft_sim.machine import one_thread
from flnft_sim.settings.learning import RobustSettings

KRUM = AggregatorFacts(users_for=lambda byzantine: 2 * byzantine + 3)


@AGGREGATORS.register("krum", settings=RobustSettings, facts=KRUM)
def krum(
    start: np.ndarray, user_params: np.ndarray, _sizes: np.ndarray, /, *, settings: RobustSettings, **_unused: Any
) -> np.ndarray:
    """Return the one model with the lowest score, of equal ones the first user's (§4).

    A model's score is the sum of its squared distances to its n − f − 2 closest others, f = ⌊β·n⌋. Where some updates
    are late and n < 2f + 3, which no choice survives, f is what n bears.
    """
    scores, _ = _scored(user_params - start.astype(np.float64), settings)
    return np.array(user_params[int(np.argmin(scores))], dtype=np.float32)


@AGGREGATORS.register("multi-krum", settings=RobustSettings, facts=KRUM)
def multi_krum(
    start: np.ndarray, user_params: np.ndarray, _sizes: np.ndarray, /, *, settings: RobustSettings, **_unused: Any
) -> np.ndarray:
    """Return the mean of the m = n − f models with the lowest scores, shard sizes aside (the publication's m-Krum)."""
    scores, byzantine = _scored(user_params - start.astype(np.float64), settings)
    kept = np.sort(np.argsort(scores, kind="stable")[: len(scores) - byzantine])
    return user_params[kept].mean(axis=0, dtype=np.float64).astype(np.float32)


def _scored(updates: Floats, settings: RobustSettings) -> tuple[Floats, int]:
    """Return Krum's scores (n,), and the f that they are prepared for."""
    n = len(updates)
    byzantine = min(int(settings.byzantine_share * n), max(0, (n - 3) // 2))
    squares = np.sort(_squared_distances(updates), axis=1)  # in each row first an update's own, 0
    return squares[:, 1 : 1 + max(1, n - byzantine - 2)].sum(axis=1), byzantine


def _squared_distances(updates: Floats) -> Floats:
    """‖u_i − u_j‖², (n, n), from the updates' products: the same from i to j as from j to i, to the last bit."""
    with one_thread("blas"):
        products = updates @ updates.T
    lengths = np.diag(products)
    squares = np.maximum(0.0, lengths[:, None] + lengths - (products + products.T))
    np.fill_diagonal(squares, 0.0)
    return squares

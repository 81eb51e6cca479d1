"""Trimmed mean: of every parameter the largest and the smallest values are left out."""

from typing import Any

import numpy as np

from flnft_sim.learning.aggregation.base import AGGREGATORS
from flnft_sim.settings.learning import RobustSettings


@AGGREGATORS.register("trimmed-mean", settings=RobustSettings)
def trimmed_mean(
    _start: np.ndarray, user_params: np.ndarray, _sizes: np.ndarray, /, *, settings: RobustSettings, **_unused: Any
) -> np.ndarray:
    """Each parameter's mean without its f largest and f smallest values, f = ⌊β·n⌋ (Yin et al. 2018, Definition 2).

    Shard sizes do not matter, for an adversary may claim any. With at most f adversaries among the n users every
    parameter lies within the range of the honest ones.
    """
    n = len(user_params)
    trimmed = int(settings.byzantine_share * n)
    kept = np.sort(user_params, axis=0)[trimmed : n - trimmed]
    return kept.mean(axis=0, dtype=np.float64).astype(np.float32)

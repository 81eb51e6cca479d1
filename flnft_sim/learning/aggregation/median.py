"""Median: of every parameter the value in the middle."""

from typing import Any

import numpy as np

from flnft_sim.learning.aggregation.base import AGGREGATORS


@AGGREGATORS.register("median")
def median(_start: np.ndarray, user_params: np.ndarray, _sizes: np.ndarray, /, **_unused: Any) -> np.ndarray:
    """Each parameter's median over the users, shard sizes aside (Yin et al. 2018, Definition 1).

    With adversaries in the minority every parameter lies within the range of the honest ones.
    """
    return np.median(user_params, axis=0).astype(np.float32)

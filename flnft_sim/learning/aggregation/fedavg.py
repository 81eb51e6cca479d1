"""FedAvg: the mean of the models, weighted by shard size."""

from typing import Any

import numpy as np

from flnft_sim.learning.aggregation.base import AGGREGATORS, AggregatorFacts, weighted_mean


@AGGREGATORS.register("fedavg", facts=AggregatorFacts(weighs=lambda sizes: sizes))
def fedavg(_start: np.ndarray, user_params: np.ndarray, sizes: np.ndarray, /, **_unused: Any) -> np.ndarray:
    """w ← Σ (n_k/n)·w_k (McMahan et al. 2017, Algorithm 1)."""
    return weighted_mean(user_params, sizes)

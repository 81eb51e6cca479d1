"""FedSGD: synchronous SGD, every worker's gradient counting the same."""

from typing import Any

import numpy as np

from flnft_sim.learning.aggregation.base import AGGREGATORS, AggregatorFacts, weighted_mean


@AGGREGATORS.register("fedsgd", facts=AggregatorFacts(weighs=lambda sizes: np.ones(len(sizes))))
def fedsgd(_start: np.ndarray, user_params: np.ndarray, _sizes: np.ndarray, /, **_unused: Any) -> np.ndarray:
    """w ← w − γ·(1/N)·Σ g_k (Chen et al. 2016, "Revisiting distributed synchronous SGD", Algorithm 3).

    γ·g_k = w − w_k is what user k walked: with one step a round it is exactly its mini-batch gradient times the
    learning rate; with more steps their sum stands in for it. Unlike FedAvg, shard sizes do not matter.
    """
    return weighted_mean(user_params, np.ones(len(user_params)))

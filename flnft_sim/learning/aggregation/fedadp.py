"""FedAdp: users whose updates point the common way count more."""

import numpy as np

from flnft_sim.arrays import length
from flnft_sim.learning.aggregation.base import AGGREGATORS, State, weighted_mean

STEEPNESS = 5.0  # α of the publication's Gompertz function


@AGGREGATORS.register("fedadp")
def fedadp(
    start: np.ndarray, user_params: np.ndarray, sizes: np.ndarray, /, *, users: np.ndarray, state: State
) -> np.ndarray:
    """w ← Σ ψ_k·w_k with ψ_k ∝ n_k·exp(f(θ̃_k)) (Wu and Wang 2021, Eq. 6–11).

    θ_k is the angle between user k's update and the size-weighted mean update, θ̃_k its running mean over the rounds
    that k took part in, and f(θ) = α(1 − exp(−exp(−α(θ − 1)))). `state` maps a user to (θ̃, rounds).
    """
    updates = user_params.astype(np.float64) - start
    shares = sizes / sizes.sum()
    common = (shares[:, None] * updates).sum(axis=0)  # no matrix products, whose bits depend on the library's threads
    lengths = np.linalg.norm(updates, axis=1) * length(common)
    cosines = np.divide((updates * common).sum(axis=1), lengths, out=np.ones(len(sizes)), where=lengths > 0)
    angles = np.arccos(np.clip(cosines, -1.0, 1.0))
    smoothed = np.array([_smooth(state, int(user), angle) for user, angle in zip(users, angles, strict=True)])
    contributions = STEEPNESS * (1 - np.exp(-np.exp(-STEEPNESS * (smoothed - 1))))
    return weighted_mean(user_params, sizes * np.exp(contributions))


def _smooth(state: State, user: int, angle: float) -> float:
    """Update a user's running mean angle: θ̃(t) = ((t−1)·θ̃(t−1) + θ(t))/t."""
    mean, rounds = state.get(str(user), (0.0, 0))
    mean = (rounds * mean + float(angle)) / (rounds + 1)
    state[str(user)] = (mean, rounds + 1)
    return mean

"""What users bring: quality (Eq. 10), freshness (Eq. 11 and 12), and each one's share of the sum."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats, plain
from flnft_sim.checks import not_negative, positive


def quality_contribution(
    shard_sizes: ArrayLike, mean_cross_entropy: ArrayLike, *, mu0: float = 2.0, mu1: float = 10.0
) -> Any:
    """θ^Q = μ0·|D| / (μ1 + H̄) (Eq. 10), H̄ ≥ 0 being the mean cross-entropy over the rounds so far."""
    spread = positive("mu1", mu1) + not_negative("mean_cross_entropy", mean_cross_entropy)
    return plain(not_negative("mu0", mu0) * not_negative("shard_sizes", shard_sizes) / spread)


def freshness_contribution(age_s: ArrayLike, *, freshness_horizon_s: float = 100.0) -> Any:
    """θ^F = max(0, ln(T_ref / T)) for an age T > 0 in seconds (Eq. 12 with a reference age).

    Printed, T_ref is 1 s, which makes every θ^F of an age above one second negative and Eq. 29 take the root of a
    negative number. `freshness_horizon_s` is the age at which a model is worth nothing for freshness.
    """
    horizon = positive("freshness_horizon_s", freshness_horizon_s)
    return plain(np.maximum(0.0, np.log(horizon / positive("age_s", age_s))))


def age_closed_form(
    *, epochs: ArrayLike, seconds_per_epoch: ArrayLike, upload_s: ArrayLike, consensus_s: ArrayLike
) -> Any:
    """T = k·(seconds per local epoch) + T^l + T^c in seconds (Eq. 11), for an uncontended run.

    The printed T^m = log(1/H)·D/f is negative for H > 1 and lacks the cycles a sample takes.
    """
    training_s = not_negative("epochs", epochs) * not_negative("seconds_per_epoch", seconds_per_epoch)
    return plain(training_s + not_negative("upload_s", upload_s) + not_negative("consensus_s", consensus_s))


def shares(contributions: ArrayLike) -> Floats:
    """τ = θ/Σθ over the last axis: sums to 1, or is all 0 (never NaN) where every contribution is 0."""
    theta = not_negative("contributions", contributions)
    total = theta.sum(axis=-1, keepdims=True)
    return np.divide(theta, total, out=np.zeros_like(theta), where=total > 0)

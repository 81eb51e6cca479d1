"""What a price is worth in money: satisfaction (Eq. 8 and 9) and the users' rewards (Eq. 13)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats, plain
from flnft_sim.checks import finite, not_negative, positive
from flnft_sim.game.contributions import shares
from flnft_sim.game.errors import ElasticityError

ELASTICITY_TOLERANCE = 1e-9  # how far e^Q + e^F may be from 1


def elasticity_ratio(quality_elasticity: ArrayLike, freshness_elasticity: ArrayLike) -> Any:
    """λ = e^Q/e^F (Eq. 9); `ElasticityError` unless both are above 0 and add up to 1."""
    e_quality = positive("quality_elasticity", quality_elasticity, error=ElasticityError)
    e_freshness = positive("freshness_elasticity", freshness_elasticity, error=ElasticityError)
    total = np.ravel(e_quality + e_freshness)
    wrong = np.flatnonzero(np.abs(total - 1.0) > ELASTICITY_TOLERANCE)
    if wrong.size:
        raise ElasticityError(
            f"quality_elasticity + freshness_elasticity is {total[wrong[0]]:g} at provider {wrong[0]}; "
            "make the two add up to 1"
        )
    return plain(e_quality / e_freshness)


def quality_satisfaction(quality: ArrayLike, elasticity_ratio: ArrayLike) -> Any:
    """Q^λ per provider (Eq. 8): what a unit of quality price is multiplied with."""
    exponent = positive("elasticity_ratio", elasticity_ratio)
    with np.errstate(over="ignore"):  # an overflow is told as such, just below
        raised = np.power(not_negative("quality", quality), exponent)
    return plain(finite("quality ** elasticity_ratio", raised))


def user_rewards(
    quality_prices: ArrayLike,
    freshness_prices: ArrayLike,
    *,
    quality: ArrayLike,
    freshness: ArrayLike,
    quality_shares: ArrayLike,
    freshness_shares: ArrayLike,
    elasticity_ratio: ArrayLike,
) -> Floats:
    """δ_ij = q_j·Q^λ·τ_i^Q + f_j·F·τ_i^F, money of user i from provider j, shape (N, M) (Eq. 13).

    Prices are (M,). Quality, freshness and λ are one number, or one per provider where they want different FL-NFTs;
    shares are then (N, M) instead of (N,).
    """
    quality_money = not_negative("quality_prices", quality_prices) * quality_satisfaction(quality, elasticity_ratio)
    freshness_money = not_negative("freshness_prices", freshness_prices) * not_negative("freshness", freshness)
    return share_out(quality_money, quality_shares) + share_out(freshness_money, freshness_shares)


def delivered_shares(
    quality: ArrayLike, freshness: ArrayLike, *, quality_money: float, freshness_money: float
) -> Floats:
    """Each user's share of what a minting earns, (N,): Eq. 13 over what was delivered instead of what was promised.

    s_i = (W^Q·Q_i/ΣQ + W^F·F_i/ΣF) / (W^Q + W^F), Q_i and F_i (N,) being the sums of a user's θ^Q and θ^F over the
    rounds in which its update was final and aggregated, W^Q and W^F the money announced for quality and for freshness.
    So who delivered nothing has nothing, equal deliveries have equal shares, and delivering once more never lowers a
    share. Money for a dimension that nobody delivered goes by the other one; the shares are all 0 where nothing was
    delivered at all, else they sum to 1.
    """
    of_quality, of_freshness = shares(quality), shares(freshness)
    weights = np.array([not_negative("quality_money", quality_money), not_negative("freshness_money", freshness_money)])
    there = np.array([of_quality.any(), of_freshness.any()])
    weights = shares(weights * there if (weights * there).any() else there)  # nothing announced: both dimensions alike
    return weights[0] * of_quality + weights[1] * of_freshness


def share_out(money: Floats, user_shares: ArrayLike) -> Floats:
    """Each provider's money times each user's share, shape (N, M); shares are (N,) or (N, M)."""
    tau = not_negative("shares", user_shares)
    return np.atleast_1d(money) * (tau[:, None] if tau.ndim == 1 else tau)

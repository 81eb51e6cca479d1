"""A decision solved another way: for the users left, one bracketed root in F around a bisection of every user's k."""

import numpy as np
from scipy.optimize import brentq

from flnft_sim.game.pricing import belief_prices, equilibrium_prices


def settled(problem):
    """(takes part (N,), quality prices (M,), freshness prices (M,), epochs (N,)) where price-taking users settle.

    The worse half of those whom the settled prices do not pay leaves, and the rest settles anew.
    """
    candidates = np.asarray(problem.epochs_max) >= 1
    while True:
        quality, freshness, rewards, epochs = _fixed_point(problem, candidates)
        utilities = _best_utilities(problem, rewards, epochs)
        refusing = np.flatnonzero(candidates & (utilities < 0))
        if not refusing.size:
            return candidates, quality, freshness, epochs
        leaving = refusing[np.argsort(utilities[refusing])[: (refusing.size + 1) // 2]]
        candidates = candidates & ~np.isin(np.arange(candidates.size), leaving)


def _fixed_point(problem, candidates):
    theta = np.where(candidates, problem.quality_contributions, 0.0)
    satisfaction = theta.sum() ** np.asarray(problem.elasticity_ratio)

    def answer(freshness):
        prices = _prices(problem, satisfaction, np.full_like(satisfaction, freshness))
        quality = (prices.quality * satisfaction).sum() * theta / max(theta.sum(), np.finfo(float).tiny)
        unit = prices.freshness.sum()
        epochs = np.where(candidates, _epochs(problem, quality, unit), 1.0)
        rewards = quality + unit * np.where(candidates, _freshness(problem, epochs), 0.0)
        return prices.quality, prices.freshness, rewards, epochs

    def excess(freshness):
        return _freshness(problem, answer(freshness)[3])[candidates].sum() - freshness

    most = _freshness(problem, np.ones(theta.size))[candidates].sum()
    if most <= 0 or excess(1e-12 * most) <= 0:
        return answer(0.0)
    return answer(brentq(excess, 1e-12 * most, most * (1 + 1e-12), xtol=1e-14, rtol=1e-14))


def _prices(problem, quality, freshness):
    if problem.believed_quality_money is None:
        return equilibrium_prices(problem.demand, quality, freshness)
    believed = np.asarray(problem.believed_quality_money), np.asarray(problem.believed_freshness_money)
    return belief_prices(problem.demand, *believed, quality, freshness)


def _freshness(problem, epochs):
    ages = np.asarray(problem.fixed_age_s) + np.asarray(problem.seconds_per_epoch) * epochs
    return np.maximum(0.0, np.log(problem.freshness_horizon_s / ages))


def _epochs(problem, quality, unit):
    """k = (δ(k)/C)^(1/σ) within [1, k_max] for all users, by plain bisection."""

    def excess(k):
        reward = quality + unit * _freshness(problem, k)
        return k - (reward / problem.compute_costs) ** (1 / problem.fairness)

    low, high = np.ones(quality.size), np.maximum(1.0, np.asarray(problem.epochs_max, dtype=float))
    for _ in range(60):
        middle = (low + high) / 2
        above = excess(middle) >= 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return high


def _best_utilities(problem, rewards, epochs):
    """Φ at the better whole neighbour of k and the best ε in its range."""
    rest = 1 - problem.fairness
    privacy = np.clip((rewards / problem.privacy_costs) ** (1 / problem.fairness), *problem.privacy_range)
    below = np.floor(epochs)
    neighbours = np.stack([below, np.minimum(below + 1, np.maximum(1, problem.epochs_max))])
    benefit = (neighbours**rest + privacy**rest) / rest
    return (rewards * benefit - problem.compute_costs * neighbours - problem.privacy_costs * privacy).max(axis=0)

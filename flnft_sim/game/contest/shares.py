"""The shares of a contest's players: at a given sum of all scores, and where they sum to 1.

The solver works in z = ln(s/(1 − s)), user by user, and ln X, all at once: Newton's method on

    ln c(z) − ln s(z) − ln X = 0   for every user,   Σ s(z) = 1,

whose matrix is an arrow, so that a step costs a few passes over arrays. Its kinks are where k or ε leaves a range;
where that keeps a step from settling, the root in X is bracketed instead.
"""

from dataclasses import dataclass

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.game.contest.efforts import Game, log_sum

_SETTLED = 1e-13  # of an equation in logarithms, and of the sum of shares
_NEWTON_STEPS = 15
_HALVINGS = 200


def logit(share: Floats) -> Floats:
    """z = ln(s/(1 − s))."""
    return np.log(share) - np.log1p(-np.minimum(share, 1.0 - 1e-16))


@dataclass(frozen=True)
class Within:
    """A user's equation where X holds its own score: ln c(z) = ln X + ln s(z)."""

    game: Game

    def excess(self, z: Floats, log_total: Floats | float) -> tuple[Floats, Floats, Floats]:
        """ln c − ln s − ln X, its slope in z, and s, each (N,)."""
        log_share = _log_share(z)
        log_score, slope, share = self.game.log_score(z, log_share)
        log_score -= log_share
        log_score -= log_total
        slope += share
        slope -= 1.0
        return log_score, slope, share


@dataclass(frozen=True)
class Entry:
    """The equation of a user who comes to X: ln c(z) = ln X + z, for s = c/(c + X)."""

    game: Game

    def excess(self, z: Floats, log_total: Floats | float) -> tuple[Floats, Floats, Floats]:
        """ln c − z − ln X, its slope in z, and s, each (N,)."""
        log_score, slope, share = self.game.log_score(z, _log_share(z))
        return log_score - z - log_total, slope - 1.0, share


def _log_share(z: Floats) -> Floats:
    """ln s for z = ln(s/(1 − s))."""
    return np.minimum(z, 0.0) - np.log1p(np.exp(-np.abs(z)))


def equilibrium_shares(players: Game, start: Floats | None = None) -> Floats:
    """The shares (n,) at which every player's score is its best, by Newton's method, else by a bracket."""
    equation, count = Within(players), len(players)
    share = np.full(count, 1.0 / count) if start is None else start
    for _ in range(3 if start is None else 1):  # what these shares make best gives better ones
        log_score = players.log_scores(share)
        log_total = log_sum(log_score)
        share = np.exp(log_score - log_total)
    z = logit(share)
    for _ in range(_NEWTON_STEPS):
        excess, slope, share = equation.excess(z, log_total)
        missing = 1.0 - share.sum()
        if max(excess.max(), -excess.min(), abs(missing)) <= _SETTLED:
            return share
        inverse = 1.0 / np.minimum(slope, -1e-300)
        weight = share * (1.0 - share) * inverse
        step = float((missing + weight @ excess) / weight.sum())
        log_total += step
        z = _moved(z, share, (step - excess) * inverse)
    return _by_bracket(equation, z)


def _moved(z: Floats, share: Floats, step: Floats) -> Floats:
    """z after a Newton step: down in z, by 4 at most; up in s, where the flat stretch of a + b near 1 is straight."""
    up = np.minimum(share * (1.0 + (1.0 - share) * np.maximum(step, 0.0)), 0.5 * (1.0 + share))
    return np.where(step > 0.0, logit(up), z + np.maximum(step, -4.0))


def _by_bracket(equation: Within, z: Floats) -> Floats:
    """The shares where the root in ln X lies between all efforts at their least and all at their most (Brent 1973)."""
    from scipy.optimize import brentq

    near = [z]

    def surplus(log_total: float) -> float:
        share = shares_at(equation, log_total, near[0])
        near[0] = logit(np.clip(share, 1e-300, 1.0 - 1e-16))
        return float(share.sum()) - 1.0

    least, most = equation.game.log_limits()
    log_total = brentq(surplus, least - 1e-9, most + 1e-9, xtol=1e-15, rtol=1e-14)
    share = shares_at(equation, log_total, near[0])
    return share / share.sum()


def shares_at(equation: Within | Entry, log_total: float, z: Floats | None = None) -> Floats:
    """Each user's share at ln X, (N,): the one root in z, by Newton's method inside a bracket."""
    count = len(equation.game)
    z, low, high = np.zeros(count) if z is None else z, np.full(count, -745.0), np.full(count, 745.0)
    for _ in range(_HALVINGS):
        excess, slope, share = equation.excess(z, log_total)
        if max(excess.max(), -excess.min()) <= _SETTLED:
            break
        rising = excess > 0
        low, high = np.where(rising, z, low), np.where(rising, high, z)
        if (high - low).max() <= 1e-15 * max(1.0, float(np.abs(high).max())):
            break
        z = _moved(z, share, -excess / np.minimum(slope, -1e-300))
        z = np.where((z > low) & (z < high), z, 0.5 * (low + high))
    return share

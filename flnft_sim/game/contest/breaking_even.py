"""Where a player's cash is nothing: the share below which it loses, and the sum of scores above which it does."""

from collections.abc import Callable, Iterator

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.game.contest.efforts import Game

_NOTHING = 1e-11  # of what a share wins: cash that is none
_HALVINGS = 80
_BLOCK = 1 << 15  # users at a time, whose arrays stay in the cache


def break_even_totals(game: Game) -> Floats:
    """ln X (N,) above which each user loses money by its best efforts; −inf where it loses at any."""
    totals = np.empty(len(game))
    for start in range(0, len(game), _BLOCK):
        part = slice(start, start + _BLOCK)
        users = game.of(part)
        share = break_even_shares(users)
        with np.errstate(divide="ignore", invalid="ignore"):
            total = users.log_scores(np.minimum(share, 1.0)) - np.log(share)
        totals[part] = np.where(share < 1.0, total, -np.inf)
    return totals


def break_even_shares(game: Game) -> Floats:
    """The share s (N,) at which each user's cash is nothing; 1 where it loses at any.

    Cash grows with s, and can be nothing only with k or ε at a low end: inside both ranges it is above 0. So it is
    nothing at one of a few closed shares, that of which ends k and ε are at there; with age it is looked for.
    """
    share, left = np.ones(len(game)), np.arange(len(game))
    users = game
    for closed in _closed_shares(game):
        if not left.size:
            return share
        tried = np.minimum(closed(users), 1.0)
        found = np.abs(users.cash(tried)) <= _NOTHING * users.pot * tried
        share[left[found]] = tried[found]
        left, users = left[~found], users.of(~found)
    if left.size:
        share[left] = _by_halving(users)
    return share


def _closed_shares(game: Game) -> Iterator[Callable[[Game], Floats]]:
    """The shares of s·pot = costs where k and ε are at these ends, or inside at a cost of exponent·pot·s(1 − s)."""
    k_low, k_high = (0, 1)

    def ends(epochs: int, privacy: int) -> Callable[[Game], Floats]:
        return lambda g: (g.compute * g.epochs_range[epochs] + g.privacy * g.privacy_range[privacy]) / g.pot

    yield ends(k_low, 0)
    if game.b > 0.0:
        yield lambda g: _inside(g.b, g.compute * g.epochs_range[k_low] / g.pot)
    if game.ageing is None:
        yield lambda g: _inside(g.a, g.privacy * g.privacy_range[0] / g.pot)
    if game.b > 0.0:
        yield ends(k_low, 1)
    yield ends(k_high, 0)


def _inside(exponent: float, cost: Floats) -> Floats:
    """s of exponent·s² + (1 − exponent)·s = cost/pot: one effort inside its range, the other at a cost."""
    part = 1.0 - exponent
    return 2.0 * cost / np.maximum(part + np.sqrt(part * part + 4.0 * exponent * cost), 1e-300)


def _by_halving(game: Game) -> Floats:
    """The root of a cash that grows with s, in ln s; 1 where cash is negative even there."""
    low, high = np.full(len(game), -80.0), np.zeros(len(game))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        loses = game.cash(np.exp(middle)) < 0.0
        low, high = np.where(loses, middle, low), np.where(loses, high, middle)
    return np.where(game.cash(np.ones(len(game))) < 0.0, 1.0, np.exp(high))

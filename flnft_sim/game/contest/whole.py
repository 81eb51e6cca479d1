"""The contest in whole epochs, as it is played: nobody trains half an epoch.

From the equilibrium in real numbers, rounded so that the sum of epochs is kept, users reply one after another with
their best whole k (and the best ε for it), whoever gains most first; who is out may come in, who loses leaves. Where
nobody gains any more this is a pure equilibrium. It need not end: then the rounded point is played, and what somebody
would still gain there is stated.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.checks import not_negative
from flnft_sim.game.contest.equilibrium import GAIN, settled_contest
from flnft_sim.game.contest.terms import ContestTerms
from flnft_sim.game.roots import increasing_roots

MOST_REPLIERS = 2_000  # users that reply one after another; a crowd plays the rounded point
_REPLIES = 6  # a user, on average, before the search ends
_BLOCK = 1 << 18  # replies (users × epochs) looked at together


class WholeContest(NamedTuple):
    """What is played: (N,) arrays, zeros for who stays out."""

    epochs: Ints
    privacy: Floats
    takes_part: Bools
    gain_money: float
    """The most that somebody would gain by another whole k or ε, by leaving or by coming in; 0 at an equilibrium."""


class Replies(NamedTuple):
    """Each user's best reply, (N,) arrays; k = 0 and no cash where it is to stay out."""

    epochs: Ints
    privacy: Floats
    cash: Floats


def whole_contest(pot: float, terms: ContestTerms, *, rng: np.random.Generator | None = None) -> WholeContest:
    """The contest for `pot` money in whole epochs; of equal users `rng` draws who goes first, else the order does."""
    real = settled_contest(pot, terms, rng=rng)
    precedence = np.arange(len(terms)) if rng is None else rng.permutation(len(terms))
    epochs, privacy = _rounded(real.epochs, terms, precedence), real.privacy
    if not real.takes_part.any():
        return WholeContest(epochs, privacy, real.takes_part, 0.0)
    privacy = _privacy_for(pot, terms, epochs, privacy)
    if len(terms) <= MOST_REPLIERS:
        played = _replied(pot, terms, epochs, privacy, precedence)
        if played is not None:
            return played
    gains = whole_replies(pot, terms, epochs, privacy).cash - terms.cash(pot, epochs, privacy)
    return WholeContest(epochs, privacy, epochs > 0, float(max(0.0, gains.max())))


def whole_replies(pot: float, terms: ContestTerms, epochs: ArrayLike, privacy: ArrayLike) -> Replies:
    """Each user's best whole k, with its best ε, against what the others play; 0 where every effort would lose."""
    pot = float(not_negative("pot", pot, "money"))
    scores = terms.score(epochs, privacy)
    rest = np.maximum(scores.sum() - scores, 0.0)
    rest[scores >= scores.sum()] = 0.0  # exactly alone
    replies = Replies(np.zeros(len(terms), dtype=np.int64), np.zeros(len(terms)), np.zeros(len(terms)))
    low, high = np.ceil(terms.least_epochs), terms.most_whole_epochs
    users = np.flatnonzero(terms.able & (high >= low))
    choices = int((high - low)[users].max()) + 1 if users.size else 0
    for block in np.array_split(users, max(1, users.size * choices // _BLOCK)):
        _reply(pot, terms, rest, block, np.minimum(low[block, None] + np.arange(choices), high[block, None]), replies)
    return replies


def _reply(pot: float, terms: ContestTerms, rest: Floats, users: Ints, epochs: Floats, replies: Replies) -> None:
    """Write the best of `epochs` (n, K) of some users into the replies."""
    others = np.maximum(rest[users], 1e-300)[:, None]
    base = terms.theta[users, None] * epochs ** float(terms.a)
    if (ageing := terms.ageing) is not None:
        exponent, slope, room = ageing
        base = base * np.maximum(0.0, room[users, None] - slope[users, None] * epochs) ** exponent
    price = np.broadcast_to(terms.privacy[users, None], base.shape)
    privacy = _best_privacy(pot, terms, np.log(np.maximum(base, 1e-300)) - np.log(others), price)
    scores = base * privacy ** float(terms.b)
    cash = pot * scores / (scores + others) - terms.compute[users, None] * epochs - price * privacy
    best = cash.argmax(axis=1)
    rows, pays = np.arange(users.size), cash[np.arange(users.size), best] > 0
    replies.epochs[users] = np.where(pays, epochs[rows, best], 0.0).astype(np.int64)
    replies.privacy[users] = np.where(pays, privacy[rows, best], 0.0)
    replies.cash[users] = np.where(pays, cash[rows, best], 0.0)


def _best_privacy(pot: float, terms: ContestTerms, log_odds: Floats, price: Floats) -> Floats:
    """ε of b·pot·s(1 − s) = C^p·ε within its range, ln(s/(1 − s)) = `log_odds` + b·ln ε; shapes as `log_odds`."""
    low, high, b = float(terms.privacy_range[0]), float(terms.privacy_range[1]), float(terms.b)
    if b == 0.0 or low == high:
        return np.full(log_odds.shape, low)
    with np.errstate(divide="ignore"):
        target = np.log(price.ravel()) - np.log(b * pot)

    def lack(log_privacy: Floats) -> tuple[Floats, Floats]:
        """What ε costs over what it brings, and the slope, in logarithms: rises with ε."""
        z = log_odds.ravel() + b * log_privacy
        share = 1.0 / (1.0 + np.exp(-z))
        margin = -np.logaddexp(0.0, -z) - np.logaddexp(0.0, z)
        return target + log_privacy - margin, 1.0 - b * (1.0 - 2.0 * share)

    ends = np.full(target.shape, np.log(low)), np.full(target.shape, np.log(high))
    root = increasing_roots(lack, *ends, 0.5 * (ends[0] + ends[1]))
    return np.clip(np.exp(root.reshape(log_odds.shape)), low, high)


def _privacy_for(pot: float, terms: ContestTerms, epochs: Ints, privacy: Floats) -> Floats:
    """ε (N,) that is best for these epochs, everybody at once, the others' scores as they were before."""
    scores = terms.score(epochs, privacy)
    rest = np.maximum(scores.sum() - scores, 1e-300)
    with np.errstate(divide="ignore"):
        log_odds = np.log(terms.score(epochs, np.ones(len(terms)))) - np.log(rest)
    best = _best_privacy(pot, terms, np.maximum(log_odds, -700.0), terms.privacy)
    return np.where(epochs > 0, best, 0.0)


def _replied(pot: float, terms: ContestTerms, epochs: Ints, privacy: Floats, precedence: Ints) -> WholeContest | None:
    """Reply one after another until nobody gains; None where that does not end."""
    epochs, privacy = epochs.copy(), privacy.copy()
    for _ in range(_REPLIES * len(terms) + 20):
        if np.count_nonzero(epochs) < 2:
            return WholeContest(np.zeros_like(epochs), np.zeros_like(privacy), np.zeros(len(terms), dtype=bool), 0.0)
        replies = whole_replies(pot, terms, epochs, privacy)
        gains = replies.cash - terms.cash(pot, epochs, privacy)
        most = gains.max()
        if most <= GAIN * pot:
            return WholeContest(epochs, privacy, epochs > 0, float(max(0.0, most)))
        tied = np.flatnonzero(gains >= most - 1e-12 * pot)
        mover = tied[precedence[tied].argmin()]
        epochs[mover], privacy[mover] = replies.epochs[mover], replies.privacy[mover]
    return None


def _rounded(epochs: Floats, terms: ContestTerms, precedence: Ints) -> Ints:
    """Whole epochs (N,) whose sum is the nearest to that of these: the largest parts of an epoch are rounded up."""
    playing = epochs > 0
    low, high = np.where(playing, np.ceil(terms.least_epochs), 0.0), np.where(playing, terms.most_whole_epochs, 0.0)
    floors = np.clip(np.floor(epochs + 1e-9), low, high)
    room = playing & (floors < high) & (epochs > floors)
    up = int(np.clip(np.rint(epochs.sum() - floors.sum()), 0, np.count_nonzero(room)))
    order = np.lexsort((precedence, -np.where(room, epochs - floors, -1.0)))
    floors[order[:up]] += 1.0
    return floors.astype(np.int64)

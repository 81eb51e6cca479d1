"""The contest for a pot that is released by what is delivered: who works how much where a promise may be broken.

Of a pot C users share C·min(1, (Σk/(n·k⁰))^m): with the power m of `release_power` it is what the release schedule
leaves, with the elasticity η of the delivered part what a release in proportion would, with 0 an unconditional pot.
A pot that depends on everybody's epochs is no contest of the closed theory; equilibria are looked for among equal users
by their conditions, and among unequal ones by replies one after another.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats, Ints
from flnft_sim.checks import not_negative, positive
from flnft_sim.game.contest.equilibrium import GAIN
from flnft_sim.game.contest.terms import ContestTerms, score_shares

_REPLIES = 8  # a user, on average, before a search ends
_PRIVACY_CHOICES = 5
_DEVIATIONS = 400  # other k that are tried at what may be an equilibrium


@dataclass(frozen=True, kw_only=True)
class PromisedContest:
    """N users on `terms`, a pot in money, k⁰ epochs a user and round promised, and the power m of the release."""

    terms: ContestTerms
    pot: float
    promised_epochs: float
    power: float

    def released(self, total_epochs: ArrayLike) -> Floats:
        """C·min(1, (Σk/(n·k⁰))^m), money."""
        wanted = positive("promised_epochs", self.promised_epochs) * len(self.terms)
        kept = np.minimum(1.0, not_negative("total_epochs", total_epochs) / wanted)
        return np.asarray(self.pot * kept**self.power)

    def cash(self, epochs: ArrayLike, privacy: ArrayLike) -> Floats:
        """What each user (N,) keeps of its share of what is released, money."""
        won = self.released(np.sum(np.asarray(epochs))) * score_shares(self.terms.score(epochs, privacy))
        return np.asarray(won - self.terms.cost(epochs, privacy))

    def replies(self, epochs: Ints, privacy: Floats) -> tuple[Ints, Floats, Floats]:
        """Each user's best whole k, ε on a grid, and cash, (N,) each, against the others' play; k = 0 stays out."""
        terms, scores = self.terms, self.terms.score(epochs, privacy)
        most = int(terms.most_whole_epochs.max())
        k = np.repeat(np.arange(1.0, most + 1.0), _PRIVACY_CHOICES)
        low, high = (float(end) for end in terms.privacy_range)
        e = np.tile(np.linspace(low, high, _PRIVACY_CHOICES), most)
        best = np.zeros(len(terms), dtype=np.int64), np.zeros(len(terms)), np.zeros(len(terms))
        for user in np.flatnonzero(terms.able).tolist():
            own = _scores_of(terms, user, k, e)
            rest = float(np.delete(scores, user).sum())
            if rest == 0.0:
                continue  # one alone is no contest
            won = self.released(epochs.sum() - epochs[user] + k) * own / (own + rest)
            cash = won - terms.compute[user] * k - terms.privacy[user] * e
            cash[(k > terms.most_whole_epochs[user]) | (k < terms.least_epochs[user])] = -np.inf
            top = int(cash.argmax())
            if cash[top] > 0:
                best[0][user], best[1][user], best[2][user] = int(k[top]), e[top], cash[top]
        return best


class Settled(NamedTuple):
    """Where replies one after another end: (N,) arrays; `equilibrium` says whether nobody gains any more."""

    epochs: Ints
    privacy: Floats
    equilibrium: bool


def replied(contest: PromisedContest, start: ArrayLike) -> Settled:
    """From whole epochs (N,) and the highest ε, let whoever gains most reply, until nobody gains or for too long."""
    epochs = np.array(start, dtype=np.int64)
    privacy = np.where(epochs > 0, float(contest.terms.privacy_range[1]), 0.0)
    for _ in range(_REPLIES * len(epochs)):
        best, with_privacy, cash = contest.replies(epochs, privacy)
        gains = cash - contest.cash(epochs, privacy)
        mover = int(gains.argmax())
        if gains[mover] <= GAIN * contest.pot:
            return Settled(epochs, privacy, True)
        epochs[mover], privacy[mover] = best[mover], with_privacy[mover]
    return Settled(epochs, privacy, False)


class EqualEquilibrium(NamedTuple):
    """An equilibrium among equal users: how many stay, the epochs of each, and what of the promise Σk is."""

    staying: int
    epochs: float
    delivered: float


def equal_equilibria(contest: PromisedContest) -> list[EqualEquilibrium]:
    """Equilibria among equal users in which those who stay train alike; k real, ε at its lower end, w = 0.

    With j of n staying, x = Σk/(n·k⁰) and C the pot, the condition inside is C·x^m·(a(j − 1) + m)/j² = C^c·k below
    the promise and C·a(j − 1)/j² = C^c·k above it; besides, k may be at an end of its range or where the promise is
    just kept. Each of these is kept where no other k pays a user more, none gains by leaving, and none by coming in.
    """
    terms, found = contest.terms, []
    count, promise = len(terms), contest.promised_epochs
    low, high = float(terms.least_epochs[0]), float(terms.most_epochs[0])
    for staying in range(2, count + 1):
        margin = contest.pot / (float(terms.compute[0]) * staying * staying)
        scale = staying / (count * promise)
        places = {low, high, 1.0 / scale, margin * terms.a * (staying - 1)}
        if contest.power != 1.0:
            rise = margin * (terms.a * (staying - 1) + contest.power) * scale**contest.power
            places.add(rise ** (1.0 / (1.0 - contest.power)))
        for epochs in sorted(k for k in places if low <= k <= high):
            if _holds(contest, staying, epochs):
                found.append(EqualEquilibrium(staying, epochs, epochs * scale))
    return found


def _holds(contest: PromisedContest, staying: int, epochs: float) -> bool:
    """Whether nobody who stays gains by another k or by leaving, and nobody outside by coming in."""
    terms = contest.terms
    low, high = float(terms.least_epochs[0]), float(terms.most_epochs[0])
    tried = np.append(np.linspace(low, high, _DEVIATIONS), epochs)
    privacy = float(terms.privacy_range[0])

    def best(others: int) -> tuple[float, float]:
        """The most by any k against so many others, and what the k in question makes."""
        own = tried**terms.a
        won = contest.released(others * epochs + tried) * own / (own + others * epochs**terms.a)
        cash = won - terms.compute[0] * tried - terms.privacy[0] * privacy
        return float(cash.max()), float(cash[-1])

    gained, kept = best(staying - 1)
    slack = 1e-7 * contest.pot
    stable = gained <= kept + slack and kept >= -slack
    return stable and (staying == len(terms) or best(staying)[0] <= slack)


def _scores_of(terms: ContestTerms, user: int, epochs: Floats, privacy: Floats) -> Floats:
    """One user's scores at many efforts."""
    counted = terms.theta[user] * epochs ** float(terms.a) * privacy ** float(terms.b)
    if (ageing := terms.ageing) is not None:
        exponent, slope, room = ageing
        counted = counted * np.maximum(0.0, room[user] - slope[user] * epochs) ** exponent
    return np.asarray(counted)

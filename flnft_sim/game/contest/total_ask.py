"""The total ask: the smallest pot at which a contest keeps a promise of k⁰ epochs a user and round.

For equal users inside the ranges it is closed: k = a·R·s(1 − s)/C at s = 1/n, hence R = k⁰·C/(a·s(1 − s)); with
freshness, a is a − w·d·k⁰/(T_ref − T). In general Σk as it is played need not rise with the pot: a larger pot brings
users in whose least effort lowers the others', so the smallest pot is looked for from below. It depends on nothing that
a provider says.
"""

from collections.abc import Iterator

import numpy as np

from flnft_sim.checks import positive
from flnft_sim.errors import FlnftError
from flnft_sim.game.contest.equilibrium import settled_contest
from flnft_sim.game.contest.terms import ContestTerms
from flnft_sim.game.contest.whole import whole_contest

STEP = 0.02  # of a pot, from one that is tried to the next
RESOLUTION = 1e-4  # of a pot: how closely the smallest is found between two that were tried
_MOST = 1e9  # times the least that so many epochs cost: a pot beyond makes no difference
_NEAR = 1.0  # epochs a user by which whole ones may exceed real ones


class NoTotalAskError(FlnftError):
    """A promise that no pot makes users keep."""


def equal_users_ask(terms: ContestTerms, promised_epochs: float) -> float:
    """R = k⁰·C/(α·s(1 − s)), money, for equal users at s = 1/n, where k⁰ and ε are inside their ranges; closed."""
    count, first = len(terms), float(terms.compute[0])
    rise = float(terms.a)
    if (ageing := terms.ageing) is not None:
        exponent, slope, room = ageing
        rise -= exponent * slope[0] * promised_epochs / (room[0] - slope[0] * promised_epochs)
    if count < 2 or rise <= 0:
        raise _impossible(promised_epochs, terms)
    return promised_epochs * first / (rise * (1.0 - 1.0 / count) / count)


def total_ask(terms: ContestTerms, promised_epochs: float) -> float:
    """The smallest pot, money, at which Σk ≥ n·k⁰ in whole epochs as played; n counts all users, k⁰ is a round's.

    Pots are tried from below in steps of 2 %, and the first that is enough is narrowed down to 1e-4 of itself: a
    stretch of sufficient pots that is narrower than a step can be missed. Raises `NoTotalAskError` where none is
    enough, as for a promise above `epochs_range` or with fewer than two users.
    """
    wanted = float(positive("promised_epochs", promised_epochs)) * len(terms)
    below = None
    for pot in _pots(terms, wanted, promised_epochs):
        if _delivers(pot, terms, wanted):
            return pot if below is None else _narrowed(below, pot, terms, wanted)
        below = pot
    raise _impossible(promised_epochs, terms)


def played_epochs(pot: float, terms: ContestTerms) -> int:
    """Σk in whole epochs as played for a pot."""
    return int(whole_contest(pot, terms).epochs.sum())


def _pots(terms: ContestTerms, wanted: float, promised: float) -> Iterator[float]:
    """Pots from the least that so many epochs cost upwards, until everybody works most."""
    most = np.where(terms.able, terms.most_whole_epochs, 0.0)
    if most.sum() < wanted or np.count_nonzero(terms.able) < 2:
        raise _impossible(promised, terms)
    order = np.argsort(terms.compute)
    filled = np.diff(np.minimum(np.cumsum(most[order]), wanted), prepend=0.0)
    least = pot = float(filled @ terms.compute[order])
    peak = np.where(terms.able, terms.most_epochs, 0.0)
    while pot < _MOST * least:
        yield pot
        played = settled_contest(pot, terms)
        if played.takes_part[terms.able].all() and np.all(played.epochs >= peak * (1.0 - 1e-6)):
            return  # a larger pot changes nothing any more
        pot *= 1.0 + STEP


def _delivers(pot: float, terms: ContestTerms, wanted: float) -> bool:
    """Whether enough is played: in real numbers first, which is quicker and near."""
    real = settled_contest(pot, terms).epochs.sum()
    return bool(real + _NEAR * len(terms) >= wanted and played_epochs(pot, terms) >= wanted)


def _narrowed(low: float, high: float, terms: ContestTerms, wanted: float) -> float:
    """A sufficient pot that a pot smaller by the resolution is not, between one that is not and one that is."""
    while high > low * (1.0 + RESOLUTION):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if _delivers(middle, terms, wanted) else (middle, high)
    return high


def _impossible(promised: float, terms: ContestTerms) -> NoTotalAskError:
    able = int(np.count_nonzero(terms.able))
    most = float(np.where(terms.able, terms.most_epochs, 0.0).mean()) if len(terms) else 0.0
    return NoTotalAskError(
        f"no pot makes {len(terms)} users train {promised:g} epochs each on average: {able} of them can take part, and "
        f"the most that scores reward is {most:.3g}; promise fewer epochs"
    )

"""The contest among users for a pot: who works how much where a share of a fixed sum is what each can win.

User i's score is c_i = θ_i·k_i^a·ε_i^b (a > 0, b ≥ 0, a + b ≤ 1), its share s_i = c_i/Σc, and its utility is cash:
pot·s_i − C_i^c·k_i − C_i^p·ε_i. As k^a·ε^b is concave, the least cost of a score is convex, and s_i as a function of
X = Σc falls; Σ s_i(X) = 1 then has one root, and the equilibrium is unique (Szidarovszky and Okuguchi 1997; Cornes and
Hartley 2005). Its conditions are a·pot·s(1 − s) = C^c·k and b·pot·s(1 − s) = C^p·ε, each clipped to its range. Inside
the ranges a user's cash is pot·s·(1 − (a + b)(1 − s)) > 0; at a lower end it may be negative, and then the user leaves.

The solver works in z = ln(s/(1 − s)), user by user, and ln X, all at once: Newton's method on

    ln θ + a·ln k(z) + b·ln ε(z) − ln s(z) − ln X = 0   for every user,   Σ s(z) = 1,

whose matrix is an arrow, so that a step costs a few passes over arrays. Its kinks are where k or ε leaves a range;
where that keeps a step from settling, the root in X is bracketed instead.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Bools, Floats
from flnft_sim.checks import not_negative, positive, within
from flnft_sim.errors import InputError

_SETTLED = 1e-13  # of an equation in logarithms, and of the sum of shares
_NEWTON_STEPS = 15
_HALVINGS = 200
_GAIN = 1e-9  # of the pot: less is no reason to leave or to enter
_ONE_BY_ONE = 50  # losers; more leave by their thresholds, and not one after another


class Contest(NamedTuple):
    """An equilibrium: (N,) arrays, zeros for who stays out."""

    epochs: Floats
    privacy: Floats
    takes_part: Bools


def contest_equilibrium(
    pot: float,
    scores: ArrayLike,
    compute_cost: ArrayLike,
    privacy_cost: ArrayLike,
    *,
    a: float,
    b: float,
    epochs_range: tuple[float, float],
    privacy_range: tuple[float, float],
) -> Contest:
    """Epochs k, privacy budgets ε and who takes part, each (N,), in the equilibrium of the contest for `pot` money.

    `scores` are θ (N,), costs money per epoch and per unit of ε (N,). k and ε are real numbers. Who would lose money
    leaves, the greatest loser first; who is out and would gain comes back, until nobody wants to move. With fewer than
    two participants there is no contest, and nobody takes part. Raises `InputError` for numbers out of range.
    """
    within("a", a, above=0.0, at_most=1.0)
    within("b", b, at_least=0.0, at_most=1.0)
    if a + b > 1.0:
        raise InputError(
            f"a + b = {a + b:g}: a score with returns above 1 has no equilibrium; let them sum up to 1 at most"
        )
    theta = positive("scores", scores)
    game = _Game(
        pot=float(not_negative("pot", pot, "money")),
        log_theta=np.log(theta),
        compute=np.broadcast_to(positive("compute_cost", compute_cost, "money"), theta.shape),
        privacy=np.broadcast_to(not_negative("privacy_cost", privacy_cost, "money"), theta.shape),
        a=float(a),
        b=float(b),
        epochs_range=_range("epochs_range", epochs_range),
        privacy_range=_range("privacy_range", privacy_range),
    )
    return _settle_who_takes_part(game)


def _range(name: str, limits: tuple[float, float]) -> tuple[float, float]:
    low, high = (float(end) for end in positive(name, limits))
    if low > high:
        raise InputError(f"{name} = ({low:g}, {high:g}): the first must not be above the second")
    return low, high


@dataclass(frozen=True)
class _Game:
    """N users; `of` gives some of them."""

    pot: float
    log_theta: Floats
    compute: Floats
    privacy: Floats
    a: float
    b: float
    epochs_range: tuple[float, float]
    privacy_range: tuple[float, float]

    def __len__(self) -> int:
        return len(self.log_theta)

    @cached_property
    def wishes(self) -> list[tuple[float, Floats, tuple[float, float]]]:
        """Of each effort that counts: its exponent, ln of what a margin s(1 − s) of 1 would make best, ln its range."""
        efforts = ((self.a, self.compute, self.epochs_range), (self.b, self.privacy, self.privacy_range))
        with np.errstate(divide="ignore"):
            return [
                (exponent, np.log(exponent * self.pot) - np.log(cost), (float(np.log(low)), float(np.log(high))))
                for exponent, cost, (low, high) in efforts
                if exponent > 0.0
            ]

    @cached_property
    def break_even(self) -> tuple[Floats, Floats]:
        """ln X at which each user's cash is nothing, (N,), and its share s there; −inf where it always loses.

        Cash grows with s, and it can be nothing only with k or ε at a low end: inside both ranges it is above 0.
        So the root is one of five closed ones, that of which ends k and ε are at there.
        """
        pot, (k_low, k_high), (e_low, e_high) = self.pot, self.epochs_range, self.privacy_range

        def inside(exponent: float, cost: Floats) -> Floats:
            """s of exponent·s² + (1 − exponent)·s = cost/pot: one effort inside its range, the other at a cost."""
            part = 1.0 - exponent
            return 2.0 * (cost / pot) / (part + np.sqrt(part * part + 4.0 * exponent * cost / pot))

        roots = (
            (self.compute * k_low + self.privacy * e_low) / pot,
            (self.compute * k_low + self.privacy * e_high) / pot,
            (self.compute * k_high + self.privacy * e_low) / pot,
            inside(self.b, self.compute * k_low),
            inside(self.a, self.privacy * e_low),
        )
        best, least = np.full(len(self), np.inf), np.full(len(self), np.inf)
        for root in roots:
            with np.errstate(invalid="ignore"):
                cash = np.where(root < 1.0, np.abs(self.cash(np.minimum(root, 1.0))), np.inf)
            best, least = np.where(cash < least, root, best), np.minimum(cash, least)
        share = np.clip(best, 1e-300, 1.0 - 1e-16)
        log_score = _log_score(self, _logit(share), np.log(share))[0]
        return np.where(best < 1.0, log_score - np.log(share), -np.inf), share

    def of(self, users: Bools) -> "_Game":
        return _Game(
            self.pot,
            self.log_theta[users],
            self.compute[users],
            self.privacy[users],
            self.a,
            self.b,
            self.epochs_range,
            self.privacy_range,
        )

    def efforts(self, share: Floats) -> tuple[Floats, Floats]:
        """k and ε that a share s makes best: (N,) each."""
        margin = self.pot * share * (1.0 - share)
        epochs = np.clip(self.a * margin / self.compute, *self.epochs_range)
        with np.errstate(divide="ignore", invalid="ignore"):
            wanted = self.b * margin / self.privacy if self.b > 0 else np.zeros(len(self))
        # Privacy that costs nothing is given to the last, where it counts at all.
        wanted = np.where(self.privacy > 0, wanted, np.inf if self.b > 0 else 0.0)
        return epochs, np.clip(wanted, *self.privacy_range)

    def cash(self, share: Floats) -> Floats:
        """Money that each user keeps at its share: (N,)."""
        epochs, privacy = self.efforts(share)
        return self.pot * share - self.compute * epochs - self.privacy * privacy


def _settle_who_takes_part(game: _Game) -> Contest:
    """Let losers leave and who would gain come back, until nobody wants to move or a cast of players returns."""
    part, seen = np.ones(len(game), dtype=bool), set()
    while True:
        part, shares = _without_losers(game, part)
        if part.all() or not part.any() or part.tobytes() in seen:
            break
        seen.add(part.tobytes())
        entrant = _keenest_entrant(game, ~part, _log_sum(_log_scores_at(game.of(part), shares[part])))
        if entrant is None:
            break
        part = part.copy()
        part[entrant] = True
    epochs, privacy = game.efforts(shares)
    return Contest(np.where(part, epochs, 0.0), np.where(part, privacy, 0.0), part)


def _without_losers(game: _Game, part: Bools) -> tuple[Bools, Floats]:
    """Who is left, and the shares (N,), when losers have left one after another, the greatest first."""
    part, start = part.copy(), None
    while True:
        shares = np.zeros(len(game))
        if np.count_nonzero(part) < 2 or not game.pot > 0:
            return np.zeros(len(game), dtype=bool), shares
        players = game.of(part)
        shares[part] = _equilibrium(players, start)
        cash = players.cash(shares[part])
        losing = cash < -_GAIN * game.pot
        if not losing.any():
            return part, shares
        staying = np.ones(len(players), dtype=bool)
        if np.count_nonzero(losing) > _ONE_BY_ONE:
            staying = _who_stays(players, shares[part])
        else:
            staying[int(cash.argmin())] = False
        start = shares[part][staying]
        part[np.flatnonzero(part)[~staying]] = False


def _who_stays(players: _Game, shares: Floats) -> Bools:
    """Of a crowd with many losers, those who do not lose at the X that they make together.

    A player loses where X is above its threshold (`break_even`). The shares of those whose threshold is at least X sum
    to less the larger X is, so the X at which they sum to 1 is found by bisection between thresholds.
    """
    equation, (log_most, _) = _Within(players), players.break_even
    high = _log_sum(_log_scores_at(players, shares))
    low, z = float(log_most.max()) - 60.0, _logit(shares)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        inside = log_most >= middle
        if not low < middle < high or np.count_nonzero((log_most >= low) & (log_most < high)) <= 1:
            break
        z = _newton_at(equation, z, middle)
        total = float(np.exp(_log_share(z[inside])).sum())
        low, high = (middle, high) if total > 1.0 else (low, middle)
    return log_most >= high


def _keenest_entrant(game: _Game, outside: Bools, log_total: float) -> int | None:
    """Who of those outside would win most by its best entry, the others' scores as they are; None where nobody would.

    Whose cash is nothing at (X*, s*) has then X*·(1 − s*) beside its own score, and gains where there is less.
    """
    log_most, share = game.break_even
    keen = outside & (log_most + np.log1p(-share) > log_total)
    if not keen.any():
        return None
    users = game.of(keen)
    gains = users.cash(_share(_Entry(users), log_total))
    best = int(gains.argmax())
    return int(np.flatnonzero(keen)[best]) if gains[best] > _GAIN * game.pot else None


def _log_scores_at(players: _Game, shares: Floats) -> Floats:
    """ln c (N,) of the efforts that these shares make best."""
    epochs, privacy = players.efforts(shares)
    return players.log_theta + players.a * np.log(epochs) + players.b * np.log(privacy)


def _log_sum(logarithms: Floats) -> float:
    """ln of the sum of what these are logarithms of."""
    most = logarithms.max()
    return float(most + np.log(np.exp(logarithms - most).sum()))


def _logit(share: Floats) -> Floats:
    return np.log(share) - np.log1p(-np.minimum(share, 1.0 - 1e-16))


# ---- roots ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Within:
    """A user's equation where X holds its own score: ln c(z) = ln X + ln s(z)."""

    game: _Game

    def excess(self, z: Floats, log_total: Floats | float) -> tuple[Floats, Floats, Floats]:
        """ln c − ln s − ln X, its slope in z, and s, each (N,)."""
        log_share = _log_share(z)
        log_score, slope, share = _log_score(self.game, z, log_share)
        log_score -= log_share
        log_score -= log_total
        slope += share
        slope -= 1.0
        return log_score, slope, share


@dataclass(frozen=True)
class _Entry:
    """The equation of a user who comes to X: ln c(z) = ln X + z, for s = c/(c + X)."""

    game: _Game

    def excess(self, z: Floats, log_total: Floats | float) -> tuple[Floats, Floats, Floats]:
        """ln c − z − ln X, its slope in z, and s, each (N,)."""
        log_score, slope, share = _log_score(self.game, z, _log_share(z))
        return log_score - z - log_total, slope - 1.0, share


def _log_share(z: Floats) -> Floats:
    """ln s for z = ln(s/(1 − s))."""
    return np.minimum(z, 0.0) - np.log1p(np.exp(-np.abs(z)))


def _log_score(game: _Game, z: Floats, log_share: Floats) -> tuple[Floats, Floats, Floats]:
    """ln c at the efforts that s makes best, its slope in z, and s."""
    share = np.exp(log_share)
    log_margin = 2.0 * log_share - z  # of s(1 − s)
    log_score, slope = game.log_theta.copy(), np.zeros(len(game))
    for exponent, log_wish, (low, high) in game.wishes:
        wanted = log_margin + log_wish
        slope += exponent * ((wanted > low) & (wanted < high))
        np.clip(wanted, low, high, out=wanted)
        wanted *= exponent
        log_score += wanted
    slope *= 1.0 - 2.0 * share
    return log_score, slope, share


def _equilibrium(players: _Game, start: Floats | None = None) -> Floats:
    """The shares (n,) at which every player's score is its best, by Newton's method, else by a bracket."""
    equation, count = _Within(players), len(players)
    share = np.full(count, 1.0 / count) if start is None else start
    for _ in range(3 if start is None else 1):  # what these shares make best gives better ones
        log_score = _log_scores_at(players, share)
        log_total = _log_sum(log_score)
        share = np.exp(log_score - log_total)
    z = _logit(share)
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
    return np.where(step > 0.0, _logit(up), z + np.maximum(step, -4.0))


def _newton_at(equation: _Within, z: Floats, log_total: float, steps: int = 4) -> Floats:
    """A few steps towards each user's root at a given ln X."""
    for _ in range(steps):
        excess, slope, share = equation.excess(z, log_total)
        z = _moved(z, share, -excess / np.minimum(slope, -1e-300))
    return z


def _by_bracket(equation: _Within, z: Floats) -> Floats:
    """The shares where the root in ln X lies between all efforts at their least and all at their most (Brent 1973)."""
    from scipy.optimize import brentq

    game = equation.game
    ends = [game.a * np.log(k) + game.b * np.log(e) for k, e in zip(game.epochs_range, game.privacy_range, strict=True)]
    scale = _log_sum(game.log_theta)
    near = [z]

    def surplus(log_total: float) -> float:
        share = _share(equation, log_total, near[0])
        near[0] = _logit(np.clip(share, 1e-300, 1.0 - 1e-16))
        return float(share.sum()) - 1.0

    log_total = brentq(surplus, scale + ends[0] - 1e-9, scale + ends[1] + 1e-9, xtol=1e-15, rtol=1e-14)
    share = _share(equation, log_total, near[0])
    return share / share.sum()


def _share(equation: _Within | _Entry, log_total: float, z: Floats | None = None) -> Floats:
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

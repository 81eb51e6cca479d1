"""The contest among users for a pot: who works how much where a share of a fixed sum is what each can win.

User i's score is c_i = θ_i·k_i^a·ε_i^b·max(0, 1 − T_i/T_ref)^w (a > 0, b ≥ 0, a + b ≤ 1, w ≥ 0; T_i = T_i⁰ + d_i·k_i),
its share s_i = c_i/Σc, and its utility is cash: pot·s_i − C_i^c·k_i − C_i^p·ε_i. Where a score rises in k it is concave
in (k, ε): with r = 1 − T/T_ref, y = w·d·k/(r·T_ref) and α = a − y = d ln c/d ln k > 0, concavity in k is
α² ≤ a + y²/w and in both (a + y²/w)/α² ≥ 1/(1 − b), and both hold as α ≤ a ≤ 1 − b. So the least cost of a score is
convex, and the best s_i as a function of X = Σc falls; Σ s_i(X) = 1 then has one root, and the equilibrium is unique
(Szidarovszky and Okuguchi 1997; Cornes and Hartley 2005). Its conditions are α·pot·s(1 − s) = C^c·k and
b·pot·s(1 − s) = C^p·ε, each clipped to its range; k beyond the peak of the score is never an answer (`most_epochs`).
Inside the ranges a user's cash is pot·s·(1 − (α + b)(1 − s)) > 0; at a lower end it may be negative, and then the user
leaves.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.checks import not_negative
from flnft_sim.game.contest.efforts import Game, log_sum
from flnft_sim.game.contest.shares import Entry, Within, equilibrium_shares, logit, newton_at, shares_at
from flnft_sim.game.contest.terms import ContestTerms, ScoreFreshness

GAIN = 1e-9  # of the pot: less is no reason to leave or to enter
_ONE_BY_ONE = 50  # losers; more leave by the X at which they break even, and not one after another
_HALVINGS = 100
_TIED = 1e-12  # of the pot: amounts closer than this are equal


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
    epochs_range: tuple[ArrayLike, ArrayLike],
    privacy_range: tuple[float, float],
    freshness: ScoreFreshness | None = None,
    rng: np.random.Generator | None = None,
) -> Contest:
    """Epochs k, privacy budgets ε and who takes part, each (N,), in the equilibrium of the contest for `pot` money.

    The arguments are those of `ContestTerms`, where their units are; see `settled_contest`.
    """
    terms = ContestTerms(
        scores=scores,
        compute_cost=compute_cost,
        privacy_cost=privacy_cost,
        a=a,
        b=b,
        epochs_range=epochs_range,
        privacy_range=privacy_range,
        freshness=freshness,
    )
    return settled_contest(pot, terms, rng=rng)


def settled_contest(pot: float, terms: ContestTerms, *, rng: np.random.Generator | None = None) -> Contest:
    """The contest for `pot` money on these terms; k and ε are real numbers.

    Who would lose money leaves, the greatest loser first; who is out and would gain comes back, until nobody wants to
    move. Of equal users `rng` draws who goes first; without it they go by their order. With fewer than two
    participants there is no contest, and nobody takes part. Raises `InputError` for a pot out of range.
    """
    pot = float(not_negative("pot", pot, "money"))
    able = np.flatnonzero(terms.able)
    precedence = np.arange(able.size) if rng is None else rng.permutation(able.size)
    found = _settle_who_takes_part(_game(pot, terms, able), precedence)
    outcome = Contest(np.zeros(len(terms)), np.zeros(len(terms)), np.zeros(len(terms), dtype=bool))
    for whole, part in zip(outcome, found, strict=True):
        whole[able] = part
    return outcome


def _game(pot: float, terms: ContestTerms, able: Ints) -> Game:
    ageing = terms.ageing
    return Game(
        pot=pot,
        log_theta=np.log(terms.theta[able]),
        compute=terms.compute[able],
        privacy=terms.privacy[able],
        a=float(terms.a),
        b=float(terms.b),
        epochs_range=(terms.least_epochs[able], terms.most_epochs[able]),
        privacy_range=(float(terms.privacy_range[0]), float(terms.privacy_range[1])),
        ageing=None if ageing is None else (ageing[0], ageing[1][able], ageing[2][able]),
    )


def _settle_who_takes_part(game: Game, precedence: Ints) -> Contest:
    """Let losers leave and who would gain come back, until nobody wants to move or a cast of players returns."""
    part, seen, shares = np.ones(len(game), dtype=bool), set(), np.zeros(len(game))
    while True:
        part, shares = _without_losers(game, part, precedence)
        if part.all() or not part.any() or part.tobytes() in seen:
            break
        seen.add(part.tobytes())
        entrant = _keenest_entrant(game, ~part, log_sum(game.of(part).log_scores(shares[part])), precedence)
        if entrant is None:
            break
        part = part.copy()
        part[entrant] = True
    epochs, privacy = game.efforts(shares)
    return Contest(np.where(part, epochs, 0.0), np.where(part, privacy, 0.0), part)


def _without_losers(game: Game, part: Bools, precedence: Ints) -> tuple[Bools, Floats]:
    """Who is left, and the shares (N,), when losers have left one after another, the greatest first."""
    part, start = part.copy(), None
    while True:
        shares = np.zeros(len(game))
        if np.count_nonzero(part) < 2 or not game.pot > 0:
            return np.zeros(len(game), dtype=bool), shares
        players = game.of(part)
        shares[part] = equilibrium_shares(players, start)
        cash = players.cash(shares[part])
        losing = cash < -GAIN * game.pot
        if not losing.any():
            return part, shares
        staying = np.ones(len(players), dtype=bool)
        if np.count_nonzero(losing) > _ONE_BY_ONE:
            staying = _who_stays(players, shares[part], precedence[part])
        else:
            staying[_first(-cash, precedence[part], _TIED * game.pot)] = False
        start = shares[part][staying]
        part[np.flatnonzero(part)[~staying]] = False


def _who_stays(players: Game, shares: Floats, precedence: Ints) -> Bools:
    """Of a crowd with many losers, those who do not lose at the X that they make together.

    A player's cash at X falls with X. The shares of those who do not lose at X sum to less the larger X is, so the X at
    which they sum to 1 is found by bisection; of who breaks even within the bracket that is left, equal ones in
    particular, as many stay as there is room for.
    """
    equation, z, high = Within(players), logit(shares), log_sum(players.log_scores(shares))
    pays = _at(players, z)[1]
    staying, leaving, low = pays, np.zeros_like(pays), min(players.log_limits()[0], high) - 60.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if not low < middle < high or (high - low) < 1e-13 * max(1.0, abs(high)):
            break
        z = newton_at(equation, z, middle)
        share, pays = _at(players, z)
        if float(share[pays].sum()) > 1.0:
            low, leaving = middle, ~pays
        else:
            high, staying = middle, pays
        if np.count_nonzero(~staying & ~leaving) <= 1:
            break
    doubtful = np.flatnonzero(~staying & ~leaving)
    doubtful = doubtful[np.argsort(precedence[doubtful], kind="stable")]
    share = _at(players, newton_at(equation, z, high))[0]
    fits = float(share[staying].sum()) + np.cumsum(share[doubtful]) <= 1.0
    chosen = staying.copy()
    chosen[doubtful[fits]] = True
    return chosen


def _at(players: Game, z: Floats) -> tuple[Floats, Bools]:
    """Shares at z, and who does not lose there."""
    share = 1.0 / (1.0 + np.exp(-z))
    return share, players.cash(share) >= -GAIN * players.pot


def _keenest_entrant(game: Game, outside: Bools, log_total: float, precedence: Ints) -> int | None:
    """Who of those outside would win most by its best entry, the others' scores as they are; None where nobody would.

    To enter makes X larger, so who would lose at X as it is would lose by entering, too.
    """
    users = np.flatnonzero(outside)
    players = game.of(outside)
    hopeful = players.cash(shares_at(Within(players), log_total)) > 0.0
    if not hopeful.any():
        return None
    users, players = users[hopeful], players.of(hopeful)
    gains = players.cash(shares_at(Entry(players), log_total))
    best = _first(gains, precedence[users], _TIED * game.pot)
    return int(users[best]) if gains[best] > GAIN * game.pot else None


def _first(amounts: Floats, precedence: Ints, tolerance: float) -> int:
    """Where the largest amount is; of equals the one that takes precedence."""
    tied = np.flatnonzero(amounts >= amounts.max() - tolerance)
    return int(tied[precedence[tied].argmin()])

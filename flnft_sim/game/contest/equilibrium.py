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
from flnft_sim.game.contest.breaking_even import break_even_totals
from flnft_sim.game.contest.crowd import Crowd, who_stays
from flnft_sim.game.contest.efforts import Game, log_sum
from flnft_sim.game.contest.shares import Entry, equilibrium_shares, shares_at
from flnft_sim.game.contest.terms import ContestTerms, ScoreFreshness

GAIN = 1e-9  # of the pot: less is no reason to leave or to enter
_CROWD = 10_000  # users; more are settled by the totals at which they break even
_ONE_BY_ONE = 20_000  # losers × users; more leave by these totals, and not one after another
_RETURNS = 1_000  # of users who left; an end in any case
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
    able = terms.able
    users = slice(None) if able.all() else np.flatnonzero(able)
    game = _game(pot, terms, users)
    precedence = np.arange(len(game)) if rng is None else rng.permutation(len(game))
    found = _settle_who_takes_part(game, precedence)
    if able.all():
        return found
    outcome = Contest(np.zeros(len(terms)), np.zeros(len(terms)), np.zeros(len(terms), dtype=bool))
    for whole, part in zip(outcome, found, strict=True):
        whole[able] = part
    return outcome


def _game(pot: float, terms: ContestTerms, able: Ints | slice) -> Game:
    ageing = terms.ageing
    return Game(
        pot=pot,
        log_theta=np.log(terms.theta[able]),
        compute=terms.compute[able],
        privacy=terms.privacy[able],
        a=float(terms.a),
        b=float(terms.b),
        epochs_range=_ends(terms, able),
        privacy_range=(float(terms.privacy_range[0]), float(terms.privacy_range[1])),
        ageing=None if ageing is None else (ageing[0], ageing[1][able], ageing[2][able]),
    )


def _ends(terms: ContestTerms, able: Ints | slice) -> tuple[Floats, Floats]:
    low, high = (np.asarray(end, dtype=float) for end in terms.epochs_range)
    if low.ndim == high.ndim == 0 and terms.ageing is None:
        return low, high
    return terms.least_epochs[able], terms.most_epochs[able]


def _settle_who_takes_part(game: Game, precedence: Ints) -> Contest:
    """Let losers leave and who would gain come back, until nobody wants to move or a cast of players returns."""
    part, shares = np.ones(len(game), dtype=bool), np.zeros(len(game))
    even = break_even_totals(game) if game.pot > 0 else np.full(len(game), -np.inf)
    if len(game) > _CROWD:
        part, shares = _crowd(game, part, even, precedence)
    seen: set[bytes] = set()
    while len(seen) <= _RETURNS:
        if not shares.any():
            part, shares = _without_losers(game, part, even, precedence)
        if part.all() or not part.any() or part.tobytes() in seen:
            break
        seen.add(part.tobytes())
        entrant = _keenest_entrant(game, ~part, even, log_sum(game.of(part).log_scores(shares[part])), precedence)
        if entrant is None:
            break
        part, shares = part.copy(), np.zeros(len(game))
        part[entrant] = True
    epochs, privacy = game.efforts(shares)
    return Contest(np.where(part, epochs, 0.0), np.where(part, privacy, 0.0), part)


def _without_losers(game: Game, part: Bools, even: Floats, precedence: Ints) -> tuple[Bools, Floats]:
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
        if np.count_nonzero(losing) * len(players) > _ONE_BY_ONE:
            part, shares = _crowd(game, part, even, precedence)
            start = shares[part]
        else:
            staying = np.ones(len(players), dtype=bool)
            staying[_first(-cash, precedence[part], _TIED * game.pot)] = False
            start = shares[part][staying]
            part[np.flatnonzero(part)[~staying]] = False


def _crowd(game: Game, part: Bools, even: Floats, precedence: Ints) -> tuple[Bools, Floats]:
    """As `_without_losers`, for many losers at once: who stays by the totals at which each breaks even."""
    crowd, left = Crowd(game.of(part)), part.copy()
    left[part] = stays = who_stays(crowd, even[part], precedence[part])
    shares = np.zeros(len(game))
    if np.count_nonzero(left) < 2:
        return np.zeros_like(left), shares
    few = crowd.among(stays)
    found = few.settled()
    shares[left] = equilibrium_shares(few.game, few.shares(few.log_total)) if found is None else found
    return left, shares


def _keenest_entrant(game: Game, outside: Bools, even: Floats, log_total: float, precedence: Ints) -> int | None:
    """Who of those outside would win most by its best entry, the others' scores as they are; None where nobody would.

    To enter makes X larger, so who breaks even below X as it is would lose by entering, too.
    """
    users = np.flatnonzero(outside & (even > log_total))
    if not users.size:
        return None
    players = game.of(users)
    gains = players.cash(shares_at(Entry(players), log_total))
    best = _first(gains, precedence[users], _TIED * game.pot)
    return int(users[best]) if gains[best] > GAIN * game.pot else None


def _first(amounts: Floats, precedence: Ints, tolerance: float) -> int:
    """Where the largest amount is; of equals the one that takes precedence."""
    tied = np.flatnonzero(amounts >= amounts.max() - tolerance)
    return int(tied[precedence[tied].argmin()])

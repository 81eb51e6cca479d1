"""The equilibrium among providers with perfect information: one scalar root for any number of providers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Bools, Floats
from flnft_sim.checks import not_negative
from flnft_sim.errors import FlnftError
from flnft_sim.game.errors import ValuationError
from flnft_sim.game.responses import budgeted_best_response, rival_sums
from flnft_sim.game.roots import increasing_roots
from flnft_sim.game.utilities import ProviderForm

STANDSTILL = 1e-9  # largest distance of a bid from its best response, as a share of all bids
WIDEST = 60.0  # how far below the unbudgeted sum of bids the search goes, in its logarithm


class NoEquilibriumError(FlnftError):
    """Prices under binding budgets that do not come to rest."""


def provider_equilibrium(valuations: ArrayLike, satisfaction: ArrayLike, *, form: ProviderForm = "printed") -> Floats:
    """Equilibrium prices (M,) of providers with valuations (M,) and a satisfaction, one number or one each.

    With S = Σq and Δ = S − q, Eq. 29 solved for q gives q(S) = max(0, S − (−V + √(V² + 4(1+s)S²))/2), and S is the one
    positive root of Σ q(S) = S. It needs two V > 0: otherwise no equilibrium exists (a lone provider would undercut
    every bid of its own) and zeros are returned. Empty in, empty out. With the form `money` of `provider_utility`,
    q(S) = max(0, S − s·S²/V), and a dimension without satisfaction is not traded.
    """
    worth = np.atleast_1d(not_negative("valuations", valuations, error=ValuationError))
    sat = np.broadcast_to(not_negative("satisfaction", satisfaction), worth.shape)
    active = (worth > 0) & ((sat > 0) | (form == "printed"))
    if np.count_nonzero(active) < 2:
        return np.zeros_like(worth)
    from scipy.optimize import brentq  # here: it takes longer to import than a small decision takes

    v, s = worth[active], sat[active]
    fractions, bracket = (_money_fractions, _money_bracket) if form == "money" else (_fractions, _bracket)
    bids = np.zeros_like(worth)
    total = np.exp(brentq(lambda log_s: fractions(np.exp(log_s), v, s).sum() - 1.0, *bracket(v, s), xtol=1e-15))
    bids[active] = total * fractions(total, v, s)
    return bids


def _fractions(total: float, v: Floats, s: Floats) -> Floats:
    """q(S)/S = max(0, 1 − 2aS/(V + √(V² + 4aS²))), a = 1 + s: falls in S from 1, without cancellation."""
    a = 1.0 + s
    return np.maximum(0.0, 1.0 - 2.0 * a * total / (v + np.sqrt(v * v + 4.0 * a * total * total)))


def _money_fractions(total: float, v: Floats, s: Floats) -> Floats:
    """q(S)/S = max(0, 1 − s·S/V)."""
    return np.maximum(0.0, 1.0 - s * total / v)


def _money_bracket(v: Floats, s: Floats) -> tuple[float, float]:
    """log S on either side of the root: two providers fill the sum at the second largest V/(2s), nobody above V/s."""
    silent = np.sort(v / s)
    return float(np.log(0.5 * silent[-2])) - 1e-9, float(np.log(silent[-1])) + 1e-9


def _bracket(v: Floats, s: Floats) -> tuple[float, float]:
    """log S on either side of the root.

    q(S)/S ≥ 1/2 exactly for S ≤ 2V/(4a − 1): at the second largest of these, two providers already fill the sum.
    q(S)/S ≤ V/(2S) because √(V² + 4aS²) ≥ 2S: at S = ΣV the fractions add up to at most 1/2.
    """
    halves = np.sort(2.0 * v / (4.0 * (1.0 + s) - 1.0))
    return float(np.log(halves[-2])) - 1e-9, float(np.log(v.sum()))


def budgeted_equilibrium(
    valuation_quality: ArrayLike,
    valuation_freshness: ArrayLike,
    satisfaction_quality: ArrayLike,
    satisfaction_freshness: ArrayLike,
    budget: ArrayLike,
    *,
    form: ProviderForm = "printed",
) -> tuple[Floats, Floats]:
    """Equilibrium prices (q, f) of both dimensions, each (M,), under q·Q^λ + f·F ≤ B (Eq. 17).

    Budgets rarely bind (below about V/4); where none does, the dimensions part and each is one root-find. Otherwise
    the unknowns are the two sums of bids: given them each provider's bids follow from its multiplier ν alone, which is
    a root of its own (`_BudgetedMarket`). Raises `NoEquilibriumError` where what was found is no mutual best response.
    """
    worth = np.stack(np.broadcast_arrays(np.atleast_1d(valuation_quality), np.atleast_1d(valuation_freshness)))
    sats = np.stack([np.broadcast_to(s, worth[0].shape) for s in (satisfaction_quality, satisfaction_freshness)])
    purse = np.broadcast_to(not_negative("budget", budget), worth[0].shape)
    worth = np.where((purse > 0) | (sats == 0), worth, 0.0)  # who has no money bids nothing where a bid costs
    bids = np.stack([provider_equilibrium(v, s, form=form) for v, s in zip(worth, sats, strict=True)])
    if np.any((bids * sats).sum(axis=0) > purse):
        market = _BudgetedMarket(worth, sats, purse, form)
        bids = market.equilibrium(bids.sum(axis=1))
        best = np.stack(
            budgeted_best_response(
                rival_sums(bids[0]), rival_sums(bids[1]), worth[0], worth[1], sats[0], sats[1], purse, form=form
            )
        )
        distance = np.max(np.abs(best - bids) / np.maximum(bids.sum(axis=1, keepdims=True), np.finfo(float).tiny))
        if not distance <= STANDSTILL:
            raise NoEquilibriumError(
                f"the prices of {purse.size} providers under binding budgets do not come to rest: the furthest bid is "
                f"{distance:.1g} of all bids from its best response; raise game.budget_money, or lower valuations"
            )
    return bids[0], bids[1]


@dataclass(frozen=True)
class _BudgetedMarket:
    """Both dimensions of a market whose budgets may bind: valuations and satisfactions (2, M), budgets (M,)."""

    worth: Floats
    sats: Floats
    purse: Floats
    form: ProviderForm

    def equilibrium(self, unbudgeted: Floats) -> Floats:
        """Bids (2, M) whose sums (2,) reproduce themselves; the sums without budgets are where the search starts.

        Powell's hybrid method finds them in a dozen evaluations where bids move smoothly; where a provider falls
        silent on the way it can stall, and two nested bracketed roots take over.
        """
        from scipy.optimize import root  # here, as in `provider_equilibrium`

        traded = unbudgeted > 0
        start = np.log(np.where(traded, unbudgeted, 1.0))

        def excess(logs: Floats) -> Floats:
            near = np.clip(logs, start - WIDEST, start + 1.0)
            return np.where(traded, self._fill(np.exp(near)) - (logs - near), logs - start)

        found = root(excess, start, method="hybr", tol=1e-14)
        logs = found.x if np.max(np.abs(found.fun)) < STANDSTILL / 100.0 else self._nested(start, traded)
        return self._bids(np.exp(logs)) * traded[:, None]

    def _nested(self, start: Floats, traded: Bools) -> Floats:
        """The logarithms of both sums by one bracketed root inside another."""
        logs = start.copy()

        def inner(log_freshness: float) -> float:
            def excess(log_quality: float) -> float:
                return float(self._fill(np.exp([log_quality, log_freshness]))[0])

            return _log_root(excess, start[0]) if traded[0] else start[0]

        def outer(log_freshness: float) -> float:
            return float(self._fill(np.exp([inner(log_freshness), log_freshness]))[1])

        logs[1] = _log_root(outer, start[1]) if traded[1] else start[1]
        logs[0] = inner(logs[1])
        return logs

    def _fill(self, sums: Floats) -> Floats:
        """By how much the bids that answer the sums (2,) over- or underfill them, as a share: falls in each sum."""
        return self._bids(sums).sum(axis=1) / sums - 1.0

    def _bids(self, sums: Floats) -> Floats:
        """Bids (2, M) that answer the sums of all bids (2,): ν > 0 where a budget binds, q(ν) at (1 + ν)·s."""
        free = self._answers(sums, np.zeros_like(self.purse))[0]
        over = np.flatnonzero((free * self.sats).sum(axis=0) > self.purse)
        if over.size:
            bound = _BudgetedMarket(self.worth[:, over], self.sats[:, over], self.purse[over], self.form)
            free[:, over] = bound._answers(sums, bound._multipliers(sums))[0]
        return free

    def _multipliers(self, sums: Floats) -> Floats:
        """log(1 + ν) (M,) at which each provider spends its budget; at the upper end it bids nothing at all."""
        silent = np.divide(self.worth, self.sats * sums[:, None], out=np.ones_like(self.worth), where=self.sats > 0)
        high = np.log(np.maximum(1.0, silent.max(axis=0)))

        def left_over(log_weight: Floats) -> tuple[Floats, Floats]:
            bids, slopes = self._answers(sums, log_weight)
            return self.purse - (bids * self.sats).sum(axis=0), -(slopes * self.sats).sum(axis=0)

        return increasing_roots(left_over, np.zeros_like(high), high, np.zeros_like(high))

    def _answers(self, sums: Floats, log_weight: Floats) -> tuple[Floats, Floats]:
        """q(S, ν) (2, M) as in `provider_equilibrium`, with (1 + ν)·s for s, and its derivative by log(1 + ν)."""
        total, pressed = sums[:, None], np.exp(log_weight) * self.sats
        if self.form == "money":
            spent = np.divide(
                pressed * total * total, self.worth, out=np.full_like(pressed, np.inf), where=self.worth > 0
            )
            speaks = (total > spent) & (self.sats > 0)
            return np.where(speaks, total - spent, 0.0), np.where(speaks, -spent, 0.0)
        scale = np.sqrt(self.worth * self.worth + 4.0 * (1.0 + pressed) * total * total)
        bids = total - 2.0 * (1.0 + pressed) * total * total / (self.worth + scale)
        speaks = (bids > 0) & (self.worth > 0)
        return np.where(speaks, bids, 0.0), np.where(speaks, -pressed * total * total / scale, 0.0)


def _log_root(excess: Callable[[float], float], start: float) -> float:
    """Where a falling function of the logarithm crosses 0, at most `start`; far below it nothing is left to fill."""
    from scipy.optimize import brentq

    return float(brentq(excess, start - WIDEST, start + 1.0, xtol=1e-14, rtol=1e-14))

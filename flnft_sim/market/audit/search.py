"""What a lie earns: clear a stack of markets under truth and under every candidate misreport of one party."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.market.audit.markets import Markets
from flnft_sim.market.audit.terms import clear_stack_in
from flnft_sim.market.clearing import ClearedStack

type Side = Literal["buyer", "seller"]

ROUNDING = 1e-9
"""Gains and losses below this share of a market's largest amount are rounding, not violations."""

_NUDGE = 1e-6
_FACTORS = np.array([0.0, 0.5, 0.8, 0.9, 0.95, 1.05, 1.1, 1.25, 2.0])


@dataclass(frozen=True)
class BestLies:
    """The most profitable misreport found for one party in each of B markets."""

    gain: Floats
    """(B,) money above the truthful utility; may be negative where every lie tried costs."""
    report: Floats
    """(B,) the misreport."""


def buyer_utilities(markets: Markets, cleared: ClearedStack) -> Floats:
    """(B, n) value of a licence where won, less the payment."""
    return np.where(cleared.wins, markets.values, 0.0) - cleared.payments


def seller_utilities(markets: Markets, cleared: ClearedStack) -> Floats:
    """(B, m) receipts less the cost of what was granted."""
    return cleared.receipts - markets.cost_of(cleared.licences)


def best_lies(rule: str, markets: Markets, truth: ClearedStack, side: Side, party: int, *, seed: int) -> BestLies:
    """Try a grid around the party's own value, and points at, around and between all others' reports and prices.

    Where a rule looks at the order of reports only, its outcome is constant between neighbouring points, so nothing
    is missed; for others `Counterexample.polished` follows up.
    """
    candidates = _candidates(markets, truth, side, party)
    honest = _utility(markets, truth, side, party)
    gains = _utility_of(rule, markets, side, party, candidates, seed=seed) - honest[:, None]
    best = gains.argmax(axis=1)
    rows = np.arange(len(markets))
    return BestLies(gains[rows, best], candidates[rows, best])


def _candidates(markets: Markets, truth: ClearedStack, side: Side, party: int) -> Floats:
    """(B, R) reports worth trying."""
    own = (markets.values if side == "buyer" else markets.costs)[:, party, None]
    top = markets.scale[:, None]
    reserve = markets.reserve[:, None]
    per_licence = truth.receipts / np.maximum(truth.licences, 1)
    points = np.concatenate(
        [
            markets.values,
            markets.costs,
            np.where(np.isinf(reserve), top, reserve),
            truth.payments.max(axis=1, keepdims=True),
            per_licence.max(axis=1, keepdims=True),
        ],
        axis=1,
    )
    if markets.asks == "total":
        points = np.concatenate([points, _shares(markets)], axis=1)
    points.sort(axis=1)
    between = (points[:, 1:] + points[:, :-1]) / 2
    return np.concatenate(
        [points, points * (1 - _NUDGE), points * (1 + _NUDGE), between, own * _FACTORS, 2 * top], axis=1
    )


def _shares(markets: Markets) -> Floats:
    """(B, R) the shares of every total among 2 … n bidders, and what k bidders come to at the k-th highest bid."""
    sharers = np.arange(2, markets.values.shape[1] + 1)
    totals = np.concatenate([markets.costs, np.where(np.isinf(markets.reserve), 0.0, markets.reserve)[:, None]], axis=1)
    descending = -np.sort(-markets.values, axis=1)[:, 1:]
    return np.concatenate([(totals[..., None] / sharers).reshape(len(markets), -1), descending * sharers], axis=1)


def _utility_of(rule: str, markets: Markets, side: Side, party: int, reports: Floats, *, seed: int) -> Floats:
    """(B, R) the party's true utility under each of its (B, R) reports, all others being truthful."""
    stack = reports.shape
    bids = np.broadcast_to(markets.values[:, None, :], (*stack, markets.values.shape[1]))
    asks = np.broadcast_to(markets.costs[:, None, :], (*stack, markets.costs.shape[1]))
    if side == "buyer":
        bids = bids.copy()
        bids[..., party] = reports
    else:
        asks = asks.copy()
        asks[..., party] = reports
    reserve = np.broadcast_to(markets.reserve[:, None], stack)
    cleared = clear_stack_in(markets.asks, rule, bids, asks, reserve, seed=seed)
    spread = Markets(markets.values[:, None, :], markets.costs[:, None, :], markets.reserve[:, None], markets.asks)
    return _utility(spread, cleared, side, party)


def _utility(markets: Markets, cleared: ClearedStack, side: Side, party: int) -> Floats:
    utilities = buyer_utilities if side == "buyer" else seller_utilities
    return utilities(markets, cleared)[..., party]

"""What each rule achieves in markets of growing size, under truthful reports."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.market.audit.markets import LARGEST, Markets
from flnft_sim.market.audit.report import welfare
from flnft_sim.market.audit.search import ROUNDING, seller_utilities
from flnft_sim.market.audit.terms import clear_stack_in
from flnft_sim.market.pricing import learned_reserve
from flnft_sim.market.rules.base import Asks
from flnft_sim.streams import checked_seed

BIDDERS = (1, 2, 3, 5, 8, 12, 20, 35, 60, 100)
DAOS = (1, 2, 8)

_TOTAL_A_BIDDER, _TOTAL_SPREAD = 0.2 * LARGEST, 0.5


@dataclass(frozen=True)
class SizeRow:
    """Means over the markets of one size."""

    rule: str
    daos: int
    bidders: int
    efficiency: float
    """Realised over first-best welfare, both summed over the markets."""
    revenue: float
    """Money to the DAOs as a share of first-best welfare."""
    below_cost: float
    """Share of the trades that leave a selling DAO with less than its cost."""


def efficiency_by_size(
    rules: Sequence[str],
    *,
    bidders: Sequence[int] = BIDDERS,
    daos: Sequence[int] = DAOS,
    markets: int = 2000,
    seed: int = 0,
    asks: Asks = "per-licence",
    reserve: bool = True,
) -> list[SizeRow]:
    """Clear the same markets by every rule, the reserve learned from as many markets before them, or without one.

    Values are uniform up to 10 money. So are costs per licence; total costs are log-normal about 2 money a bidder
    (σ = 0.5), for a model is trained for a market of its size.
    """
    rows = []
    for sellers in daos:
        for buyers in bidders:
            rng = np.random.default_rng([checked_seed(seed), sellers, buyers])
            history = _costs(rng, (markets, sellers), buyers, asks).min(axis=1)
            stack = Markets(
                values=rng.uniform(0, LARGEST, (markets, buyers)),
                costs=_costs(rng, (markets, sellers), buyers, asks),
                reserve=np.full(markets, learned_reserve(history, np.inf) if reserve else np.inf),
                asks=asks,
            )
            rows += [_row(rule, stack, seed) for rule in rules]
    return rows


def _costs(rng: np.random.Generator, shape: tuple[int, int], bidders: int, asks: Asks) -> Floats:
    if asks == "total":
        return _TOTAL_A_BIDDER * bidders * rng.lognormal(0, _TOTAL_SPREAD, shape)
    return rng.uniform(0, LARGEST, shape)


def _row(rule: str, stack: Markets, seed: int) -> SizeRow:
    cleared = clear_stack_in(stack.asks, rule, stack.values, stack.costs, stack.reserve, seed=seed)
    best, trades = float(stack.first_best.sum()), int(np.count_nonzero(cleared.wins.any(axis=1)))
    short = seller_utilities(stack, cleared).min(axis=1) < -ROUNDING * stack.scale
    return SizeRow(
        rule=rule,
        daos=stack.costs.shape[1],
        bidders=stack.values.shape[1],
        efficiency=float(welfare(stack, cleared).sum()) / best,
        revenue=float(cleared.receipts.sum()) / best,
        below_cost=int(np.count_nonzero(short)) / trades if trades else 0.0,
    )

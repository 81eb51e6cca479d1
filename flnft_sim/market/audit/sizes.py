"""What each rule achieves in markets of growing size, under truthful reports."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flnft_sim.market.audit.markets import LARGEST, Markets
from flnft_sim.market.audit.report import welfare
from flnft_sim.market.clearing import clear_stack
from flnft_sim.market.pricing import learned_reserve
from flnft_sim.streams import checked_seed

BIDDERS = (1, 2, 3, 5, 8, 12, 20, 35, 60, 100)
DAOS = (1, 2, 8)


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


def efficiency_by_size(
    rules: Sequence[str],
    *,
    bidders: Sequence[int] = BIDDERS,
    daos: Sequence[int] = DAOS,
    markets: int = 2000,
    seed: int = 0,
) -> list[SizeRow]:
    """Clear the same markets by every rule: values and costs uniform, the reserve learned from as many before them."""
    rows = []
    for sellers in daos:
        for buyers in bidders:
            rng = np.random.default_rng([checked_seed(seed), sellers, buyers])
            history = rng.uniform(0, LARGEST, (markets, sellers)).min(axis=1)
            stack = Markets(
                values=rng.uniform(0, LARGEST, (markets, buyers)),
                costs=rng.uniform(0, LARGEST, (markets, sellers)),
                reserve=np.full(markets, learned_reserve(history, np.inf)),
            )
            best = float(stack.first_best.sum())
            for rule in rules:
                cleared = clear_stack(rule, stack.values, stack.costs, stack.reserve, seed=seed)
                realised, revenue = float(welfare(stack, cleared).sum()), float(cleared.receipts.sum())
                rows.append(SizeRow(rule, sellers, buyers, realised / best, revenue / best))
    return rows

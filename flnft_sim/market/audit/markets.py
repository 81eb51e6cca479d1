"""Random and structured markets to search: true values, true costs, reserves, all of at most 10 money."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from flnft_sim.arrays import Floats, Ints
from flnft_sim.market.rules.base import Asks

LARGEST = 10.0
"""No value exceeds it, so that gains compare across kinds of markets and fit a calculation by hand."""

BIDDERS = range(1, 7)
DAOS = range(1, 5)

_FEWEST_STACKS = 24
_MARKETS_A_STACK = 10


@dataclass(frozen=True)
class Markets:
    """A stack of markets of one size."""

    values: Floats
    """(B, n) what a licence is worth to each provider, money."""
    costs: Floats
    """(B, m) what granting a licence costs each DAO, or what selling at all does, money."""
    reserve: Floats
    """(B,) the published reserve, inf for none; for a licence or in total, as costs are."""
    asks: Asks = "per-licence"
    """What costs, and so truthful asks, are: for each licence or in total."""

    def __len__(self) -> int:
        return len(self.reserve)

    def __getitem__(self, part: slice) -> "Markets":
        return replace(self, values=self.values[part], costs=self.costs[part], reserve=self.reserve[part])

    @property
    def scale(self) -> Floats:
        """(B,) the largest amount in each market: what rounding is measured against."""
        return np.maximum(self.values.max(axis=-1), self.costs.max(axis=-1))

    @property
    def first_best(self) -> Floats:
        """(B,) the most welfare that there can be: the cheapest DAO serves whoever is worth its cost.

        That is Σ max(v − c_1, 0) with a cost per licence; with a total all are served or nobody, max(Σ v − c_1, 0).
        """
        cheapest = self.costs.min(axis=-1)
        if self.asks == "total":
            return np.maximum(self.values.sum(axis=-1) - cheapest, 0.0)
        return np.maximum(self.values - cheapest[..., None], 0.0).sum(axis=-1)

    def cost_of(self, licences: Ints) -> Floats:
        """(…, m) what it costs each DAO to grant so many licences, money."""
        return cost_of(licences, self.costs, self.asks)


def cost_of(licences: Ints, costs: Floats, asks: Asks) -> Floats:
    """What granting so many licences costs DAOs with these costs, money: a total is due once, or not at all."""
    return np.where(licences > 0, costs, 0.0) if asks == "total" else licences * costs


type Kind = Callable[[np.random.Generator, tuple[int, int]], Floats]


def _even(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return rng.uniform(0, LARGEST, shape)


def _tied(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return np.asarray(rng.integers(0, 5, shape) * (LARGEST / 4), np.float64)


def _equal(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return np.repeat(rng.uniform(0, LARGEST, (shape[0], 1)), shape[1], axis=1)


def _spread(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    return LARGEST * 10.0 ** rng.uniform(-6, 0, shape)


def _idle(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Most are zero, as bids are at the equilibrium of many providers."""
    return rng.uniform(0, LARGEST, shape) * (rng.random(shape) < 0.4)


KINDS: tuple[tuple[Kind, Kind], ...] = (
    (_even, _even),
    (_tied, _tied),
    (_spread, _spread),
    (_equal, _even),
    (_even, _equal),
    (_idle, _even),
)
"""Values of the providers, costs of the DAOs."""


def market_stacks(count: int, rng: np.random.Generator, asks: Asks = "per-licence") -> Iterator[Markets]:
    """`count` markets of every kind in every size of 1 … 6 providers and 1 … 4 DAOs, as evenly as it divides.

    A stack costs time however few markets it holds, so a small audit draws some of the kinds and sizes only.
    """
    plan = list(product(product(BIDDERS, DAOS), KINDS))
    stacks = min(len(plan), max(_FEWEST_STACKS, count // _MARKETS_A_STACK))
    for rank, position in enumerate(rng.permutation(len(plan))[:stacks].tolist()):
        share = count // stacks + (rank < count % stacks)
        (bidders, daos), (values, costs) = plan[position]
        if share:
            yield replace(_with_reserve(rng, values(rng, (share, bidders)), costs(rng, (share, daos))), asks=asks)


def _with_reserve(rng: np.random.Generator, values: Floats, costs: Floats) -> Markets:
    """A third without a reserve, a third with any, a third with one that equals somebody's value or cost."""
    count = len(values)
    amounts = np.concatenate([values, costs], axis=1)
    somebodys = amounts[np.arange(count), rng.integers(0, amounts.shape[1], count)]
    choices = np.stack([np.full(count, np.inf), rng.uniform(0, LARGEST, count), somebodys])
    return Markets(values, costs, choices[rng.integers(0, 3, count), np.arange(count)])

"""Bids sorted into quantile levels, which is what a categorical model can observe."""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from flnft_sim.arrays import Floats


@dataclass(frozen=True)
class Levels:
    """`values[i]` stands for the bids from above `edges[i - 1]` up to `edges[i]`; values ascend."""

    edges: tuple[float, ...]
    values: Floats

    @classmethod
    def of(cls, bids: Floats, count: int) -> "Levels":
        """At most `count` quantile bins of at least one bid; a value is the median of its bin.

        Bins that come out empty (repeated bids make equal edges) are merged into their neighbours, so that a history
        of one value has one level.
        """
        cuts = np.unique(np.quantile(bids, np.arange(1, count) / count))
        occupied = np.unique(np.searchsorted(cuts, bids, side="left"))
        edges = tuple(cuts[occupied[1:] - 1].tolist())
        return cls(edges, np.empty(0)).with_medians_of(bids)

    def with_medians_of(self, bids: Floats) -> "Levels":
        """The same bins, each with the median of these bids in it; every bin must hold one."""
        ascending = np.sort(bids)
        ends = np.searchsorted(ascending, self.edges, side="right").tolist()
        middles = [(start, end - 1) for start, end in pairwise((0, *ends, len(bids)))]
        lower = ascending[[(first + last) // 2 for first, last in middles]]
        upper = ascending[[(first + last + 1) // 2 for first, last in middles]]
        return Levels(self.edges, (lower + upper) / 2.0)

    def index(self, bid: float) -> int:
        """The level of one bid."""
        return bisect_left(self.edges, bid)

    def indices(self, bids: Floats) -> np.ndarray:
        """The levels of an array of bids."""
        return np.searchsorted(np.array(self.edges), bids, side="left")

    def __len__(self) -> int:
        return len(self.values)

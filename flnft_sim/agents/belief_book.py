"""What the public ledger lets everyone believe about each provider's next bid."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.game import BELIEFS, BidBelief
from flnft_sim.streams import Streams


class BeliefBook:
    """One belief per observed provider and dimension, shared by all who observe (the ledger is public: M, not M²).

    Beliefs are over money per dimension (q·Q^λ and f·F), not over prices: money keeps its scale from one FL-NFT to
    the next, prices shrink as quality grows.
    """

    dimensions = ("quality", "freshness")

    def __init__(
        self, kind: str, options: Mapping[str, Any], *, providers: int, prior_money: float, streams: Streams
    ) -> None:
        self._kind, self._options, self._streams = kind, dict(options), streams
        self.wants_truth = BELIEFS.get(kind).wants_truth
        self._beliefs = [
            [
                BidBelief(kind, **options, prior=prior_money, seed=streams.integer("beliefs", provider, dimension))
                for provider in range(providers)
            ]
            for dimension in range(len(self.dimensions))
        ]

    def believed_money(self, providers: Sequence[int]) -> tuple[Floats, Floats]:
        """Expected money each of the providers (numbers, M of them) bids next: arrays (M,) for quality, freshness."""
        quality, freshness = self._beliefs
        return np.array([quality[p].mean() for p in providers]), np.array([freshness[p].mean() for p in providers])

    def about(self, purpose: str, *indices: int, prior_money: float) -> BidBelief:
        """A belief of the same kind about another amount that the ledger shows again and again."""
        seed = self._streams.integer(purpose, *indices)
        return BidBelief(self._kind, **self._options, prior=prior_money, seed=seed)

    def fallbacks(self) -> int:
        """How many beliefs still predict the last bid because their history is too short."""
        return sum(bool(belief.fallback) for beliefs in self._beliefs for belief in beliefs)

    def observe(self, quality_money: Floats, freshness_money: Floats, providers: Sequence[int]) -> None:
        """Learn from an auction the ledger has opened; NaN where a provider's bid did not count."""
        for beliefs, money in zip(self._beliefs, (quality_money, freshness_money), strict=True):
            for provider, bid in zip(providers, money.tolist(), strict=True):
                beliefs[provider].observe(bid)

    def reveal(self, quality_money: Floats, freshness_money: Floats, providers: Sequence[int]) -> None:
        """Tell beliefs that want the truth what will be bid."""
        for beliefs, money in zip(self._beliefs, (quality_money, freshness_money), strict=True):
            for provider, bid in zip(providers, money, strict=True):
                beliefs[provider].reveal(float(bid))

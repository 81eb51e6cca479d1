"""Kinds that forecast one number: the last bid, the running mean, the EWMA, and the oracle."""

from typing import ClassVar

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.game.beliefs.base import BELIEFS, Belief, BeliefOptions, certainty


@BELIEFS.register("last")
class LastBid(Belief):
    """The next bid is the last one."""

    def __init__(self, options: BeliefOptions) -> None:
        super().__init__(options)
        self._last: float | None = None

    def observe(self, bid: float) -> None:
        self._last = bid

    def predict(self) -> tuple[Floats, Floats]:
        return certainty(self.options.prior if self._last is None else self._last)

    @property
    def fallback(self) -> str | None:
        return "no bid was observed yet: the prior is predicted" if self._last is None else None


@BELIEFS.register("mean")
class RunningMean(LastBid):
    """The next bid is the mean of all bids so far."""

    def __init__(self, options: BeliefOptions) -> None:
        super().__init__(options)
        self._count = 0

    def observe(self, bid: float) -> None:
        self._count += 1
        mean = bid if self._last is None else self._last
        super().observe(mean + (bid - mean) / self._count)


@BELIEFS.register("ewma")
class MovingAverage(LastBid):
    """The next bid is the exponentially weighted moving average, the newest bid having `ewma_weight`."""

    def observe(self, bid: float) -> None:
        mean = bid if self._last is None else self._last
        super().observe(mean + self.options.ewma_weight * (bid - mean))


@BELIEFS.register("oracle")
class Oracle(LastBid):
    """The next bid is the one revealed beforehand: what perfect information would be worth."""

    wants_truth: ClassVar[bool] = True

    def __init__(self, options: BeliefOptions) -> None:
        super().__init__(options)
        self._revealed: float | None = None

    def reveal(self, bid: float) -> None:
        self._revealed = bid

    def observe(self, bid: float) -> None:
        super().observe(bid)
        self._revealed = None

    def observe_gap(self) -> None:
        self._revealed = None

    def predict(self) -> tuple[Floats, Floats]:
        return super().predict() if self._revealed is None else certainty(self._revealed)

    @property
    def fallback(self) -> str | None:
        return None if self._revealed is not None else "nothing was revealed: the last bid or the prior is predicted"


@BELIEFS.register("ar1")
class Autoregression(LastBid):
    """The next bid follows the last one by least squares, x' = m' + φ·(x − m), φ within [−1, 1].

    Pairs are consecutive auctions: a gap breaks a pair, and the forecast is carried on through it.
    """

    def __init__(self, options: BeliefOptions) -> None:
        super().__init__(options)
        self._pairs = 0
        self._mean = np.zeros(2)  # of (bid, next bid)
        self._square = 0.0  # Σ (bid − m)²
        self._product = 0.0  # Σ (bid − m)(next − m')
        self._adjacent = False

    def observe(self, bid: float) -> None:
        if self._adjacent and self._last is not None:
            self._learn(self._last, bid)
        super().observe(bid)
        self._adjacent = True

    def observe_gap(self) -> None:
        if self._last is not None:
            self._last = self._forecast(self._last)
        self._adjacent = False

    def predict(self) -> tuple[Floats, Floats]:
        return super().predict() if self._last is None else certainty(self._forecast(self._last))

    def _learn(self, bid: float, following: float) -> None:
        """Welford's update of the means and the (co)variance."""
        self._pairs += 1
        before = bid - self._mean[0]
        self._mean += (np.array([bid, following]) - self._mean) / self._pairs
        self._square += before * (bid - self._mean[0])
        self._product += before * (following - self._mean[1])

    def _forecast(self, bid: float) -> float:
        if self._pairs < self.options.min_history:
            return bid
        slope = min(1.0, max(-1.0, self._product / self._square)) if self._square > 0 else 0.0
        return max(0.0, float(self._mean[1] + slope * (bid - self._mean[0])))

    @property
    def fallback(self) -> str | None:
        if self._last is not None and self._pairs < self.options.min_history:
            return f"{self._pairs} of {self.options.min_history} pairs of bids observed: the last bid is predicted"
        return super().fallback

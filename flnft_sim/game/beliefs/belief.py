"""The door to beliefs: one object for every kind."""

import math
from typing import Any

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.checks import OutOfRangeError
from flnft_sim.game.beliefs.base import BELIEFS, Part


class BidBelief:
    """What is believed about one provider's next bid; shared by all who read the public ledger.

        belief = BidBelief("hmm", states=4, levels=6)
        belief.observe(120.0)                       # after each auction it bid in; NaN or observe_gap() if it did not
        levels, probabilities = belief.predict()    # of the next bid
        belief.mean(), belief.most_likely()         # play the mean, with every kind

    Kinds are those of the registry `BELIEFS`; options are those of the kind's `Settings` (`BeliefOptions`, or more).
    Bids are money, at least 0.
    """

    def __init__(self, kind: str = "hmm", **options: Any) -> None:
        self.kind = kind
        self._belief = BELIEFS.get(kind)(BELIEFS.settings(kind, **options))
        self._mean: float | None = None  # of the present prediction, once somebody has asked

    @property
    def wants_truth(self) -> bool:
        """Whether this kind is to be told the next bid beforehand."""
        return self._belief.wants_truth

    def observe(self, bid: float) -> None:
        """Take in the bid the ledger shows after an auction; NaN means that there was none."""
        amount, self._mean = float(bid), None
        if math.isnan(amount):
            self._belief.observe_gap()
        elif 0.0 <= amount < math.inf:
            self._belief.observe(amount)
        else:
            raise OutOfRangeError(f"observed bid is {amount:g}; give finite money of at least 0")

    def observe_gap(self) -> None:
        """Take in that the provider did not bid in the last auction."""
        self._mean = None
        self._belief.observe_gap()

    def reveal(self, bid: float) -> None:
        """Tell the next bid beforehand; a kind listens that `wants_truth`, and all can be told."""
        self._mean = None
        self._belief.reveal(float(bid))

    def predict(self) -> tuple[Floats, Floats]:
        """Possible next bids (L,) in money, ascending, and their probabilities (L,), which sum to 1."""
        return self._belief.predict()

    def parts(self) -> tuple[Part, ...]:
        """The prediction in the parts it is mixed of, with what each possible bid stands for: what scores are about."""
        return self._belief.parts()

    def most_likely(self) -> float:
        """The bid of the highest probability, in money; the lowest of equals."""
        levels, probabilities = self._belief.predict()
        return float(levels[np.argmax(probabilities)])

    def mean(self) -> float:
        """The expected next bid, in money."""
        if self._mean is None:
            levels, probabilities = self._belief.predict()
            self._mean = float(levels @ probabilities)
        return self._mean

    @property
    def fallback(self) -> str | None:
        """Why the prediction is the last bid or the prior rather than the kind's own, or None if it is its own."""
        return self._belief.fallback

"""What every kind of belief about a rival's next bid can do, and the registry of kinds."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flnft_sim import families
from flnft_sim.arrays import Floats
from flnft_sim.errors import InputError
from flnft_sim.registry import Registry
from flnft_sim.settings.beliefs import BeliefSettings


@dataclass(frozen=True, kw_only=True)
class BeliefOptions(BeliefSettings):
    """What a belief is told: the knobs, and where it starts. A kind with knobs of its own derives its options."""

    prior: float = 0.0  # money predicted before anything was observed
    seed: int = 0  # of the random start of the first fit

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.prior < np.inf:
            raise InputError(f"belief option prior is {self.prior}; give money of at least 0")


@dataclass(frozen=True)
class Part:
    """A share of a prediction: possible bids (L,), ascending, their probabilities (L,), and what each stands for.

    `edges` (L − 1,), ascending, part the money axis: `values[i]` stands for bids from above `edges[i − 1]` up to
    `edges[i]`. A single value stands for every bid.
    """

    weight: float  # of the whole prediction
    values: Floats
    probabilities: Floats
    edges: Floats

    @classmethod
    def of(cls, values: Floats, probabilities: Floats, *, weight: float = 1.0) -> "Part":
        """A part whose values stand for the bids nearest to them."""
        return cls(weight, values, probabilities, (values[:-1] + values[1:]) / 2.0)

    @property
    def mean(self) -> float:
        """The expected bid of this part alone, in money."""
        return float(self.values @ self.probabilities)


class Belief(ABC):
    """A distribution over one provider's next bid, learned from the bids the public ledger shows."""

    Settings: ClassVar[type[BeliefOptions]] = BeliefOptions
    wants_truth: ClassVar[bool] = False  # whether it listens to `reveal`

    def __init__(self, options: BeliefOptions) -> None:
        self.options = options

    @abstractmethod
    def observe(self, bid: float) -> None:
        """Take in the bid of the auction that just closed."""

    def observe_gap(self) -> None:  # noqa: B027 - most kinds simply wait for the next bid
        """Take in that the provider did not bid in the auction that just closed."""

    def reveal(self, bid: float) -> None:  # noqa: B027 - hardly any kind listens
        """Tell the bid that will be made next, where it `wants_truth`."""

    @abstractmethod
    def predict(self) -> tuple[Floats, Floats]:
        """Possible next bids in ascending order, and their probabilities (equal lengths, sum 1)."""

    def parts(self) -> tuple[Part, ...]:
        """The prediction in the parts it is mixed of, always as many: what `density` spreads, each by itself."""
        return (Part.of(*self.predict()),)

    @property
    def fallback(self) -> str | None:
        """Why the present prediction is not the kind's own but the last bid or the prior; None if it is."""
        return None


BELIEFS: Registry[type[Belief]] = families.BELIEFS


def certainty(bid: float) -> tuple[Floats, Floats]:
    """The prediction that puts everything on one bid."""
    return np.array([bid]), np.ones(1)

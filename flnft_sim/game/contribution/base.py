"""What a measure of contributions is: what it may look at and what it says; and the one registry of measures."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flnft_sim import families
from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.errors import InputError
from flnft_sim.late import late
from flnft_sim.registry import Registry

type Worth = Callable[[Bools], Floats]
"""v: coalitions as masks (m, n) of whose update is in -> how much lower than the start's the loss of their updates'
average is on validation data, in nats (m,). Nobody's is 0."""


@late("rng")
@dataclass(frozen=True, kw_only=True)
class Arrivals:
    """What reached a DAO in one round: arrays (n,), one entry an update that arrived; n is at least 1."""

    shard_sizes: Ints
    losses: Floats
    """As users report them, in nats."""
    updates: NDArray[np.float32]
    """(n, P), what each sent less the model that it started from; (n, 0) where nobody sees single updates."""
    step: NDArray[np.float32]
    """(P,), by how much their aggregate has moved the model."""
    worth: Worth
    rng: np.random.Generator
    mu0: float = 2.0
    mu1: float = 10.0

    def __len__(self) -> int:
        return len(self.shard_sizes)


@dataclass(frozen=True)
class Measured:
    """What each of n users contributed, in the measure's own unit, below 0 where it did harm; arrays (n,)."""

    values: Floats
    errors: Floats
    """Standard errors of values that are sampled, 0 of those that are exact."""

    @classmethod
    def exactly(cls, values: Any) -> "Measured":
        """Values without an error."""
        array = np.asarray(values, dtype=np.float64)
        return cls(array, np.zeros_like(array))


@dataclass(frozen=True, kw_only=True)
class MeasureFacts:
    """What a scenario must know of a measure before anything runs; registered with it as its `facts`."""

    sees_updates: bool = True
    """Whether it looks at single updates, which a secure sum hides and a fitted curve does not have."""
    validates: bool = True
    """Whether it asks for `worth`, which takes validation data, and time for forward passes."""
    most_users: int | None = None
    """Of how many users at most it is worked out."""
    sampled: bool = False
    """Whether its values have standard errors."""
    age_counts_alone: bool = False
    """Whether an update is paid for its freshness whatever else it is worth (Eq. 12), as in the paper."""


type Measure = Callable[..., Measured]
"""(arrivals) -> what was measured; a measure with settings takes the keyword `settings`, too."""

CONTRIBUTIONS: Registry[Measure] = families.CONTRIBUTIONS


def facts_of(name: str) -> MeasureFacts:
    """Return what is known of a measure; one that says nothing is taken to look at everything."""
    return CONTRIBUTIONS.facts(name) or MeasureFacts()


def measure(name: str, arrived: Arrivals, **told: Any) -> Measured:
    """Measure contributions by a registered measure that is told its settings; what it returns is checked."""
    measured = CONTRIBUTIONS.get(name)(arrived, **CONTRIBUTIONS.given(name, **told))
    for what, values in (("values", measured.values), ("errors", measured.errors)):
        if np.shape(values) != (len(arrived),) or not np.isfinite(values).all():
            raise InputError(
                f"contribution measure {name!r} returns {what} {np.asarray(values).tolist()} for {len(arrived)} users; "
                "return a finite number for each"
            )
    return measured

"""What a DAO's rounds look like to the simulation, whatever trains behind it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from flnft_sim.arrays import Ints
from flnft_sim.errors import FlnftError, InputError
from flnft_sim.learning.coalitions import Coalitions
from flnft_sim.learning.models import Model
from flnft_sim.learning.schemes import Ranking


class LearnerError(InputError):
    """A learner that cannot be set up."""


class DivergenceError(FlnftError):
    """Training that left the finite numbers."""


@dataclass(frozen=True)
class LocalUpdates:
    """What a round's users bring home, arrays of one entry a user."""

    users: np.ndarray  # (n,) numbers
    losses: np.ndarray  # (n,) mean cross-entropy while training, last epoch; what a DAO may know of a private user's
    gradient_norms: np.ndarray  # (n,) mean L2 norm of mini-batch gradients, last epoch; stays on the device, or NaN
    update_norms: np.ndarray  # (n,) L2 norm of the *noised* update, what Eq. 7 may use; NaN where only sums are seen
    params: np.ndarray  # (n, P) float32, noised: what is shared


class PrivacyBook(Protocol):
    """What has been released over a run, user by user."""

    def table(self) -> pd.DataFrame:
        """Return rows of the table `privacy`, users by their numbers."""
        ...


class Learner(Protocol):
    """One DAO's model and the data its users hold."""

    model: Model
    users: np.ndarray  # (N,) numbers 0..N−1
    shard_sizes: np.ndarray  # (N,) samples
    engine_name: str

    @property
    def engine_reason(self) -> str:
        """Why this engine, and what its figures are worth."""
        ...

    @property
    def epochs_left(self) -> Ints | None:
        """How many epochs each user may still train before its privacy budget is spent, (N,); None for no limit."""
        ...

    def train(self, round_index: int, users: np.ndarray, epochs: np.ndarray, privacy: np.ndarray) -> LocalUpdates:
        """Train `users` from the current model for `epochs` each, with budgets `privacy` (∞: no noise)."""
        ...

    def aggregate(self, updates: LocalUpdates, arrived: np.ndarray) -> None:
        """Make the model of the updates that arrived (bool mask) the current one."""
        ...

    def coalitions(self, updates: LocalUpdates, arrived: np.ndarray) -> Coalitions | None:
        """Return what scores averages of the updates that arrived; ask before `aggregate` forgets the start.

        None where nobody sees single updates: there are none, or only their sum is seen.
        """
        ...

    def evaluate(self) -> tuple[float, float]:
        """Return (test accuracy, test loss) of the current model."""
        ...

    def rank(self, users: np.ndarray, by: Ranking) -> np.ndarray:
        """Return each user's current loss or gradient norm over its whole shard, clean of noise."""
        ...

    def weights(self) -> dict[str, np.ndarray]:
        """Return the current model as named arrays."""
        ...

    def privacy_ledger(self) -> PrivacyBook:
        """Return what has been released so far."""
        ...

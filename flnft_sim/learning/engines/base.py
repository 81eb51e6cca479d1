"""What an engine is: the data it takes, how far and how fast it descends, and the three things it does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from flnft_sim.arrays import Floats, Ints
from flnft_sim.errors import InputError
from flnft_sim.learning.batches import batch_plan, dropout_key, steps_per_epoch
from flnft_sim.learning.models import Model
from flnft_sim.learning.schemes import Ranking

type Shard = tuple[np.ndarray, np.ndarray]  # images (n, C, H, W) float32 and labels (n,) int64, both contiguous


class TrainingError(InputError):
    """Training that cannot be done as asked."""


@dataclass(frozen=True)
class StepNoise:
    """Noise on every mini-batch gradient (Eq. 4): Laplace of `scales` (N,), after clipping to L1 norm `clip_l1`."""

    scales: np.ndarray
    clip_l1: float | None
    seed: int


@dataclass(frozen=True)
class Descent:
    """SGD of N users as PyTorch's, momentum starting at zero: `epochs` (N,) passes of mini-batches, drawn by `seed`."""

    epochs: Ints
    batch_size: int
    lr: float
    momentum: float
    seed: int

    def of(self, row: int, samples: int, user: int) -> "Course":
        """Draw the course of the user in a row of `epochs`, whose number is `user`, over its `samples`."""
        epochs = int(self.epochs[row])
        order, bounds = batch_plan(samples, epochs, self.batch_size, self.seed, user)
        last_epoch = (epochs - 1) * steps_per_epoch(samples, self.batch_size)
        return Course(order, bounds, last_epoch, dropout_key(self.seed, user))


class Course(NamedTuple):
    """What one user does: step s trains on samples `order[bounds[s]:bounds[s+1]]` with dropout masks of `key`.

    Loss and gradient norm are measured from the step `measured_from` on, the first of the last epoch.
    """

    order: Ints
    bounds: Ints
    measured_from: int
    key: int


class Trained(NamedTuple):
    """What training gives: `params` (N, P) float32, `losses` and `gradient_norms` (N,) of each user's last epoch."""

    params: np.ndarray
    losses: Floats
    gradient_norms: Floats

    @classmethod
    def room_for(cls, users: int, parameters: int) -> "Trained":
        """Arrays for an engine to fill in."""
        return cls(np.empty((users, parameters), np.float32), np.empty(users), np.empty(users))


class Engine(Protocol):
    """One way to compute; the doors of `learning.training` have checked and laid out what it gets.

    All engines agree to rounding, and the same engine gives the same bytes whatever the number of threads.
    """

    def serves(self, model: Model, *, step_noise: bool = False) -> str | None:
        """Return None if it can train the model on this machine, else a clause that says why not."""
        ...

    def train(
        self,
        model: Model,
        start: np.ndarray,
        shards: Sequence[Shard],
        descent: Descent,
        *,
        users: Ints,
        step_noise: StepNoise | None = None,
    ) -> Trained:
        """Train users (N,), by their own numbers, from `start` (N, P) on a shard each; at least one user."""
        ...

    def evaluate(self, model: Model, params: np.ndarray, shard: Shard) -> tuple[float, float]:
        """Return (accuracy, mean cross-entropy) of parameters (P,) on a shard, dropout off."""
        ...

    def rank(self, model: Model, params: np.ndarray, shards: Sequence[Shard], by: Ranking) -> Floats:
        """Return each shard's mean loss (N,), or its mean gradient's L2 norm (N,), at parameters (P,), dropout off."""
        ...

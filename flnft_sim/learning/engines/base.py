"""What an engine is: the data it takes, how far and how fast it descends, and the three things it does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from flnft_sim.arrays import Floats, Ints
from flnft_sim.errors import InputError
from flnft_sim.learning.batches import batch_plan, dropout_key, poisson_lot, steps_per_epoch
from flnft_sim.learning.models import Model
from flnft_sim.learning.privacy import gaussian_noise
from flnft_sim.learning.schemes import Ranking
from flnft_sim.streams import Streams

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


@dataclass(frozen=True)
class PrivateDescent:
    """DP-SGD of N users (Abadi et al. 2016), momentum starting at zero, arrays (N,).

    A step draws a lot, each record by its own coin of probability `sampling_rate`; scales every record's gradient, over
    all parameters, down to L2 norm `clip_l2`; and divides the sum, with Gaussian noise of deviation `deviations`
    added, by `lots`. That is a constant and never the number of records drawn: how many they are is private, too.
    Steps are numbered from `first` on over a whole minting, for a step's coins and noise are drawn by its number.
    """

    first: Ints
    steps: Ints
    lots: Floats
    deviations: Floats
    sampling_rate: float
    clip_l2: float
    lr: float
    momentum: float
    seed: int

    def lot(self, row: int, step: int, samples: int, user: int) -> Ints:
        """Return the rows that the user in a row of the arrays, whose number is `user`, takes in its `step`th step."""
        return poisson_lot(Streams(self.seed), user, int(self.first[row]) + step, samples, self.sampling_rate)

    def noise(self, row: int, step: int, size: int, user: int) -> np.ndarray:
        """Return the noise (size,) float32 on the sum of that step's clipped gradients, in PyTorch's order."""
        if self.deviations[row] == 0.0:
            return np.zeros(size, np.float32)
        rng = Streams(self.seed).generator("dp noise", user, int(self.first[row]) + step)
        return gaussian_noise(rng, float(self.deviations[row]), size)


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


type Scorer = Callable[[np.ndarray], Floats]
"""Mixes (m, n) float, each row adding up to 1 -> the mean cross-entropy (m,) of the averages of n models."""


class Engine(Protocol):
    """One way to compute; the doors of `learning.training` have checked and laid out what it gets.

    All engines agree to rounding, and the same engine gives the same bytes whatever the number of threads.
    """

    def serves(self, model: Model, *, step_noise: bool = False, private: bool = False) -> str | None:
        """Return None if it can train the model so on this machine, else a clause that says why not."""
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

    def train_privately(
        self,
        model: Model,
        start: np.ndarray,
        shards: Sequence[Shard],
        descent: PrivateDescent,
        *,
        users: Ints,
    ) -> np.ndarray:
        """Return the parameters (N, P) that users (N,), by their own numbers, come to from `start` (N, P).

        Nothing else is told: losses and gradient norms of the users' own records are not hidden by the noise.
        """
        ...

    def evaluate(self, model: Model, params: np.ndarray, shard: Shard) -> tuple[float, float]:
        """Return (accuracy, mean cross-entropy) of parameters (P,) on a shard, dropout off."""
        ...

    def rank(self, model: Model, params: np.ndarray, shards: Sequence[Shard], by: Ranking) -> Floats:
        """Return each shard's mean loss (N,), or its mean gradient's L2 norm (N,), at parameters (P,), dropout off."""
        ...

    def scorer(self, model: Model, params: np.ndarray, shard: Shard) -> Scorer:
        """Return what scores averages of models (n, P) on a shard, dropout off."""
        ...


def one_by_one(engine: Engine, model: Model, params: np.ndarray, shard: Shard) -> Scorer:
    """Score averages the plain way: make each, and evaluate it."""

    def score(mixes: np.ndarray) -> Floats:
        averages = (mix.astype(np.float32) @ params for mix in np.asarray(mixes))
        return np.array([engine.evaluate(model, average, shard)[1] for average in averages])

    return score

"""Learners: what a DAO's rounds look like to the simulation, whatever trains behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from flnft_sim.errors import FlnftError, InputError, UnknownNameError
from flnft_sim.learning.aggregation import AGGREGATORS, State, aggregate
from flnft_sim.learning.batches import steps_per_epoch
from flnft_sim.learning.data import Dataset
from flnft_sim.learning.engine import (
    Shard,
    StepNoise,
    choose_engine,
    evaluate,
    rank_users,
    train_users,
)
from flnft_sim.learning.models import Model
from flnft_sim.learning.privacy import PrivacyLedger, noise_scales, perturb_updates
from flnft_sim.learning.schemes import Ranking
from flnft_sim.streams import Streams

type Perturb = Literal["update", "step", "none"]
PERTURB = ("update", "step", "none")


class LearnerError(InputError):
    """A learner that cannot be set up."""


class DivergenceError(FlnftError):
    """Training that left the finite numbers."""


@dataclass(frozen=True)
class LocalUpdates:
    """What a round's users bring home, arrays of one entry a user."""

    users: np.ndarray  # (n,) numbers
    losses: np.ndarray  # (n,) mean cross-entropy while training, last epoch
    gradient_norms: np.ndarray  # (n,) mean L2 norm of mini-batch gradients, last epoch; stays on the device
    update_norms: np.ndarray  # (n,) L2 norm of the *noised* update, what Eq. 7 may use
    params: np.ndarray  # (n, P) float32, noised: what is shared


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

    def train(self, round_index: int, users: np.ndarray, epochs: np.ndarray, privacy: np.ndarray) -> LocalUpdates:
        """Train `users` from the current model for `epochs` each, with budgets `privacy` (∞: no noise)."""
        ...

    def aggregate(self, updates: LocalUpdates, arrived: np.ndarray) -> None:
        """Make the model of the updates that arrived (bool mask) the current one."""
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

    def privacy_ledger(self) -> PrivacyLedger:
        """Return what has been released so far."""
        ...


class FederatedLearner:
    """Users train for real on their own shards; what they send is clipped and noised as asked.

    The engine that is chosen for training also evaluates and ranks.
    """

    def __init__(
        self,
        dataset: Dataset,
        model: Model,
        shards: Sequence[np.ndarray],
        *,
        aggregator: str = "fedavg",
        batch_size: int = 64,
        lr: float = 0.01,
        momentum: float = 0.5,
        perturb: Perturb = "update",
        sensitivity: float = 0.005,
        clip_l1: float | None = None,
        engine: str = "auto",
        device: str = "auto",
        seed: int = 0,
        adds_noise: bool = True,
    ) -> None:
        if model.input_shape != dataset.input_shape or model.classes < dataset.classes:
            raise LearnerError(
                f"model {model.name} takes images {model.input_shape} of {model.classes} classes; dataset "
                f"{dataset.name} has images {dataset.input_shape} of {dataset.classes}"
            )
        if perturb not in PERTURB:
            raise UnknownNameError("perturbation", perturb, PERTURB)
        AGGREGATORS.get(aggregator)
        noise_scales(np.ones(1), sensitivity=sensitivity, clip_l1=clip_l1)  # the same complaint, but early
        self.model, self._aggregator = model, aggregator
        self.users = np.arange(len(shards))
        self.shard_sizes = np.array([len(shard) for shard in shards])
        self._shards = _gather(dataset, shards)
        self._test: Shard = (dataset.test_x, dataset.test_y)
        self._batch_size, self._lr, self._momentum = batch_size, lr, momentum
        self._perturb: Perturb = perturb if adds_noise else "none"
        self._sensitivity, self._clip_l1 = sensitivity, clip_l1
        self._engine, self._device = engine, device
        choice = choose_engine(model, engine=engine, device=device, step_noise=self._perturb == "step")
        self.engine_name, self.engine_reason = choice.name, choice.reason
        self._streams = Streams(seed)
        self.params = model.initial(self._streams.integer("initial model"))
        self._state: State = {}
        self._ledger = PrivacyLedger(clip_l1 if self._perturb != "none" else None)

    def train(self, round_index: int, users: np.ndarray, epochs: np.ndarray, privacy: np.ndarray) -> LocalUpdates:
        """Train `users` (n,) from the current model for `epochs` (n,) each, with budgets `privacy` (n,)."""
        scales = noise_scales(privacy, sensitivity=self._sensitivity, clip_l1=self._clip_l1)
        noise_seed = self._streams.integer("privacy noise", round_index)
        on_steps = self._perturb == "step"
        params, losses, gradient_norms = train_users(
            self.model,
            self.params,
            [self._shards[user] for user in users],
            epochs=epochs,
            batch_size=self._batch_size,
            lr=self._lr,
            momentum=self._momentum,
            seed=self._streams.integer("batches", round_index),
            engine=self._engine,
            device=self._device,
            users=users,
            step_noise=StepNoise(scales, self._clip_l1, noise_seed) if on_steps else None,
        )
        _refuse_divergence(round_index, users, losses)
        on_updates = self._perturb == "update"
        update_norms = perturb_updates(
            self.params,
            params,
            users,
            scales if on_updates else np.zeros(len(users)),
            clip_l1=self._clip_l1 if on_updates else None,
            seed=noise_seed,
        )
        if self._perturb != "none":
            steps = epochs * steps_per_epoch(self.shard_sizes[users], self._batch_size)
            self._ledger.record(users, privacy, scales, steps if on_steps else 1)
        return LocalUpdates(users, losses, gradient_norms, update_norms, params)

    def aggregate(self, updates: LocalUpdates, arrived: np.ndarray) -> None:
        """Make the aggregate of the updates that arrived (bool mask) the current model."""
        users = updates.users[arrived]
        params = updates.params if arrived.all() else updates.params[arrived]
        self.params = aggregate(
            self._aggregator, self.params, params, self.shard_sizes[users], users=users, state=self._state
        )

    def evaluate(self) -> tuple[float, float]:
        """Return (test accuracy, test loss)."""
        return evaluate(self.model, self.params, *self._test, engine=self.engine_name, device=self._device)

    def rank(self, users: np.ndarray, by: Ranking) -> np.ndarray:
        """Return the loss or gradient norm (n,) over whole shards."""
        shards = [self._shards[user] for user in users]
        return rank_users(self.model, self.params, shards, by, engine=self.engine_name, device=self._device)

    def weights(self) -> dict[str, np.ndarray]:
        """Return the current model as named arrays."""
        return self.model.unflatten(self.params)

    def privacy_ledger(self) -> PrivacyLedger:
        """Return what has been released so far."""
        return self._ledger


class CentralizedLearner(FederatedLearner):
    """All users' data in one place: one model, trained on the pooled shards, without noise.

    Seen from outside it has the same users; each of them reports the pooled training's figures.
    """

    def __init__(self, dataset: Dataset, model: Model, shards: Sequence[np.ndarray], **settings: object) -> None:
        pooled = [np.concatenate(shards)]
        super().__init__(dataset, model, pooled, **{**settings, "perturb": "none"})  # type: ignore[arg-type]
        self.users = np.arange(len(shards))
        self.shard_sizes = np.array([len(shard) for shard in shards])

    def train(self, round_index: int, users: np.ndarray, epochs: np.ndarray, privacy: np.ndarray) -> LocalUpdates:
        """Train the one model for the largest of `epochs`; `params` has one row, budgets do not matter."""
        del privacy
        one = super().train(round_index, np.zeros(1, np.int64), epochs.max(keepdims=True), np.full(1, np.inf))
        n = len(users)
        return LocalUpdates(
            users,
            np.repeat(one.losses, n),
            np.repeat(one.gradient_norms, n),
            np.repeat(one.update_norms, n),
            one.params,
        )

    def aggregate(self, updates: LocalUpdates, arrived: np.ndarray) -> None:
        """Take the one model over; nothing travels, so nothing is late."""
        del arrived
        self.params = updates.params[0]

    def rank(self, users: np.ndarray, by: Ranking) -> np.ndarray:
        """Return the pooled data's value for everyone."""
        return np.repeat(super().rank(np.zeros(1, np.int64), by), len(users))


def _refuse_divergence(round_index: int, users: np.ndarray, losses: np.ndarray) -> None:
    """Stop where a user's loss is no number: nothing after it would mean anything."""
    if not np.isfinite(losses).all():
        user = users[~np.isfinite(losses)][0]
        raise DivergenceError(
            f"training diverged: the loss of user {user} in round {round_index} is not finite; lower the learning "
            "rate or the noise (sensitivity, clip_l1)"
        )


def _gather(dataset: Dataset, shards: Sequence[np.ndarray]) -> list[Shard]:
    """Copy the training data once, in the users' order, so that every shard is a contiguous view."""
    if not shards or min(len(shard) for shard in shards) == 0:
        raise LearnerError("every user needs at least one sample; choose another partition or fewer users")
    order, cuts = np.concatenate(shards), np.cumsum([len(shard) for shard in shards])[:-1]
    if order.min() < 0 or order.max() >= len(dataset.train_x):
        raise LearnerError(
            f"sample {order.max()} is out of range; dataset {dataset.name} has {len(dataset.train_x)} samples"
        )
    x, y = dataset.train_x[order], dataset.train_y[order]
    return list(zip(np.split(x, cuts), np.split(y, cuts), strict=True))

"""Federated learning: users train on their own shards, and the DAO aggregates what they send."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flnft_sim.arrays import Ints
from flnft_sim.learning.aggregation import AGGREGATORS, State, aggregate
from flnft_sim.learning.batches import steps_per_epoch
from flnft_sim.learning.coalitions import Coalitions
from flnft_sim.learning.data import Dataset
from flnft_sim.learning.engines.base import Shard, StepNoise
from flnft_sim.learning.engines.choice import choose_engine
from flnft_sim.learning.learners.base import DivergenceError, LearnerError, LocalUpdates, PrivacyBook
from flnft_sim.learning.models import Model
from flnft_sim.learning.privacy import Noise, PrivacyLedger, perturb_updates
from flnft_sim.learning.schemes import Ranking
from flnft_sim.learning.training import evaluate, rank_users, train_users
from flnft_sim.settings.learning import TrainingSettings
from flnft_sim.streams import Streams

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Training(TrainingSettings):
    """How a DAO trains: SGD on the users' devices, then an aggregator."""

    aggregator: str = "fedavg"
    aggregation: Mapping[str, Any] = field(default_factory=dict)
    """What the aggregator is told."""

    def __post_init__(self) -> None:
        super().__post_init__()
        AGGREGATORS.settings(self.aggregator, **self.aggregation)


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
        training: Training | None = None,
        noise: Noise | None = None,
        seed: int = 0,
    ) -> None:
        if model.input_shape != dataset.input_shape or model.classes < dataset.classes:
            raise LearnerError(
                f"model {model.name} takes images {model.input_shape} of {model.classes} classes; dataset "
                f"{dataset.name} has images {dataset.input_shape} of {dataset.classes}"
            )
        self.model, self._training, self._noise = model, training or Training(), noise or Noise()
        self.users = np.arange(len(shards))
        self.shard_sizes = np.array([len(shard) for shard in shards])
        self._shards = _gather(dataset, shards)
        self._test: Shard = (dataset.test_x, dataset.test_y)
        self._validation = dataset.validation
        engine, device, on_steps = self._training.engine, self._training.device, self._noise.perturb == "step"
        choice = choose_engine(model, engine=engine, device=device, step_noise=on_steps)
        self.engine_name, self.engine_reason = choice.name, choice.reason
        _log.debug("training with the engine %s: %s", choice.name, choice.reason)
        self._streams = Streams(seed)
        self.params = model.initial(self._streams.integer("initial model"))
        self._state: State = {}
        self._ledger = PrivacyLedger(self._noise.clip_l1 if self._noise.perturb != "none" else None)

    def train(self, round_index: int, users: np.ndarray, epochs: np.ndarray, privacy: np.ndarray) -> LocalUpdates:
        """Train `users` (n,) from the current model for `epochs` (n,) each, with budgets `privacy` (n,)."""
        chosen, noise = self._training, self._noise
        scales, noise_seed = noise.scales(privacy), self._streams.integer("privacy noise", round_index)
        on_steps, on_updates = noise.perturb == "step", noise.perturb == "update"
        params, losses, gradient_norms = train_users(
            self.model,
            self.params,
            [self._shards[user] for user in users],
            epochs=epochs,
            batch_size=chosen.batch_size,
            lr=chosen.learning_rate,
            momentum=chosen.momentum,
            seed=self._streams.integer("batches", round_index),
            engine=chosen.engine,
            device=chosen.device,
            users=users,
            step_noise=StepNoise(scales, noise.clip_l1, noise_seed) if on_steps else None,
        )
        _refuse_divergence(round_index, users, losses)
        update_norms = perturb_updates(
            self.params,
            params,
            users,
            scales if on_updates else np.zeros(len(users)),
            clip_l1=noise.clip_l1 if on_updates else None,
            seed=noise_seed,
        )
        if noise.perturb != "none":
            steps = epochs * steps_per_epoch(self.shard_sizes[users], chosen.batch_size)
            self._ledger.record(users, privacy, scales, steps if on_steps else 1)
        return LocalUpdates(users, losses, gradient_norms, update_norms, params)

    def aggregate(self, updates: LocalUpdates, arrived: np.ndarray) -> None:
        """Make the aggregate of the updates that arrived (bool mask) the current model."""
        users = updates.users[arrived]
        params = updates.params if arrived.all() else updates.params[arrived]
        self.params = aggregate(
            self._training.aggregator,
            self.params,
            params,
            self._weights_of(users),
            users=users,
            state=self._state,
            **self._training.aggregation,
        )

    def coalitions(self, updates: LocalUpdates, arrived: np.ndarray) -> Coalitions | None:
        """Return what scores averages of the updates that arrived (bool mask), by their weights in the aggregate."""
        return Coalitions(
            self.model,
            self.params,
            updates.params[arrived],
            self._weights_of(updates.users[arrived]),
            self._validation,
            engine=self.engine_name,
            device=self._training.device,
        )

    def _weights_of(self, users: np.ndarray) -> np.ndarray:
        """What the updates of users (n,) weigh in the aggregate."""
        return self.shard_sizes[users]

    def evaluate(self) -> tuple[float, float]:
        """Return (test accuracy, test loss)."""
        return evaluate(self.model, self.params, *self._test, engine=self.engine_name, device=self._training.device)

    def rank(self, users: np.ndarray, by: Ranking) -> np.ndarray:
        """Return the loss or gradient norm (n,) over whole shards."""
        shards = [self._shards[user] for user in users]
        return rank_users(self.model, self.params, shards, by, engine=self.engine_name, device=self._training.device)

    def weights(self) -> dict[str, np.ndarray]:
        """Return the current model as named arrays."""
        return self.model.unflatten(self.params)

    @property
    def epochs_left(self) -> Ints | None:
        """As many as are asked for."""
        return None

    def privacy_ledger(self) -> PrivacyBook:
        """Return what has been released so far."""
        return self._ledger


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

"""Federated learning: users train on their own shards, and the DAO aggregates what they send."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from flnft_sim.arrays import Ints
from flnft_sim.learning.aggregation import AGGREGATORS, RunningMean, State, aggregate
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

KEPT_BYTES = 2**30  # of a round's updates; where only their mean is asked for, more are not kept
STREAMED_USERS = 128  # trained at a time then

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


@dataclass(frozen=True)
class _Work:
    """What a round asks of its users, (n,) each."""

    round_index: int
    users: np.ndarray
    epochs: np.ndarray
    privacy: np.ndarray

    def of(self, rows: np.ndarray) -> "_Work":
        """What is asked of some of them."""
        return _Work(self.round_index, self.users[rows], self.epochs[rows], self.privacy[rows])


class FederatedLearner:
    """Users train for real on their own shards; what they send is clipped and noised as asked.

    The engine that is chosen for training also evaluates and ranks. `shows_updates`: whether anybody will ask for
    single updates. Where nobody does, a round of many users folds each into the mean as it comes (`_folds`).
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
        shows_updates: bool = True,
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
        self._shows_updates = shows_updates
        self._streamed: tuple[_Work, RunningMean] | None = None  # of the round under way
        self._ledger = PrivacyLedger(self._noise.clip_l1 if self._noise.perturb != "none" else None)

    def train(self, round_index: int, users: np.ndarray, epochs: np.ndarray, privacy: np.ndarray) -> LocalUpdates:
        """Train `users` (n,) from the current model for `epochs` (n,) each, with budgets `privacy` (n,)."""
        work, chosen, noise = _Work(round_index, users, epochs, privacy), self._training, self._noise
        if self._folds(len(users)):
            updates, mean = self._folded(work)
            self._streamed = work, mean
        else:
            updates, self._streamed = self._shared(work), None
        if noise.perturb != "none":
            steps = epochs * steps_per_epoch(self.shard_sizes[users], chosen.batch_size)
            self._ledger.record(users, privacy, noise.scales(privacy), steps if noise.perturb == "step" else 1)
        return updates

    def _folds(self, users: int) -> bool:
        """Whether a round of so many users keeps no single update: nobody asks for one, and they would be too many.

        That takes an aggregator that is a mean by weights which no update moves. The model is the same, to the byte.
        """
        facts, size = AGGREGATORS.facts(self._training.aggregator), 4 * users * self.model.parameter_count
        return not self._shows_updates and facts is not None and facts.weighs is not None and size > KEPT_BYTES

    def _folded(self, work: _Work) -> tuple[LocalUpdates, RunningMean]:
        """Let users work, by their numbers, and fold what each shares into the mean at once; `params` are (n, 0)."""
        order = np.argsort(work.users, kind="stable")
        weights = AGGREGATORS.facts(self._training.aggregator).weighs(self._weights_of(work.users[order]))
        mean, parts = RunningMean(self.model.parameter_count, weights), []
        for at in range(0, len(order), STREAMED_USERS):
            part = self._shared(work.of(order[at : at + STREAMED_USERS]))
            mean.add(part.params)
            parts.append(replace(part, params=part.params[:, :0].copy()))
        as_asked = np.argsort(order)
        told = {
            each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(LocalUpdates)
        }
        return LocalUpdates(**{name: values[as_asked] for name, values in told.items()}), mean

    def _shared(self, work: _Work) -> LocalUpdates:
        """Train users and return what they share, clipped and noised as asked."""
        chosen, noise, users = self._training, self._noise, work.users
        scales, noise_seed = noise.scales(work.privacy), self._streams.integer("privacy noise", work.round_index)
        on_steps, on_updates = noise.perturb == "step", noise.perturb == "update"
        params, losses, gradient_norms = train_users(
            self.model,
            self.params,
            [self._shards[user] for user in users],
            epochs=work.epochs,
            batch_size=chosen.batch_size,
            lr=chosen.learning_rate,
            momentum=chosen.momentum,
            seed=self._streams.integer("batches", work.round_index),
            engine=chosen.engine,
            device=chosen.device,
            users=users,
            step_noise=StepNoise(scales, noise.clip_l1, noise_seed) if on_steps else None,
        )
        _refuse_divergence(work.round_index, users, losses)
        update_norms = perturb_updates(
            self.params,
            params,
            users,
            scales if on_updates else np.zeros(len(users)),
            clip_l1=noise.clip_l1 if on_updates else None,
            seed=noise_seed,
        )
        return LocalUpdates(users, losses, gradient_norms, update_norms, params)

    def aggregate(self, updates: LocalUpdates, arrived: np.ndarray) -> None:
        """Make the aggregate of the updates that arrived (bool mask) the current model.

        Where updates were not kept and some did not arrive, those that did are trained once more: the same again.
        """
        if self._streamed is not None:
            work, mean = self._streamed
            if arrived.any():
                self.params = (mean if arrived.all() else self._folded(work.of(arrived))[1]).model
            self._streamed = None
            return
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
        if self._streamed is not None:
            return None
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

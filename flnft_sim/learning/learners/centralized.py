"""Centralised learning: all data in one place, the upper bound."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from flnft_sim.learning.data import Dataset
from flnft_sim.learning.learners.base import LocalUpdates
from flnft_sim.learning.learners.federated import FederatedLearner, Training
from flnft_sim.learning.models import Model
from flnft_sim.learning.privacy import Noise
from flnft_sim.learning.schemes import Ranking


class CentralizedLearner(FederatedLearner):
    """All users' data in one place: one model, trained on the pooled shards, without noise.

    Seen from outside it has the same users; each of them reports the pooled training's figures.
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
        silent = replace(noise or Noise(), perturb="none")
        super().__init__(dataset, model, [np.concatenate(shards)], training=training, noise=silent, seed=seed)
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

    def coalitions(self, updates: LocalUpdates, arrived: np.ndarray) -> None:
        """Return None: there are no updates, for one model is trained on everything."""
        del updates, arrived

    def rank(self, users: np.ndarray, by: Ranking) -> np.ndarray:
        """Return the pooled data's value for everyone."""
        return np.repeat(super().rank(np.zeros(1, np.int64), by), len(users))

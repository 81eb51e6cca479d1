"""Private federated learning: users train by DP-SGD under contracts, until what they contracted for is used up."""

from collections.abc import Sequence

import numpy as np

from flnft_sim.arrays import Floats, Ints
from flnft_sim.checks import whole
from flnft_sim.learning.coalitions import Coalitions
from flnft_sim.learning.contracts import Contracts
from flnft_sim.learning.data import Dataset
from flnft_sim.learning.engines.base import PrivateDescent
from flnft_sim.learning.engines.choice import choose_engine
from flnft_sim.learning.learners.base import DivergenceError, LearnerError, LocalUpdates
from flnft_sim.learning.learners.federated import FederatedLearner, Training
from flnft_sim.learning.models import Model
from flnft_sim.learning.privacy import Noise
from flnft_sim.learning.schemes import Ranking
from flnft_sim.learning.training import train_privately
from flnft_sim.settings.learning import PrivacySettings


class PrivateLearner(FederatedLearner):
    """Users clip every record's gradient and add noise in every step; what they show hides single records.

    `declared` is how many records everybody is taken to have, a constant agreed on before: where sizes are not trusted
    the DAO knows no others, and `shard_sizes` are these. Were it made of the true sizes, it would tell of each record.
    `dp-secagg`: one step a call, whose sum alone is seen, and each user adds but its share of the noise.
    """

    def __init__(
        self,
        dataset: Dataset,
        model: Model,
        shards: Sequence[np.ndarray],
        *,
        privacy: PrivacySettings,
        declared: int,
        training: Training | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(dataset, model, shards, training=training, noise=Noise(perturb="none"), seed=seed)
        choose_engine(model, engine=self._training.engine, device=self._training.device, private=True)
        held = self.shard_sizes
        if not privacy.trusted_sizes:
            self.shard_sizes = np.full(len(shards), whole("declared", declared, least=1, error=LearnerError))
        self._privacy, self.contracts = privacy, Contracts(len(shards), privacy)
        self._lots = privacy.sampling_rate * self.shard_sizes
        self._public_loss: float | None = None  # of the current model on public data
        _refuse_small_shards(privacy, held, self._lots)

    @property
    def epochs_left(self) -> Ints:
        """How many epochs each user may still train in this minting: (N,)."""
        return self.contracts.epochs_left

    def train(self, round_index: int, users: np.ndarray, epochs: np.ndarray, privacy: np.ndarray) -> LocalUpdates:
        """Train `users` (n,) for `epochs` (n,) each; `privacy` (n,) is contracted by who trains for the first time.

        The losses that are told are all that of the model they start from, on public data: their own would tell of
        their records. Raises `BudgetError` for a user that is asked for more epochs than it has left.
        """
        users = np.asarray(users)
        self.contracts.sign(users, np.asarray(privacy, float))
        first = self.contracts.steps_taken[users]
        steps = self.contracts.spend(users, np.asarray(epochs), round_index)
        params = self._trained(users, self._descent(users, first, steps))
        _refuse_divergence(round_index, users, params)
        unseen = np.full(len(users), np.nan)
        summed = self._privacy.mechanism == "dp-secagg"  # then nobody sees a single update, nor its norm
        norms = unseen if summed else np.linalg.norm(params - self.params, axis=1).astype(float)
        return LocalUpdates(users, np.full(len(users), self._loss()), unseen, norms, params)

    def _descent(self, users: Ints, first: Ints, steps: Ints) -> PrivateDescent:
        private, chosen = self._privacy, self._training
        if private.mechanism == "dp-secagg" and (steps > 1).any():
            raise LearnerError(
                f"dp-secagg sums one step, and user {users[steps > 1][0]} is asked for {steps.max()}: the later ones "
                "would feed on less noise than is accounted"
            )
        return PrivateDescent(
            first=first,
            steps=steps,
            lots=self._lots[users],
            deviations=self._deviations(users),
            sampling_rate=private.sampling_rate,
            clip_l2=private.clip_l2,
            lr=chosen.learning_rate,
            momentum=chosen.momentum,
            seed=self._streams.seed,
        )

    def _trained(self, users: Ints, descent: PrivateDescent) -> np.ndarray:
        shards, chosen = [self._shards[user] for user in users], self._training
        engine, device = chosen.engine, chosen.device
        return train_privately(
            self.model, self.params, shards, descent=descent, users=users, engine=engine, device=device
        )

    def aggregate(self, updates: LocalUpdates, arrived: np.ndarray) -> None:
        """Make the aggregate of the updates that arrived (bool mask) the current model."""
        super().aggregate(updates, arrived)
        self._public_loss = None

    def coalitions(self, updates: LocalUpdates, arrived: np.ndarray) -> Coalitions | None:
        """Return what scores averages of the updates that arrived; None where only their sum is seen."""
        return None if self._privacy.mechanism == "dp-secagg" else super().coalitions(updates, arrived)

    def evaluate(self) -> tuple[float, float]:
        """Return (test accuracy, test loss); the test set is public."""
        accuracy, self._public_loss = super().evaluate()
        return accuracy, self._public_loss

    def rank(self, users: np.ndarray, by: Ranking) -> np.ndarray:
        """Refuse: a user's rank is told by its records, and no noise hides it."""
        del users
        raise LearnerError(f"users cannot be ranked by {by} where their records are private; choose another scheme")

    def privacy_ledger(self) -> Contracts:
        """Return the users' contracts."""
        return self.contracts

    def _loss(self) -> float:
        return self.evaluate()[1] if self._public_loss is None else self._public_loss

    def _deviations(self, users: Ints) -> Floats:
        """Deviation (n,) of the noise that each user adds to the sum of its clipped gradients."""
        own = self.contracts.noise_multiplier[users] * self._privacy.clip_l2
        if self._privacy.mechanism == "dp-sgd" or not len(users):
            return own
        honest = len(users) - self._privacy.colluders
        if honest < 1:
            raise LearnerError(
                f"dp-secagg: of {len(users)} users {self._privacy.colluders} may collude, so that nobody's noise is "
                "sure; ask more users or expect fewer colluders"
            )
        return np.full(len(users), own.max() / np.sqrt(honest))  # the strictest user's noise, in as many shares

    def _weights_of(self, users: Ints) -> Floats:
        """What updates weigh: what is public. A sum of one step must stay the sum that its noise was made for."""
        if self._privacy.mechanism == "dp-secagg" or self._privacy.weights == "shard":
            return self._lots[users]
        noise = self.contracts.noise_multiplier[users]
        loudest = float(noise.max(initial=0.0))
        return 1.0 / np.maximum(noise, loudest / 1e3) ** 2 if loudest > 0.0 else np.ones(len(users))


def _refuse_divergence(round_index: int, users: Ints, params: np.ndarray) -> None:
    """Stop where a user's model is no number: nothing after it would mean anything."""
    if not np.isfinite(params).all():
        user = users[~np.isfinite(params).all(axis=1)][0]
        raise DivergenceError(
            f"training diverged: the model of user {user} in round {round_index} is not finite; lower the learning rate"
        )


def _refuse_small_shards(privacy: PrivacySettings, held: Ints, lots: Floats) -> None:
    """Raise `LearnerError` where δ promises nothing for so many records, or a lot wants more than a user has."""
    if privacy.delta * held.max() >= 1:
        raise LearnerError(
            f"learning.privacy.delta = {privacy.delta:g} is not below 1 / {held.max():,}, the records of user "
            f"{held.argmax()}: giving one of them away would satisfy it; choose less"
        )
    if (held < lots).any():
        user = np.flatnonzero(held < lots)[0]
        raise LearnerError(
            f"user {user} holds {held[user]:,} records, fewer than the {lots[user]:.6g} that a lot is expected to "
            "have; lower learning.privacy.sampling_rate, deal the data more evenly, or trust the sizes (trusted_sizes)"
        )

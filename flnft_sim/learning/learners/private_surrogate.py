"""The surrogate of private training: curves of work and noise, and contracts as users of the real thing have them."""

from functools import lru_cache

import numpy as np

from flnft_sim.arrays import Floats, Ints
from flnft_sim.learning.accounting import dp_noise_multiplier
from flnft_sim.learning.curves import PrivateCurve, PrivateProgress, private_noise_variance
from flnft_sim.learning.extent import Extent
from flnft_sim.learning.learners.base import LearnerError, LocalUpdates
from flnft_sim.learning.models import Model
from flnft_sim.learning.privacy import PrivacyLedger
from flnft_sim.learning.schemes import Ranking
from flnft_sim.settings.learning import PrivacySettings

NODE_RATIO = 1.25  # between the budgets ε for which the accountant is asked for σ; in between, ln σ over ln ε is a line


class PrivateSurrogateLearner:
    """Follows a curve of private training in place of it: arrays over users, no loop over them.

    A user is bound to the ε that it first trains with, for `planned_epochs` epochs in all. Its noise is the
    accountant's at budgets `NODE_RATIO` apart, and a line between them in logarithms: no user holds data here, so none
    is promised anything. Losses that are told are the model's own, as in private training.
    """

    engine_name = "surrogate"

    def __init__(
        self,
        curve: PrivateCurve,
        model: Model,
        shard_sizes: Ints,
        *,
        privacy: PrivacySettings,
        learning_rate: float,
        extent: Extent | None = None,
    ) -> None:
        if privacy.planned_epochs is None:
            raise LearnerError("planned_epochs: say for how many epochs a user's ε is to last")
        self.model, self.curve, self.users, self.shard_sizes = model, curve, np.arange(len(shard_sizes)), shard_sizes
        self._privacy, self._extent = privacy, extent or Extent()
        self._steps_per_epoch = round(1 / privacy.sampling_rate)
        self._planned, self._taken = privacy.planned_epochs, np.zeros(len(shard_sizes), np.int64)
        self._noise_multiplier = np.full(len(shard_sizes), np.nan)
        self._step = learning_rate * privacy.clip_l2 / (privacy.sampling_rate * shard_sizes)
        self._progress, self._rounds = PrivateProgress(curve), 0
        self._under_way: tuple[Floats, Floats, Floats] | None = None  # weights, steps, a step's noise of this round

    @property
    def engine_reason(self) -> str:
        """What stands behind the figures, and where they lie outside what it was fitted to."""
        reason, left = "fitted curves of private training, nothing is trained", ", ".join(self._extent.left())
        return f"{reason}; outside what they were fitted to: {left}" if left else reason

    @property
    def epochs_left(self) -> Ints:
        """How many epochs each user may still train in this minting: (N,)."""
        return self._planned - self._taken

    def train(self, round_index: int, users: np.ndarray, epochs: np.ndarray, privacy: np.ndarray) -> LocalUpdates:
        """Look up what private training would have reported; `params` has no columns."""
        del round_index
        users, count = np.asarray(users), len(users)
        self._sign(users, np.asarray(privacy, float))
        self._taken[users] += epochs
        steps = np.asarray(epochs, float) * self._steps_per_epoch
        deviations = self._step[users] * self._shared(self._noise_multiplier[users])
        self._under_way = self._weights(users), steps, deviations
        self._rounds += 1
        if count:
            for quantity, values in (("rounds", self._rounds), ("users", count)):
                self._extent.meet(quantity, values)
            for quantity, each in (("local_epochs", epochs), ("samples_per_user", self.shard_sizes[users])):
                self._extent.meet(quantity, each)
        noise_power = self.model.parameter_count * steps * deviations**2
        norms = np.sqrt(self.curve.update_norm(steps) ** 2 + noise_power)
        losses = np.full(count, self.evaluate()[1])
        return LocalUpdates(users, losses, np.full(count, np.nan), norms, np.empty((count, 0), np.float32))

    def aggregate(self, updates: LocalUpdates, arrived: np.ndarray) -> None:
        """Advance by the work and the noise that arrived."""
        del updates
        if self._under_way is not None and arrived.any():
            weights, steps, deviations = (part[arrived] for part in self._under_way)
            self._progress.advance(weights, steps, deviations)
            self._extent.meet("noise_deviation", private_noise_variance(weights, steps, deviations) ** 0.5)

    def coalitions(self, updates: LocalUpdates, arrived: np.ndarray) -> None:
        """Return None: a curve has no updates."""
        del updates, arrived

    def evaluate(self) -> tuple[float, float]:
        """Return (accuracy, loss) of the curve."""
        work, noise = self._progress.work, self._progress.noise
        return self.curve.accuracy(work, noise), self.curve.loss(work, noise)

    def rank(self, users: np.ndarray, by: Ranking) -> np.ndarray:
        """Refuse, as private training does."""
        del users
        raise LearnerError(f"users cannot be ranked by {by} where their records are private; choose another scheme")

    def weights(self) -> dict[str, np.ndarray]:
        """Return the place on the curve, all there is to store."""
        return {"surrogate.progress": np.array([self._progress.work, self._progress.noise_variance])}

    def privacy_ledger(self) -> PrivacyLedger:
        """Return an empty one: nothing is released, for there is no data."""
        return PrivacyLedger(None)

    def _sign(self, users: Ints, epsilons: Floats) -> None:
        new = np.isnan(self._noise_multiplier[users])
        private = self._privacy
        steps = self._planned * self._steps_per_epoch
        if new.any():
            found = noise_multipliers(epsilons[new], private.sampling_rate, steps, private.delta)
            self._noise_multiplier[users[new]] = found

    def _shared(self, noise: Floats) -> Floats:
        """The noise (n,) that each adds: its own, or its share of the strictest one's where only sums are seen."""
        if self._privacy.mechanism == "dp-sgd" or not len(noise):
            return noise
        return np.full(len(noise), noise.max() / (len(noise) - self._privacy.colluders) ** 0.5)

    def _weights(self, users: Ints) -> Floats:
        if self._privacy.mechanism == "dp-secagg" or self._privacy.weights == "shard":
            return self.shard_sizes[users].astype(float)
        return self._noise_multiplier[users] ** -2.0


def noise_multipliers(epsilons: Floats, sampling_rate: float, steps: int, delta: float) -> Floats:
    """σ (n,) for budgets (n,): the accountant's at powers of `NODE_RATIO`, a line in logarithms between them."""
    places = np.log(epsilons) / np.log(NODE_RATIO)
    nodes = np.arange(np.floor(places.min()), np.ceil(places.max()) + 1)
    found = [_noise(sampling_rate, float(NODE_RATIO**node), steps, delta) for node in nodes]
    return np.exp(np.interp(places, nodes, np.log(found)))


_noise = lru_cache(maxsize=1024)(dp_noise_multiplier)

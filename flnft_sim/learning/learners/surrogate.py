"""The surrogate learner: follows a fitted curve instead of training, for markets of up to a million users."""

import numpy as np

from flnft_sim.learning.batches import steps_per_epoch
from flnft_sim.learning.curves import Curve, Progress, noise_variance
from flnft_sim.learning.extent import Extent
from flnft_sim.learning.learners.base import LearnerError, LocalUpdates
from flnft_sim.learning.models import Model
from flnft_sim.learning.privacy import Noise, PrivacyLedger
from flnft_sim.learning.schemes import Ranking
from flnft_sim.streams import Streams


class SurrogateLearner:
    """A learner without data or parameters: the same interface, arrays over users, no loop over them."""

    def __init__(
        self,
        curve: Curve,
        model: Model,
        shard_sizes: np.ndarray,
        *,
        batch_size: int = 64,
        noise: Noise | None = None,
        seed: int = 0,
        extent: Extent | None = None,
    ) -> None:
        shard_sizes = np.asarray(shard_sizes)
        if shard_sizes.ndim != 1 or len(shard_sizes) == 0 or shard_sizes.min() < 1:
            raise LearnerError("shard sizes must be one positive number a user, for at least one user")
        self.model, self.curve = model, curve
        self.users, self.shard_sizes = np.arange(len(shard_sizes)), shard_sizes
        self.engine_name = "surrogate"
        self._extent = extent or Extent()
        self._extent.meet("batch_size", batch_size)
        self._steps_per_epoch = steps_per_epoch(shard_sizes, batch_size)
        self._noise = noise or Noise()
        rng = Streams(seed).generator("surrogate users")
        self._user_factor = np.exp(curve.user_spread * rng.standard_normal(len(shard_sizes)))
        self._progress, self._rounds = Progress(curve), 0
        self._under_way: tuple[np.ndarray, np.ndarray] | None = None  # steps and noise scales of this round

    @property
    def engine_reason(self) -> str:
        """What stands behind the figures, and where they lie outside what it was fitted to."""
        reason, left = "fitted learning curves, nothing is trained", ", ".join(self._extent.left())
        return f"{reason}; outside what they were fitted to: {left}" if left else reason

    def train(self, round_index: int, users: np.ndarray, epochs: np.ndarray, privacy: np.ndarray) -> LocalUpdates:
        """Look up what training would have reported; `params` has no columns."""
        del round_index
        epochs = np.asarray(epochs, float)
        steps = epochs * self._steps_per_epoch[users]
        scales = self._noise.scales(privacy) if self._noise.perturb != "none" else np.zeros(len(users))
        self._under_way = steps, scales
        self._rounds += 1
        self._meet(users, epochs, steps)
        losses = self.curve.local_loss(self.evaluate()[1], epochs) * self._user_factor[users]
        noise_power = 2 * self.model.parameter_count * scales**2  # E‖noise‖² of P independent Lap(b) is 2·P·b²
        return LocalUpdates(
            users,
            losses,
            self.curve.gradient_norm(losses),
            np.sqrt(self.curve.update_norm(steps, self._progress.work) ** 2 + noise_power),
            np.empty((len(users), 0), np.float32),
        )

    def _meet(self, users: np.ndarray, epochs: np.ndarray, steps: np.ndarray) -> None:
        if len(users):
            sizes = self.shard_sizes[users]
            met = {"rounds": self._rounds, "users": len(users), "samples_per_user": sizes, "local_epochs": epochs}
            for quantity, values in (met | {"local_steps": steps}).items():
                self._extent.meet(quantity, values)

    def aggregate(self, updates: LocalUpdates, arrived: np.ndarray) -> None:
        """Advance by the work and the noise that arrived."""
        if self._under_way is not None and arrived.any():
            steps, scales = (part[arrived] for part in self._under_way)
            sizes = self.shard_sizes[updates.users[arrived]]
            self._progress.advance(sizes, steps, scales)
            self._extent.meet("noise_deviation", noise_variance(sizes, scales) ** 0.5)

    def coalitions(self, updates: LocalUpdates, arrived: np.ndarray) -> None:
        """Return None: a curve has no updates."""
        del updates, arrived

    def evaluate(self) -> tuple[float, float]:
        """Return (accuracy, loss) of the curve."""
        work, noise = self._progress.work, self._progress.noise
        return self.curve.accuracy(work, noise), self.curve.loss(work, noise)

    def rank(self, users: np.ndarray, by: Ranking) -> np.ndarray:
        """Return each user's loss, or the gradient norm that goes with it."""
        losses = self.evaluate()[1] * self._user_factor[users]
        return losses if by == "loss" else self.curve.gradient_norm(losses)

    def weights(self) -> dict[str, np.ndarray]:
        """Return the place on the curve, all there is to store."""
        return {"surrogate.progress": np.array([self._progress.work, self._progress.noise_variance])}

    @property
    def epochs_left(self) -> None:
        """As many as are asked for."""

    def privacy_ledger(self) -> PrivacyLedger:
        """Return an empty one: nothing is released, for there is no data."""
        return PrivacyLedger(None)

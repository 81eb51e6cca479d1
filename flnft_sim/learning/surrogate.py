"""The surrogate learner: a fitted curve of quality against work and noise, for markets of up to a million users.

`analysis/fit_surrogate.py` fits the constants to real runs and states the error against runs it did not see.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.learning.batches import steps_per_epoch
from flnft_sim.learning.learner import LocalUpdates
from flnft_sim.learning.models import Model
from flnft_sim.learning.privacy import PrivacyLedger, noise_scales
from flnft_sim.learning.schemes import Ranking
from flnft_sim.streams import Streams


class SurrogateError(InputError):
    """A surrogate that cannot be set up."""


@dataclass(frozen=True)
class Curve:
    """Fitted constants of one workload (data set and model) with equally distributed (IID) data.

    Work W grows each round by Σ s_i·(local steps_i)^β over the users that arrived, s_i user i's share of their
    samples; u is a running mean of the noise's standard deviation per parameter of the aggregate. With
    g(W) = 1 − (1 + (W/w)^α)^−γ and h(u) = 1/(1 + (u/u½)^η), accuracy is a0 + (a∞ − a0)·g·h; loss alike with its own
    constants.
    """

    steps_exponent: float  # β
    accuracy_start: float
    accuracy_end: float
    accuracy_work: float  # w
    accuracy_shape: float  # α
    accuracy_decay: float  # γ
    accuracy_noise: float  # u½, the noise that costs half of what was learnt
    accuracy_noise_power: float
    loss_start: float
    loss_end: float
    loss_work: float
    loss_shape: float
    loss_decay: float
    loss_noise: float
    loss_noise_power: float
    noise_memory: float  # weight of the past in the running mean of u²
    local_loss_ratio: float  # a user's own training loss in the last of k epochs is this times the test loss …
    local_loss_epochs: float  # … times k to this power
    gradient_scale: float  # a mini-batch gradient's norm is this times …
    gradient_power: float  # … the local loss to this power
    norm_scale: float  # a clean update's L2 norm is this times …
    norm_steps: float  # … local steps to this power times …
    norm_work: float  # … (1 + W) to this power
    user_spread: float  # standard deviation of log(local loss) between users

    def accuracy(self, work: float, noise: float) -> float:
        """Test accuracy after that much work under that much noise."""
        kept = _kept(noise, self.accuracy_noise, self.accuracy_noise_power)
        learnt = _learnt(work, self.accuracy_work, self.accuracy_shape, self.accuracy_decay) * kept
        return self.accuracy_start + (self.accuracy_end - self.accuracy_start) * learnt

    def loss(self, work: float, noise: float) -> float:
        """Test loss (cross-entropy) after that much work under that much noise."""
        kept = _kept(noise, self.loss_noise, self.loss_noise_power)
        learnt = _learnt(work, self.loss_work, self.loss_shape, self.loss_decay) * kept
        return self.loss_start + (self.loss_end - self.loss_start) * learnt

    def local_loss(self, loss: float, epochs: np.ndarray) -> np.ndarray:
        """Training loss that users report after `epochs` (n,), the model's test loss before being `loss`."""
        return self.local_loss_ratio * loss * epochs**self.local_loss_epochs

    def gradient_norm(self, losses: np.ndarray) -> np.ndarray:
        """L2 norm of mini-batch gradients at these losses (n,)."""
        return self.gradient_scale * losses**self.gradient_power

    def update_norm(self, steps: np.ndarray, work: float) -> np.ndarray:
        """L2 norm of clean updates of `steps` (n,) local steps."""
        return self.norm_scale * steps**self.norm_steps * (1 + work) ** self.norm_work


def _learnt(work: float, scale: float, shape: float, decay: float) -> float:
    """Share of what can be learnt that the work has brought: slow at first where α > 1 (a Burr curve)."""
    return 1 - (1 + (work / scale) ** shape) ** -decay


def _kept(noise: float, half: float, power: float) -> float:
    """Share of what was learnt that the noise leaves."""
    return 1 / (1 + (noise / half) ** power)


@dataclass
class Progress:
    """Where on its curve a model is; `advance` once a round."""

    curve: Curve
    work: float = 0.0
    noise_variance: float = 0.0  # u²

    @property
    def noise(self) -> float:
        """u."""
        return self.noise_variance**0.5

    def advance(self, sizes: np.ndarray, steps: np.ndarray, scales: np.ndarray) -> None:
        """Add a round: shard sizes, local steps and Laplace scales (n,) of the users that arrived."""
        weights = sizes / sizes.sum()
        self.work += float(weights @ steps**self.curve.steps_exponent)
        memory = self.curve.noise_memory
        self.noise_variance = memory * self.noise_variance + (1 - memory) * noise_variance(sizes, scales)


def noise_variance(sizes: np.ndarray, scales: np.ndarray) -> float:
    """Variance per parameter of Σ s_i·Lap(b_i), the aggregate of users with shards of `sizes` and `scales` b (n,)."""
    weights = sizes / sizes.sum()
    return 2 * float((weights * scales) @ (weights * scales))


# How a quantity that left its fitted range is told: "k" as it is called, and how its values are written.
_QUANTITIES = {
    "rounds": ("rounds", ",.0f"),
    "users": ("users a round", ",.0f"),
    "samples_per_user": ("samples a user", ",.0f"),
    "batch_size": ("samples a mini-batch", ",.0f"),
    "local_epochs": ("local epochs", ",.0f"),
    "local_steps": ("local steps", ",.0f"),
    "noise_deviation": ("noise deviation of the aggregate", ".3g"),
}


@dataclass
class Extent:
    """How far runs have gone from what a curve was fitted to: `ranges` by quantity, and what was met so far.

    One of them may be shared by many learners; it then tells of all of them.
    """

    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    _met: dict[str, tuple[float, float]] = field(default_factory=dict)

    def meet(self, quantity: str, values: np.ndarray | float) -> None:
        """Note values of a quantity."""
        low, high = self._met.get(quantity, (np.inf, -np.inf))
        self._met[quantity] = min(low, float(np.min(values))), max(high, float(np.max(values)))

    def left(self) -> Iterator[str]:
        """Yield what has left its range: the quantity, the value farthest out, and the range."""
        for quantity, (low, high) in self._met.items():
            least, most = self.ranges.get(quantity, (-np.inf, np.inf))
            name, form = _QUANTITIES[quantity]
            out = [f"{end:{form}}" for end, is_out in ((low, low < least), (high, high > most)) if is_out]
            if out:
                fitted = f"{least:{form}}" if least == most else f"{least:{form}} to {most:{form}}"
                yield f"{name} {' and '.join(out)} (fitted {fitted})"
        yield from self.remarks


@cache
def _workloads() -> dict[str, Any]:
    text = files("flnft_sim.learning").joinpath("surrogate.json").read_text(encoding="utf-8")
    workloads: dict[str, Any] = json.loads(text)["workloads"]
    return workloads


@cache
def load_curves() -> dict[str, Curve]:
    """Read the fitted constants, by "dataset/model"."""
    return {workload: Curve(**entry["curve"]) for workload, entry in _workloads().items()}


def load_extent(dataset: str, model: str, *remarks: str) -> Extent:
    """Return the ranges of what a workload's curve was fitted to, nothing met yet; `remarks` are told in any case."""
    load_curve(dataset, model)  # the same complaint where there is none
    ranges = _workloads()[f"{dataset}/{model}"]["ranges"]
    return Extent({quantity: (least, most) for quantity, (least, most) in ranges.items()}, remarks)


def load_curve(dataset: str, model: str) -> Curve:
    """Return the fitted curve of a workload."""
    curves = load_curves()
    if f"{dataset}/{model}" not in curves:
        raise UnknownNameError("surrogate curve", f"{dataset}/{model}", curves)
    return curves[f"{dataset}/{model}"]


class SurrogateLearner:
    """A learner without data or parameters: the same interface, arrays over users, no loop over them."""

    def __init__(
        self,
        curve: Curve,
        model: Model,
        shard_sizes: np.ndarray,
        *,
        batch_size: int = 64,
        sensitivity: float = 0.005,
        clip_l1: float | None = None,
        adds_noise: bool = True,
        seed: int = 0,
        extent: Extent | None = None,
    ) -> None:
        shard_sizes = np.asarray(shard_sizes)
        if shard_sizes.ndim != 1 or len(shard_sizes) == 0 or shard_sizes.min() < 1:
            raise SurrogateError("shard sizes must be one positive number a user, for at least one user")
        noise_scales(np.ones(1), sensitivity=sensitivity, clip_l1=clip_l1)  # the same complaint, but early
        self.model, self.curve = model, curve
        self.users, self.shard_sizes = np.arange(len(shard_sizes)), shard_sizes
        self.engine_name = "surrogate"
        self._extent = extent or Extent()
        self._extent.meet("batch_size", batch_size)
        self._steps_per_epoch = steps_per_epoch(shard_sizes, batch_size)
        self._sensitivity, self._clip_l1, self._adds_noise = sensitivity, clip_l1, adds_noise
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
        scales = noise_scales(privacy, sensitivity=self._sensitivity, clip_l1=self._clip_l1)
        scales = scales if self._adds_noise else np.zeros(len(users))
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

    def privacy_ledger(self) -> PrivacyLedger:
        """Return an empty one: nothing is released, for there is no data."""
        return PrivacyLedger(None)

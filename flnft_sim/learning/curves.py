"""Learning curves: a model's quality against work and noise, fitted to real runs by workload (data set and model).

`analysis/fit_surrogate.py` fits the constants and states the error against runs it did not see.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.errors import UnknownNameError


@dataclass(frozen=True)
class _WorkAndNoise:
    """What work W has brought and noise u has left: accuracy is a0 + (a∞ − a0)·g(W)·h(u), loss alike with its own.

    g(W) = 1 − (1 + (W/w)^α)^−γ and h(u) = 1/(1 + (u/u½)^η).
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


@dataclass(frozen=True)
class Curve(_WorkAndNoise):
    """Fitted constants of one workload (data set and model) with equally distributed (IID) data.

    Work W grows each round by Σ s_i·(local steps_i)^β over the users that arrived, s_i user i's share of their
    samples; u is a running mean of the noise's standard deviation per parameter of the aggregate. With
    g(W) = 1 − (1 + (W/w)^α)^−γ and h(u) = 1/(1 + (u/u½)^η), accuracy is a0 + (a∞ − a0)·g·h; loss alike with its own
    constants.
    """

    noise_memory: float  # weight of the past in the running mean of u²
    local_loss_ratio: float  # a user's own training loss in the last of k epochs is this times the test loss …
    local_loss_epochs: float  # … times k to this power
    gradient_scale: float  # a mini-batch gradient's norm is this times …
    gradient_power: float  # … the local loss to this power
    norm_scale: float  # a clean update's L2 norm is this times …
    norm_steps: float  # … local steps to this power times …
    norm_work: float  # … (1 + W) to this power
    user_spread: float  # standard deviation of log(local loss) between users

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


@dataclass(frozen=True)
class PrivateCurve(_WorkAndNoise):
    """Fitted constants of one workload under DP-SGD with IID data: what work has brought, and what its noise leaves.

    Work W grows each round by Σ w_i·(steps_i)^β, w_i the weights of the updates that arrived. The noise's variance per
    parameter of the aggregate, Σ w_i²·steps_i·(γσ_iC/L_i)², adds to u², of which training forgets a part a step. Then
    as in `Curve`: a0 + (a∞ − a0)·g(W)·h(u), with g(W) = 1 − (1 + (W/w)^α)^−γ and h(u) = 1/(1 + (u/u½)^η). Since σ_i
    follows from (ε_i, δ, q, planned epochs E), this is a curve of E and ε, which no product of two curves is.
    """

    noise_memory: float  # what is left of u² after as much work as one step
    norm_scale: float  # a noiseless update's L2 norm is this times …
    norm_steps: float  # … its steps to this power

    def update_norm(self, steps: Floats) -> Floats:
        """L2 norm of updates of `steps` (n,) steps, their noise aside."""
        return self.norm_scale * steps**self.norm_steps


@dataclass
class PrivateProgress:
    """Where on its private curve a model is; `advance` once a round."""

    curve: PrivateCurve
    work: float = 0.0
    noise_variance: float = 0.0  # u²

    @property
    def noise(self) -> float:
        """u."""
        return self.noise_variance**0.5

    def advance(self, weights: Floats, steps: Floats, deviations: Floats) -> None:
        """Add a round: weights (n,) of what arrived, its steps, and a step's noise on each of its parameters."""
        shares = weights / weights.sum()
        self.work += float(shares @ steps**self.curve.steps_exponent)
        left = self.curve.noise_memory ** float(shares @ steps)
        self.noise_variance = left * self.noise_variance + private_noise_variance(weights, steps, deviations)


def private_noise_variance(weights: Floats, steps: Floats, deviations: Floats) -> float:
    """Variance per parameter that a round's noise leaves in the aggregate of updates with `weights` (n,)."""
    shares = weights / weights.sum()
    return float((shares**2 * steps) @ deviations**2)


@cache
def private_workloads() -> dict[str, Any]:
    """Read all that was fitted to private training, by "dataset/model"."""
    text = files("flnft_sim.learning").joinpath("private_surrogate.json").read_text(encoding="utf-8")
    fitted: dict[str, Any] = json.loads(text)["workloads"]
    return fitted


@cache
def workloads() -> dict[str, Any]:
    """Read all that was fitted, by "dataset/model"."""
    text = files("flnft_sim.learning").joinpath("surrogate.json").read_text(encoding="utf-8")
    fitted: dict[str, Any] = json.loads(text)["workloads"]
    return fitted


@cache
def load_curves() -> dict[str, Curve]:
    """Read the fitted constants, by "dataset/model"."""
    return {workload: Curve(**entry["curve"]) for workload, entry in workloads().items()}


def load_curve(dataset: str, model: str) -> Curve:
    """Return the fitted curve of a workload."""
    curves = load_curves()
    if f"{dataset}/{model}" not in curves:
        raise UnknownNameError("surrogate curve", f"{dataset}/{model}", curves)
    return curves[f"{dataset}/{model}"]


@cache
def load_private_curve(dataset: str, model: str) -> PrivateCurve:
    """Return the curve that was fitted to a workload's private training."""
    fitted = private_workloads()
    if f"{dataset}/{model}" not in fitted:
        raise UnknownNameError("surrogate curve of private training", f"{dataset}/{model}", fitted)
    return PrivateCurve(**fitted[f"{dataset}/{model}"]["curve"])

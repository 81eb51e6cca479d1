"""The door to training: validates once, chooses an engine, and says why.

Two engines do the same mathematics: `torch` runs any model on any device, `cpu` (Numba) runs the layer tables of the
shipped models several times faster on a CPU. Nothing but the engines knows about devices.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.learning.models import Model
from flnft_sim.learning.schemes import Ranking

type Shard = tuple[np.ndarray, np.ndarray]  # images (n, C, H, W) float32 and labels (n,) int64

ENGINES = ("auto", "cpu", "torch")
DEVICES = ("auto", "cpu", "cuda")
NVIDIA_DEVICES = ("/dev/nvidiactl", "/dev/dxg")  # the driver's own, and the one of Linux under Windows


class TrainingError(InputError):
    """Training that cannot be done as asked."""


@dataclass(frozen=True)
class StepNoise:
    """Noise on every mini-batch gradient (Eq. 4): Laplace of `scales` (N,), after clipping to L1 norm `clip_l1`."""

    scales: np.ndarray
    clip_l1: float | None
    seed: int


@dataclass(frozen=True)
class EngineChoice:
    """Which engine runs on which device, and why, in words for the summary."""

    name: str  # "cpu" or "torch"
    device: str  # "cpu" or "cuda"
    reason: str


def choose_engine(
    model: Model, *, engine: str = "auto", device: str = "auto", step_noise: bool = False
) -> EngineChoice:
    """Choose the engine for a model: the CPU engine wherever it serves, torch elsewhere.

    Raises `TrainingError` where a forced engine or device cannot serve.
    """
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if device not in DEVICES:
        raise UnknownNameError("device", device, DEVICES)
    if device == "cuda" and not _cuda_available():
        raise TrainingError("device 'cuda': this machine has no CUDA GPU that PyTorch can use; choose 'cpu' or 'auto'")
    if engine == "cpu" and device == "cuda":
        raise TrainingError("engine 'cpu' does not run on device 'cuda'; choose engine 'torch' or device 'cpu'")
    if device == "cuda" or (device == "auto" and engine != "cpu" and _cuda_available()):
        return EngineChoice("torch", "cuda", "all users at once on the GPU")
    if engine == "torch":
        return EngineChoice("torch", "cpu", "asked for")
    obstacle = _cpu_obstacle(model, step_noise)
    if obstacle is None:
        return EngineChoice(
            "cpu", "cpu", "asked for" if engine == "cpu" else "whole users on every core; it serves this model"
        )
    if engine == "cpu":
        raise TrainingError(f"engine 'cpu' cannot serve: {obstacle}; choose engine 'auto' or 'torch'")
    return EngineChoice("torch", "cpu", obstacle)


def train_users(
    model: Model,
    params: np.ndarray,
    shards: Sequence[Shard],
    *,
    epochs: int | np.ndarray,
    batch_size: int,
    lr: float,
    momentum: float,
    seed: int,
    device: str = "auto",
    engine: str = "auto",
    users: np.ndarray | None = None,
    step_noise: StepNoise | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train every user on its own shard, all at once; return (parameters (N, P), losses (N,), gradient norms (N,)).

    `params` is one start (P,) for all or one each (N, P); `epochs` one number or one each. SGD as PyTorch's, momentum
    starting at zero; the batches are `learning.batches.batch_plan(n, epochs, batch_size, seed, user)`, where `users`
    (default 0..N−1) are the users' own numbers. Loss and gradient norm are sample-weighted means over the steps of a
    user's last epoch: the mean cross-entropy before each update (dropout on), and the L2 norm of the raw mini-batch
    gradient. Raises `TrainingError`.
    """
    n = len(shards)
    epochs = np.broadcast_to(np.asarray(epochs, np.int64), (n,)) if np.ndim(epochs) == 0 else np.asarray(epochs)
    users = np.arange(n) if users is None else np.asarray(users)
    _check_settings(epochs, users, n, batch_size, lr, momentum)
    start = _per_user(model, params, n)
    shards = [_checked(model, shard, user) for shard, user in zip(shards, users, strict=True)]
    choice = choose_engine(model, engine=engine, device=device, step_noise=step_noise is not None)
    settings: dict[str, Any] = {
        "epochs": epochs.astype(np.int64),
        "batch_size": batch_size,
        "lr": lr,
        "momentum": momentum,
        "seed": seed,
        "users": users.astype(np.int64),
    }
    if n == 0:
        return start.copy(), np.empty(0), np.empty(0)
    if choice.name == "cpu":
        from flnft_sim.learning.cpu import engine as cpu_engine

        return cpu_engine.train_users(model, start, shards, **settings)
    if choice.device == "cuda":
        from flnft_sim.learning import torch_stacked

        return torch_stacked.train_users(model, start, shards, **settings, step_noise=step_noise)
    from flnft_sim.learning import torch_engine

    return torch_engine.train_users(model, start, shards, **settings, step_noise=step_noise)


def evaluate(
    model: Model, params: np.ndarray, x: np.ndarray, y: np.ndarray, *, device: str = "auto", engine: str = "auto"
) -> tuple[float, float]:
    """Return (accuracy, mean cross-entropy) of parameters (P,) on images and labels."""
    params = _per_user(model, params, 1)[0]
    x, y = _checked(model, (x, y), "evaluation")
    choice = choose_engine(model, engine=engine, device=device)
    if choice.name == "cpu":
        from flnft_sim.learning.cpu import engine as cpu_engine

        return cpu_engine.evaluate(model, params, x, y)
    from flnft_sim.learning import torch_engine

    return torch_engine.evaluate(model, params, x, y, device=choice.device)


def rank_users(
    model: Model,
    params: np.ndarray,
    shards: Sequence[Shard],
    by: Ranking,
    *,
    device: str = "auto",
    engine: str = "auto",
) -> np.ndarray:
    """Rank users at `params`: the mean loss (N,) over each whole shard, or the L2 norm (N,) of its mean gradient."""
    params = _per_user(model, params, 1)[0]
    shards = [_checked(model, shard, user) for user, shard in enumerate(shards)]
    choice = choose_engine(model, engine=engine, device=device)
    if choice.name == "cpu":
        from flnft_sim.learning.cpu import engine as cpu_engine

        return cpu_engine.rank_users(model, params, shards, by)
    from flnft_sim.learning import torch_engine

    return torch_engine.rank_users(model, params, shards, by, device=choice.device)


def _cuda_available() -> bool:
    """Ask PyTorch for a GPU, but only where the system has a driver: importing PyTorch takes seconds."""
    if sys.platform == "linux" and not any(Path(device).exists() for device in NVIDIA_DEVICES):
        return False
    import torch

    return torch.cuda.is_available()


def _cpu_obstacle(model: Model, step_noise: bool) -> str | None:
    """Say why the CPU engine cannot serve, or None."""
    if step_noise:
        return "noise on every step (perturb: step) runs in PyTorch"
    from flnft_sim.learning.cpu import engine as cpu_engine

    return cpu_engine.serves(model)


def _check_settings(epochs: np.ndarray, users: np.ndarray, n: int, batch_size: int, lr: float, momentum: float) -> None:
    if epochs.shape != (n,) or epochs.dtype.kind not in "iu" or (n and epochs.min() < 1):
        raise TrainingError(f"epochs {epochs.tolist()} must be {n} whole numbers, one a user, each at least 1")
    if users.shape != (n,) or users.dtype.kind not in "iu" or (n and users.min() < 0):
        raise TrainingError(f"users {users.tolist()} must be {n} numbers, one a shard, none negative")
    if batch_size < 1:
        raise TrainingError(f"batch_size {batch_size} must be at least 1")
    if not (np.isfinite(lr) and lr > 0):
        raise TrainingError(f"lr {lr} must be positive and finite")
    if not 0 <= momentum < 1:
        raise TrainingError(f"momentum {momentum} must be in [0, 1)")


def _per_user(model: Model, params: np.ndarray, n: int) -> np.ndarray:
    """Return start parameters (n, P) float32; one start for all becomes a view without copies."""
    params = np.ascontiguousarray(params, np.float32)
    if params.ndim == 1:
        params = np.broadcast_to(params, (n, len(params)))
    if params.shape != (n, model.parameter_count):
        raise TrainingError(
            f"model {model.name} has {model.parameter_count} parameters; got an array of shape {params.shape} "
            f"for {n} users"
        )
    return params


def _checked(model: Model, shard: Shard, owner: object) -> Shard:
    """Return a shard in the layout the engines rely on (they check no bounds)."""
    x, y = np.ascontiguousarray(shard[0], np.float32), np.ascontiguousarray(shard[1], np.int64)
    if x.shape[1:] != model.input_shape or y.shape != (len(x),) or len(x) == 0:
        raise TrainingError(
            f"data of user {owner}: images {x.shape} and labels {y.shape} do not fit model {model.name} for "
            f"images {model.input_shape}, at least one"
        )
    if y.min() < 0 or y.max() >= model.classes:
        wrong = y.max() if y.min() >= 0 else y.min()
        raise TrainingError(
            f"data of user {owner}: label {wrong} is out of range; labels must be in 0..{model.classes - 1}"
        )
    return x, y

"""The PyTorch engine on a GPU: all users at once, their parameters stacked.

`torch.func.vmap` turns every user's convolution into one grouped convolution and every product into one batched
product. A group's users take their steps together, the longest first, so that those still training are a prefix.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.func import functional_call, grad_and_value, vmap
from torch.nn.functional import cross_entropy

from flnft_sim.learning.batches import batch_plan, dropout_base, dropout_key, steps_per_epoch
from flnft_sim.learning.models import Model
from flnft_sim.learning.models.dropout import Dropout
from flnft_sim.learning.torch_engine import GradientNoise
from flnft_sim.machine import one_thread

if TYPE_CHECKING:
    from flnft_sim.learning.engine import Shard, StepNoise

GROUP_USERS = 256  # trained together; bounds the memory for activations


@dataclass(frozen=True)
class _Schedule:
    """What a group of n users does in each of at most T steps of at most B rows; users by falling number of steps."""

    rows: np.ndarray  # (T, n, B) positions in the group's concatenated data; padding repeats the first sample
    sizes: np.ndarray  # (T, n) real rows, 0 once a user is done
    measured: np.ndarray  # (T, n) bool: a step of the user's last epoch


def train_users(
    model: Model,
    params: np.ndarray,
    shards: Sequence["Shard"],
    *,
    epochs: np.ndarray,
    batch_size: int,
    lr: float,
    momentum: float,
    seed: int,
    users: np.ndarray,
    device: str = "cuda",
    step_noise: "StepNoise | None" = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train users in stacked groups as `learning.train_users` says; the door has checked the input."""
    trained = np.empty((len(shards), model.parameter_count), np.float32)
    losses, norms = np.empty(len(shards)), np.empty(len(shards))
    samples = np.array([len(y) for _, y in shards])
    steps = epochs * steps_per_epoch(samples, batch_size)
    longest_first = np.argsort(-steps, kind="stable")
    gradient = _stacked_gradient(model, device)
    with one_thread("torch"):
        for start in range(0, len(shards), GROUP_USERS):
            group = longest_first[start : start + GROUP_USERS]
            noises = [GradientNoise(step_noise, int(i), int(users[i])) for i in group] if step_noise else []
            trained[group], losses[group], norms[group] = _train_group(
                gradient,
                torch.tensor(params[group], device=device),
                [shards[i] for i in group],
                _schedule(samples[group], epochs[group], batch_size, seed, users[group]),
                keys=np.array([dropout_key(seed, user) for user in users[group].tolist()]),
                lr=lr,
                momentum=momentum,
                noises=noises,
            )
    return trained, losses, norms


def _train_group(
    gradient: Callable[..., tuple[torch.Tensor, torch.Tensor]],
    params: torch.Tensor,
    shards: Sequence["Shard"],
    schedule: _Schedule,
    *,
    keys: np.ndarray,
    lr: float,
    momentum: float,
    noises: list[GradientNoise],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Run a group's steps on its device; return parameters, losses and gradient norms in the group's order."""
    device = params.device
    x = torch.from_numpy(np.concatenate([x for x, _ in shards])).to(device)
    y = torch.from_numpy(np.concatenate([y for _, y in shards])).to(device)
    velocity = torch.zeros_like(params)
    sums = torch.zeros((2, len(shards)), dtype=torch.float64, device=device)  # of losses and of gradient norms
    for step, (row_numbers, row_counts) in enumerate(zip(schedule.rows, schedule.sizes, strict=True)):
        active = int((row_counts > 0).sum())
        rows = torch.from_numpy(row_numbers[:active]).to(device, torch.int64)
        counts = torch.from_numpy(row_counts[:active]).to(device, torch.float32)
        weights = (torch.arange(rows.shape[1], device=device) < counts[:, None]) / counts[:, None]
        grads, losses = gradient(params[:active], keys[:active], step, x[rows], y[rows], weights)
        measured = torch.from_numpy(schedule.measured[step, :active]).to(device) * counts
        sums[0, :active] += measured * losses
        sums[1, :active] += measured * grads.norm(dim=1)
        for noise, user_gradient in zip(noises, grads, strict=False):  # only those still training
            noise(user_gradient)
        velocity[:active].mul_(momentum).add_(grads)
        params[:active].add_(velocity[:active], alpha=-lr)
    mean_losses, mean_norms = (sums / torch.tensor([len(y) for _, y in shards], device=device)).cpu().numpy()
    return params.cpu().numpy(), mean_losses, mean_norms


def _stacked_gradient(model: Model, device: str) -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """Return the function (params (n, P), keys, step, x, y, weights) → (gradients (n, P), losses (n,))."""
    module = model.module().to(device).train()
    sites = [f"{name}.base" for name, part in module.named_modules() if isinstance(part, Dropout)]
    shapes = model.parameter_shapes
    lengths = [prod(shape) for shape in shapes.values()]

    def loss(
        flat: torch.Tensor, bases: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor, w: torch.Tensor
    ) -> torch.Tensor:
        parts = zip(shapes.items(), flat.split(lengths), strict=True)
        tensors = {name: part.view(shape) for (name, shape), part in parts}
        return (cross_entropy(functional_call(module, (tensors, bases), (x,)), y, reduction="none") * w).sum()

    stacked = vmap(grad_and_value(loss))

    def gradient(
        params: torch.Tensor, keys: np.ndarray, step: int, x: torch.Tensor, y: torch.Tensor, w: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        bases = {
            name: torch.from_numpy(dropout_base(keys, step, site).astype(np.int64)).to(device)
            for site, name in enumerate(sites)
        }
        return stacked(params, bases, x, y, w)

    return gradient


def _schedule(samples: np.ndarray, epochs: np.ndarray, batch_size: int, seed: int, users: np.ndarray) -> _Schedule:
    """Lay the users' batch plans side by side."""
    per_epoch = steps_per_epoch(samples, batch_size)
    steps, width = epochs * per_epoch, int(min(batch_size, samples.max()))
    starts = np.concatenate([[0], np.cumsum(samples)[:-1]])
    rows = np.empty((steps.max(), len(users), width), np.int32)
    rows[:] = starts[:, None]
    sizes = np.zeros((steps.max(), len(users)), np.int32)
    for i, user in enumerate(users.tolist()):
        idx, bounds = batch_plan(int(samples[i]), int(epochs[i]), batch_size, seed, user)
        sizes[: steps[i], i] = np.diff(bounds)
        real = np.arange(width) < sizes[: steps[i], i, None]
        rows[: steps[i], i][real] += idx.astype(np.int32)
    step = np.arange(steps.max())[:, None]
    return _Schedule(rows, sizes, (step >= steps - per_epoch) & (step < steps))

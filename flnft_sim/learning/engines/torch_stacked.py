"""The PyTorch engine on a GPU: all users at once, their parameters stacked.

`torch.func.vmap` turns every user's convolution into one grouped convolution and every product into one batched
product. A group's users take their steps together, the longest first, so that those still training are a prefix.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch.func import functional_call, grad_and_value, vmap
from torch.nn.functional import cross_entropy

from flnft_sim.arrays import Floats, Ints
from flnft_sim.learning.batches import dropout_base, steps_per_epoch
from flnft_sim.learning.engines.base import Course, Descent, Scorer, Shard, StepNoise, Trained
from flnft_sim.learning.engines.torch_loop import GradientNoise, TorchLoop
from flnft_sim.learning.models import Model
from flnft_sim.learning.models.dropout import Dropout
from flnft_sim.machine import one_thread

GROUP_USERS = 256  # trained, or scored, together; bounds the memory for activations
SCORED_SAMPLES = 512  # that averages of models are scored on at a time


@dataclass(frozen=True)
class _Schedule:
    """What a group of n users does in each of at most T steps of at most B rows; users by falling number of steps."""

    rows: np.ndarray  # (T, n, B) positions in the group's concatenated data; padding repeats the first sample
    sizes: np.ndarray  # (T, n) real rows, 0 once a user is done
    measured: np.ndarray  # (T, n) bool: a step of the user's last epoch
    keys: np.ndarray  # (n,) of the users' dropout masks


class TorchStacked(TorchLoop):
    """All users at once, in groups; evaluates and ranks as the loop does, on its device."""

    def __init__(self, device: str = "cuda") -> None:
        super().__init__(device)

    def train(
        self,
        model: Model,
        start: np.ndarray,
        shards: Sequence[Shard],
        descent: Descent,
        *,
        users: Ints,
        step_noise: StepNoise | None = None,
    ) -> Trained:
        """Train users in stacked groups."""
        trained = Trained.room_for(len(shards), model.parameter_count)
        steps = descent.epochs * steps_per_epoch(np.array([len(y) for _, y in shards]), descent.batch_size)
        longest_first = np.argsort(-steps, kind="stable")
        gradient = _stacked_gradient(model, self.device)
        with one_thread("torch"):
            for first in range(0, len(shards), GROUP_USERS):
                group = longest_first[first : first + GROUP_USERS]
                own = [shards[i] for i in group]
                courses = [descent.of(int(i), len(y), int(users[i])) for i, (_, y) in zip(group, own, strict=True)]
                noises = [GradientNoise(step_noise, int(i), int(users[i])) for i in group] if step_noise else []
                params = torch.tensor(start[group], device=self.device)
                figures = _train_group(gradient, params, own, _schedule(own, courses, descent), descent, noises)
                trained.losses[group], trained.gradient_norms[group] = figures
                trained.params[group] = params.cpu().numpy()
        return trained

    def scorer(self, model: Model, params: np.ndarray, shard: Shard) -> Scorer:
        """Return what scores averages of models (n, P), as many at once as fit beside the samples."""
        module, shapes = model.module().to(self.device).eval(), model.parameter_shapes
        lengths = [prod(shape) for shape in shapes.values()]
        models = torch.from_numpy(np.ascontiguousarray(params)).to(self.device)
        batches = [(torch.from_numpy(x).to(self.device), torch.from_numpy(y).to(self.device)) for x, y in _cut(*shard)]

        def summed_loss(flat: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            parts = zip(shapes.items(), flat.split(lengths), strict=True)
            tensors = {name: part.view(shape) for (name, shape), part in parts}
            return cross_entropy(functional_call(module, tensors, (x,)), y, reduction="sum")

        stacked = vmap(summed_loss, in_dims=(0, None, None))

        @torch.inference_mode()
        def score(mixes: np.ndarray) -> Floats:
            shares = torch.from_numpy(np.ascontiguousarray(mixes, np.float32)).to(self.device)
            with one_thread("torch"):
                averages = (some @ models for some in shares.split(GROUP_USERS))
                losses = [torch.stack([stacked(each, x, y).double() for x, y in batches]).sum(0) for each in averages]
            return np.asarray(torch.cat(losses).cpu().numpy() / len(shard[1]))

        return score


def _cut(x: np.ndarray, y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Samples in batches that bound the memory for activations."""
    return [(x[at : at + SCORED_SAMPLES], y[at : at + SCORED_SAMPLES]) for at in range(0, len(y), SCORED_SAMPLES)]


def _train_group(
    gradient: Callable[..., tuple[torch.Tensor, torch.Tensor]],
    params: torch.Tensor,
    shards: Sequence[Shard],
    schedule: _Schedule,
    descent: Descent,
    noises: list[GradientNoise],
) -> np.ndarray:
    """Run a group's steps on its device, in place; return losses and gradient norms (2, n) in the group's order."""
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
        grads, losses = gradient(params[:active], schedule.keys[:active], step, x[rows], y[rows], weights)
        measured = torch.from_numpy(schedule.measured[step, :active]).to(device) * counts
        sums[0, :active] += measured * losses
        sums[1, :active] += measured * grads.norm(dim=1)
        for noise, user_gradient in zip(noises, grads, strict=False):  # only those still training
            noise(user_gradient)
        velocity[:active].mul_(descent.momentum).add_(grads)
        params[:active].add_(velocity[:active], alpha=-descent.lr)
    return (sums / torch.tensor([len(y) for _, y in shards], device=device)).cpu().numpy()


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


def _schedule(shards: Sequence[Shard], courses: Sequence[Course], descent: Descent) -> _Schedule:
    """Lay the users' courses side by side."""
    samples = np.array([len(y) for _, y in shards])
    steps = np.array([len(course.bounds) - 1 for course in courses])
    width = int(min(descent.batch_size, samples.max()))
    starts = np.concatenate([[0], np.cumsum(samples)[:-1]])
    rows = np.empty((steps.max(), len(courses), width), np.int32)
    rows[:] = starts[:, None]
    sizes = np.zeros((steps.max(), len(courses)), np.int32)
    for i, course in enumerate(courses):
        sizes[: steps[i], i] = np.diff(course.bounds)
        real = np.arange(width) < sizes[: steps[i], i, None]
        rows[: steps[i], i][real] += course.order.astype(np.int32)
    step, measured_from = np.arange(steps.max())[:, None], np.array([course.measured_from for course in courses])
    keys = np.array([course.key for course in courses])
    return _Schedule(rows, sizes, (step >= measured_from) & (step < steps), keys)

"""The plain PyTorch engine: any model, one user after the other.

Parameters live in one flat tensor, of which the module's parameters are views: a step of SGD, a clip or a norm is
then one operation, however many layers the model has. Images and convolution weights are kept channels-last, which
PyTorch's CPU convolutions and poolings want.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from flnft_sim.arrays import Floats, Ints
from flnft_sim.learning.batches import CHUNK_STRIDE, LOT_ROWS, dropout_base, dropout_key
from flnft_sim.learning.engines.base import (
    Course,
    Descent,
    PrivateDescent,
    Scorer,
    Shard,
    StepNoise,
    Trained,
    one_by_one,
)
from flnft_sim.learning.engines.torch_clipping import ClippedGradients, obstacle
from flnft_sim.learning.models import Model
from flnft_sim.learning.models.dropout import Dropout
from flnft_sim.learning.privacy import laplace_noise
from flnft_sim.learning.schemes import Ranking
from flnft_sim.machine import one_thread

FORWARD_ROWS = 2048  # images in one pass over a whole shard or test set


class FlatModule:
    """A module whose parameters and gradients are views of two flat tensors, `params` and `grads` (P,).

    The flat tensors hold convolution weights channels-last; `load` and `unload` translate from and to PyTorch's order.
    """

    def __init__(self, model: Model, device: str) -> None:
        self.module = model.module().to(device)
        self.params = torch.zeros(model.parameter_count, device=device)
        self.grads = torch.zeros_like(self.params)
        # in forward order, as the modules are registered
        self.dropouts = [part for part in self.module.modules() if isinstance(part, Dropout)]
        order = []
        for parameter, places in zip(self.module.parameters(), _places(self.module), strict=True):
            shape, (start, stop) = parameter.shape, (int(places.min()), int(places.max()) + 1)
            parameter.data = _channels_last(self.params[start:stop], shape)
            parameter.grad = _channels_last(self.grads[start:stop], shape)
            order.append(places.permute(0, 2, 3, 1).flatten() if places.dim() == 4 else places.flatten())
        self._order = torch.cat(order).to(device)  # flat position → position in PyTorch's order

    def load(self, params: np.ndarray) -> None:
        """Set the parameters to (P,)."""
        self.params.copy_(torch.tensor(params, device=self.params.device)[self._order])

    def unload(self) -> np.ndarray:
        """Return the parameters (P,)."""
        ordered = torch.empty_like(self.params)
        ordered[self._order] = self.params
        return ordered.cpu().numpy()

    def add(self, values: np.ndarray) -> None:
        """Add values (P,) to the gradients."""
        self.grads.add_(torch.from_numpy(values).to(self.grads.device)[self._order])

    def set_dropout(self, key: int, step: int) -> None:
        """Choose the masks of one step."""
        for site, dropout in enumerate(self.dropouts):
            dropout.base.fill_(dropout_base(np.array([key]), step, site).item())

    def add_gradient(self, x: torch.Tensor, y: torch.Tensor, share: float = 1.0) -> float:
        """Add `share` of a batch's mean gradient to `grads`; return its mean cross-entropy. x: (n, H, W, C)."""
        loss = cross_entropy(self.module(x.permute(0, 3, 1, 2)), y)
        (loss * share if share != 1.0 else loss).backward()
        return loss.item()


class TorchLoop:
    """One user after the other on a device, "cpu" or "cuda"; serves any model."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    def serves(self, model: Model, *, step_noise: bool = False, private: bool = False) -> str | None:
        """Serve whatever builds a module; privately, what has layers whose gradients are known record by record."""
        del step_noise
        blocking = obstacle(model.module()) if private else None
        return None if blocking is None else f"model {model.name!r} cannot train privately: {blocking}"

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
        """Train users one after the other."""
        flat = FlatModule(model, self.device)
        flat.module.train()
        trained = Trained.room_for(len(shards), model.parameter_count)
        with one_thread("torch"):
            for i, ((x, y), user) in enumerate(zip(shards, users.tolist(), strict=True)):
                flat.load(start[i])
                perturb = GradientNoise(step_noise, i, user) if step_noise else None
                course = descent.of(i, len(y), user)
                trained.losses[i], trained.gradient_norms[i] = _train_one(flat, (x, y), descent, course, perturb)
                trained.params[i] = flat.unload()
        return trained

    def train_privately(
        self,
        model: Model,
        start: np.ndarray,
        shards: Sequence[Shard],
        descent: PrivateDescent,
        *,
        users: Ints,
    ) -> np.ndarray:
        """Train users by DP-SGD, one after the other."""
        flat = FlatModule(model, self.device)
        flat.module.train()
        clipped = ClippedGradients(flat.module, descent.clip_l2)
        trained = np.empty((len(shards), model.parameter_count), np.float32)
        with one_thread("torch"):
            for i, (shard, user) in enumerate(zip(shards, users.tolist(), strict=True)):
                flat.load(start[i])
                _descend_privately(flat, clipped, shard, descent, i, user)
                trained[i] = flat.unload()
        return trained

    def evaluate(self, model: Model, params: np.ndarray, shard: Shard) -> tuple[float, float]:
        """Return (accuracy, mean cross-entropy), dropout off."""
        with one_thread("torch"):
            return _evaluated(_at_rest(model, params, self.device), *shard)

    def rank(self, model: Model, params: np.ndarray, shards: Sequence[Shard], by: Ranking) -> Floats:
        """Return each shard's mean loss (N,) or the norm of its mean gradient (N,), dropout off."""
        flat = _at_rest(model, params, self.device)
        with one_thread("torch"):
            if by == "loss":
                return np.array([_evaluated(flat, x, y)[1] for x, y in shards])
            return np.array([_gradient_norm(flat, x, y) for x, y in shards])

    def scorer(self, model: Model, params: np.ndarray, shard: Shard) -> Scorer:
        """Return what scores averages of models (n, P), one after the other."""
        return one_by_one(self, model, params, shard)


def _at_rest(model: Model, params: np.ndarray, device: str) -> FlatModule:
    flat = FlatModule(model, device)
    flat.load(params)
    flat.module.eval()
    return flat


@torch.inference_mode()
def _evaluated(flat: FlatModule, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    correct, loss = 0, 0.0
    for images, labels in _slices(x, y, flat.params.device):
        logits = flat.module(images.permute(0, 3, 1, 2))
        loss += cross_entropy(logits, labels, reduction="sum").item()
        correct += int((logits.argmax(1) == labels).sum())
    return correct / len(y), loss / len(y)


def _gradient_norm(flat: FlatModule, x: np.ndarray, y: np.ndarray) -> float:
    flat.grads.zero_()
    for images, labels in _slices(x, y, flat.params.device):
        flat.add_gradient(images, labels, len(labels) / len(y))
    return flat.grads.norm().item()


def to_tensors(x: np.ndarray, y: np.ndarray, device: str | torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Move a shard to the device, images channels-last: (n, H, W, C)."""
    return torch.from_numpy(x).to(device).permute(0, 2, 3, 1).contiguous(), torch.from_numpy(y).to(device)


class GradientNoise:
    """Clip a mini-batch gradient to an L1 norm, then add Laplace noise: Eq. 4, step by step."""

    def __init__(self, noise: StepNoise, row: int, user: int) -> None:
        self.rng = np.random.default_rng(np.random.SeedSequence(noise.seed, spawn_key=(user,)))
        self.scale, self.clip_l1 = float(noise.scales[row]), noise.clip_l1

    def __call__(self, grads: torch.Tensor) -> None:
        """Perturb a gradient (P,) in place."""
        if self.clip_l1 is not None:
            norm = grads.abs().sum().item()
            grads.mul_(min(1.0, self.clip_l1 / norm) if norm > 0 else 1.0)
        grads.add_(torch.from_numpy(laplace_noise(self.rng, self.scale, grads.numel())).to(grads.device))


def _train_one(
    flat: FlatModule, shard: Shard, descent: Descent, course: Course, perturb: GradientNoise | None
) -> tuple[float, float]:
    """Run all steps of one user in place; return its loss and gradient norm over the steps that are measured."""
    x, y = to_tensors(*shard, flat.params.device)
    order = torch.from_numpy(course.order).to(x.device)
    velocity = torch.zeros_like(flat.params)
    loss_sum, norm_sum = 0.0, 0.0
    for step, (first, last) in enumerate(pairwise(course.bounds.tolist())):
        rows = order[first:last]
        flat.set_dropout(course.key, step)
        flat.grads.zero_()
        loss = flat.add_gradient(x[rows], y[rows])
        if step >= course.measured_from:
            loss_sum += len(rows) * loss
            norm_sum += len(rows) * flat.grads.norm().item()
        if perturb is not None:
            perturb(flat.grads)
        velocity.mul_(descent.momentum).add_(flat.grads)
        flat.params.add_(velocity, alpha=-descent.lr)
    return loss_sum / len(y), norm_sum / len(y)


def _descend_privately(
    flat: FlatModule, clipped: ClippedGradients, shard: Shard, descent: PrivateDescent, i: int, user: int
) -> None:
    """Run all private steps of the user in row `i` of the descent, in place."""
    x, y = to_tensors(*shard, flat.params.device)
    velocity, key = torch.zeros_like(flat.params), dropout_key(descent.seed, user)
    for step in range(int(descent.steps[i])):
        flat.grads.zero_()
        lot = torch.from_numpy(descent.lot(i, step, len(y), user)).to(x.device)
        for number, rows in enumerate(lot.split(LOT_ROWS) if len(lot) else ()):
            flat.set_dropout(key, int(descent.first[i]) + step + number * CHUNK_STRIDE)
            clipped.add(x[rows].permute(0, 3, 1, 2), y[rows])
        flat.add(descent.noise(i, step, len(flat.params), user))
        velocity.mul_(descent.momentum).add_(flat.grads)
        flat.params.add_(velocity, alpha=-descent.lr / float(descent.lots[i]))


def _places(module: torch.nn.Module) -> list[torch.Tensor]:
    """Return, for each parameter, the positions of its values in the flat vector of PyTorch's order."""
    places, start = [], 0
    for parameter in module.parameters():
        places.append(torch.arange(start, start + parameter.numel()).view(parameter.shape))
        start += parameter.numel()
    return places


def _channels_last(flat: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """View a flat tensor as a parameter of `shape`; convolution weights with their channels last in memory."""
    if len(shape) != 4:
        return flat.view(shape)
    outputs, inputs, rows, columns = shape
    return flat.view(outputs, rows, columns, inputs).permute(0, 3, 1, 2)


def _slices(x: np.ndarray, y: np.ndarray, device: str | torch.device) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Cut images and labels into tensors of at most FORWARD_ROWS."""
    for start in range(0, len(y), FORWARD_ROWS):
        rows = slice(start, start + FORWARD_ROWS)
        yield to_tensors(x[rows], y[rows], device)

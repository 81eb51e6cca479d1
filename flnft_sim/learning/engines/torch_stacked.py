"""The PyTorch engine on a GPU: all users at once, their parameters stacked.

`torch.func.vmap` turns every user's convolution into one grouped convolution and every product into one batched
product. A group's users take their steps together, the longest first, so that those still training are a prefix.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np
import torch
from torch.func import functional_call, grad_and_value, vmap
from torch.nn.functional import cross_entropy

from flnft_sim.arrays import Floats, Ints
from flnft_sim.learning.batches import dropout_base, steps_per_epoch
from flnft_sim.learning.engines.base import Course, Descent, Scorer, Shard, StepNoise, Trained, TrainingError
from flnft_sim.learning.engines.torch_loop import GradientNoise, TorchLoop
from flnft_sim.learning.models import Model
from flnft_sim.learning.models.dropout import Dropout
from flnft_sim.machine import one_thread

GROUP_USERS = 256  # trained, or scored, together; bounds the memory for activations
WARM_UPS = 3  # steps before one is captured, as PyTorch asks for
SCORED_SAMPLES = 512  # that averages of models are scored on at a time

type Precision = Literal["float32", "tf32", "bfloat16"]


@dataclass(frozen=True)
class _Schedule:
    """What a group of n users does in each of at most T steps of at most B rows; users by falling number of steps."""

    rows: np.ndarray  # (T, n, B) positions in the group's concatenated data; padding repeats the first sample
    sizes: np.ndarray  # (T, n) real rows, 0 once a user is done
    measured: np.ndarray  # (T, n) bool: a step of the user's last epoch
    keys: np.ndarray  # (n,) of the users' dropout masks


class TorchStacked(TorchLoop):
    """All users at once, in groups; evaluates and ranks as the loop does, on its device.

    `precision`: training multiplies in float32 like every engine, or, faster and further from them, in TF32 (Ampere and
    later) or bfloat16. `graphs`: a step in which all of a group train is captured as one CUDA graph, started at once.
    """

    def __init__(self, device: str = "cuda", *, precision: Precision = "float32", graphs: bool = False) -> None:
        super().__init__(device)
        if graphs and torch.device(device).type != "cuda":
            raise TrainingError(f"graphs: CUDA graphs need device 'cuda', and this engine is on {device!r}")
        self.precision, self.graphs = precision, graphs

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
        gradient = _Gradient(model, self.device)
        with one_thread("torch"), computing_in(self.precision, self.device):
            for first in range(0, len(shards), GROUP_USERS):
                group = longest_first[first : first + GROUP_USERS]
                own = [shards[i] for i in group]
                courses = [descent.of(int(i), len(y), int(users[i])) for i, (_, y) in zip(group, own, strict=True)]
                noises = [GradientNoise(step_noise, int(i), int(users[i])) for i in group] if step_noise else []
                params = torch.tensor(start[group], device=self.device)
                stacked = _Group(gradient, params, own, _schedule(own, courses, descent), descent)
                figures = stacked.run(noises, graphs=self.graphs)
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


class _Group:
    """A group of n users on its device: their state, and the buffers that a step reads.

    All of them stay where they are, so that a step can be captured once and started again as a whole.
    """

    def __init__(
        self,
        gradient: "_Gradient",
        params: torch.Tensor,
        shards: Sequence[Shard],
        schedule: _Schedule,
        descent: Descent,
    ) -> None:
        device, n = params.device, len(shards)
        self.gradient, self.params, self.descent, self.schedule = gradient, params, descent, schedule
        self.x = torch.from_numpy(np.concatenate([x for x, _ in shards])).to(device)
        self.y = torch.from_numpy(np.concatenate([y for _, y in shards])).to(device)
        self.samples = torch.tensor([len(y) for _, y in shards], device=device)
        self.velocity = torch.zeros_like(params)
        self.sums = torch.zeros((2, n), dtype=torch.float64, device=device)  # of losses and of gradient norms
        self.rows = torch.zeros(schedule.rows.shape[1:], dtype=torch.int64, device=device)
        self.counts, self.measured = torch.zeros((2, n), device=device)
        self.bases = torch.zeros((len(gradient.sites), n), dtype=torch.int64, device=device)

    def run(self, noises: list[GradientNoise], *, graphs: bool) -> np.ndarray:
        """Take all steps in place; return losses and gradient norms (2, n)."""
        everybody = self.schedule.rows.shape[1]
        graph = None
        for step, sizes in enumerate(self.schedule.sizes):
            self._read(step)
            active = int((sizes > 0).sum())
            if graphs and graph is None and active == everybody and not noises:
                graph = _captured(self, everybody)
            if graph is not None and active == everybody:
                graph.replay()
            else:
                self.advance(active, noises)
        return np.asarray((self.sums / self.samples).cpu().numpy())

    def advance(self, active: int, noises: list[GradientNoise]) -> None:
        """Take one step of the first `active` users."""
        rows, counts = self.rows[:active], self.counts[:active]
        weights = (torch.arange(rows.shape[1], device=rows.device) < counts[:, None]) / counts[:, None]
        grads, losses = self.gradient(self.params[:active], self.bases[:, :active], self.x[rows], self.y[rows], weights)
        measured = self.measured[:active] * counts
        self.sums[0, :active] += measured * losses
        self.sums[1, :active] += measured * grads.norm(dim=1)
        for noise, user_gradient in zip(noises, grads, strict=False):  # only those still training
            noise(user_gradient)
        self.velocity[:active].mul_(self.descent.momentum).add_(grads)
        self.params[:active].add_(self.velocity[:active], alpha=-self.descent.lr)

    def _read(self, step: int) -> None:
        """Bring what a step reads into its buffers."""
        plan = self.schedule
        for buffer, values in (
            (self.rows, plan.rows[step]),
            (self.counts, plan.sizes[step]),
            (self.measured, plan.measured[step]),
        ):
            buffer.copy_(torch.from_numpy(values))
        for site, bases in enumerate(self.bases):
            bases.copy_(torch.from_numpy(dropout_base(plan.keys, step, site).astype(np.int64)))


def _captured(group: _Group, users: int) -> torch.cuda.CUDAGraph:
    """One step of all users as a CUDA graph, whose many small kernels start at once; the group stays as it is."""
    state = (group.params, group.velocity, group.sums)
    kept = [tensor.clone() for tensor in state]
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):  # libraries choose their kernels in these steps
        for _ in range(WARM_UPS):
            group.advance(users, [])
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        group.advance(users, [])
    for tensor, before in zip(state, kept, strict=True):
        tensor.copy_(before)
    return graph


class _Gradient:
    """The function (params (n, P), bases (sites, n), x, y, weights) → (gradients (n, P), losses (n,)) of a model."""

    def __init__(self, model: Model, device: str) -> None:
        self.module = model.module().to(device).train()
        self.sites = [f"{name}.base" for name, part in self.module.named_modules() if isinstance(part, Dropout)]
        self.shapes = model.parameter_shapes
        self.lengths = [prod(shape) for shape in self.shapes.values()]
        self.stacked = vmap(grad_and_value(self._loss))

    def __call__(
        self, params: torch.Tensor, bases: torch.Tensor, x: torch.Tensor, y: torch.Tensor, weights: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        grads, losses = self.stacked(params, dict(zip(self.sites, bases, strict=True)), x, y, weights)
        return grads, losses

    def _loss(
        self, flat: torch.Tensor, bases: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor, w: torch.Tensor
    ) -> torch.Tensor:
        parts = zip(self.shapes.items(), flat.split(self.lengths), strict=True)
        tensors = {name: part.view(shape) for (name, shape), part in parts}
        return (cross_entropy(functional_call(self.module, (tensors, bases), (x,)), y, reduction="none") * w).sum()


@contextmanager
def computing_in(precision: Precision, device: str) -> Iterator[None]:
    """Set what products and convolutions are computed in while the block runs; sums and parameters stay float32."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    _allow_tf32("high" if precision == "tf32" else "highest", convolutions=precision == "tf32")
    kind = torch.device(device).type
    try:
        with torch.autocast(kind, torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=False):
            yield
    finally:
        _allow_tf32(before[0], convolutions=before[1])


def _allow_tf32(products: str, *, convolutions: bool) -> None:
    torch.set_float32_matmul_precision(products)
    torch.backends.cudnn.allow_tf32 = convolutions


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

"""The roofline of a training step (Williams et al. 2009): what arithmetic and memory allow, and how near one is.

On one core, by processor time, in turns: other work on the machine takes time from all of them alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from statistics import median
from time import process_time

import numpy as np
import torch

from flnft_sim.learning.engines.base import Descent
from flnft_sim.learning.engines.cpu.engine import CpuEngine
from flnft_sim.learning.models import Model
from flnft_sim.machine import one_thread

BATCH = 64
STEPS = 86  # of the user that is timed
PASSES = 5  # over the parameters in a step: read going forward; they and their momentum read and written in the update
SIDE = 1536  # of the matrices whose product is the peak
TURNS = 5


@dataclass(frozen=True)
class Roofline:
    """A step of `flops` float operations that moves `moved` bytes, on a core that gives at most so much of both."""

    flops: float
    moved: float
    flops_per_s: float
    moved_per_s: float

    @property
    def seconds(self) -> float:
        """The least time that a step can take, arithmetic and memory side by side."""
        return max(self.flops / self.flops_per_s, self.moved / self.moved_per_s)

    @property
    def bound(self) -> str:
        """What it waits for."""
        return "arithmetic" if self.flops / self.flops_per_s >= self.moved / self.moved_per_s else "memory"


def work_of_a_step(model: Model, batch: int) -> tuple[int, int]:
    """(Float operations, bytes) of a step: what lies in no cache, parameters, momentum and images."""
    return batch * model.flops_per_sample, 4 * (PASSES * model.parameter_count + batch * prod(model.input_shape))


def measured(model: Model) -> tuple[Roofline, float, float]:
    """A step's roofline, which share of it ours reaches, and which share of the matrix product's peak."""
    flops, moved = work_of_a_step(model, BATCH)
    turns = []
    with one_thread("torch"):
        train = _training(model)
        for _ in range(TURNS):
            peak, rate = _flops_per_s(), _moved_per_s(model.parameter_count)
            ours = min(_busy_s(train) for _ in range(3)) / STEPS
            roof = Roofline(flops, moved, max(peak, _flops_per_s()), rate)
            turns.append((roof, roof.seconds / ours, flops / ours / roof.flops_per_s))
    share, of_peak = median(turn[1] for turn in turns), median(turn[2] for turn in turns)
    return sorted(turns, key=lambda turn: turn[1])[TURNS // 2][0], share, of_peak


def sentence(label: str, roof: Roofline, share: float, of_peak: float) -> str:
    """What a step is, what bounds it, and how near ours comes."""
    step = f"{roof.flops / 1e6:6.1f} MFLOP, {roof.moved / 1e6:5.2f} MB, {roof.flops / roof.moved:5.0f} FLOP/B"
    limits = f"{roof.bound}: {roof.flops_per_s / 1e9:.0f} GFLOP/s, {roof.moved_per_s / 1e9:.0f} GB/s"
    return (
        f"  {label:13} {step}; roofline {1e6 * roof.seconds:5.0f} µs ({limits}); "
        f"ours at {share:4.0%} of it, {of_peak:4.0%} of the matmul peak"
    )


def _training(model: Model) -> Callable[[], object]:
    rng, samples = np.random.default_rng(0), BATCH * STEPS
    shard = rng.standard_normal((samples, *model.input_shape), np.float32), rng.integers(0, model.classes, samples)
    descent = Descent(np.ones(1, np.int64), batch_size=BATCH, lr=0.01, momentum=0.5, seed=0)
    start, one = model.initial(0)[None], CpuEngine(threads=1)
    one.train(model, start, [shard], descent, users=np.arange(1))  # compiles
    return lambda: one.train(model, start, [shard], descent, users=np.arange(1))


def _flops_per_s() -> float:
    a, b = torch.randn(2, SIDE, SIDE)
    return 2 * SIDE**3 / min(_busy_s(lambda: a @ b) for _ in range(4))


def _moved_per_s(parameters: int) -> float:
    """Bytes read and written a second in copying as much as parameters and their momentum are."""
    source, repeats = np.ones(2 * parameters, np.float32), max(1, 2**24 // parameters)
    target = np.zeros_like(source)

    def copies() -> None:
        for _ in range(repeats):
            np.copyto(target, source)

    return 2 * source.nbytes * repeats / min(_busy_s(copies) for _ in range(4))


def _busy_s(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began

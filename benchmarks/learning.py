"""Local training of many users on a CPU: `python -m benchmarks learning` (`FLNFT_DATA` for real images).

Three questions. How many samples a second do ten users train, beside a plain PyTorch client loop and beside the
machine's matrix product? What does a round of 200 users cost above their training? How much memory does it take?
Everything is timed in turns and reported as medians, because other work on the machine moves all of it together.
Other simulators' rounds are in `learning_peers`.
"""

import os
import platform
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from benchmarks import _roofline
from benchmarks._figure import Figure
from benchmarks._timing import matmul_flops, seconds
from flnft_sim.learning import build_model, load_dataset, train_users
from flnft_sim.learning.engines.cpu import engine, host
from flnft_sim.machine import cores

type Shard = tuple[np.ndarray, np.ndarray]

TURNS = 5
SIZES = np.linspace(5000, 6000, 10).astype(int)  # samples of ten users
PLAIN_USERS = 2  # the plain loop trains only these, and is compared by samples a second
SETTINGS = {"epochs": 1, "batch_size": 64, "lr": 0.01, "momentum": 0.5, "seed": 0, "engine": "cpu"}


@dataclass(frozen=True)
class Workload:
    """A model on a data set, and what it is expected to reach with AVX-512 on two cores."""

    label: str
    model: str
    dataset: str
    shape: tuple[int, int, int]
    target_per_s: float
    target_ratio: float


WORKLOADS = (
    Workload("MLP-MNIST", "mlp", "mnist", (1, 28, 28), 300e3, 4.5),
    Workload("CNN-MNIST", "cnn", "mnist", (1, 28, 28), 80e3, 6.0),
    Workload("CNN-CIFAR-10", "cnn", "cifar10", (3, 32, 32), 65e3, 6.0),
)


def main() -> None:
    """Print throughput, ratios, shares of peak, overhead and memory of this machine."""
    torch.set_num_threads(cores())
    print(f"machine: {_processor()}, {cores()} cores, {host.vector_width()} floats a vector, load {_load()}")
    print(
        f"Python {platform.python_version()}, PyTorch {torch.__version__}; medians of {TURNS} turns, batch 64, 1 epoch"
    )
    print("ten users × 5,000–6,000 samples          ours     plain loop   ratio (target)   share of matmul peak")
    for workload in WORKLOADS:
        print(_compared(workload)[1])
    print("one step of 64 on one core, by processor time: its roofline, and ours")
    for workload in WORKLOADS:
        print(_roofline.sentence(workload.label, *_roofline.measured(build_model(workload.model, workload.shape, 10))))
    _overhead()
    _memory()
    print(f"load at the end {_load()}")


def summary() -> Iterator[Figure]:
    """Training beside the plain loop and the matrix product."""
    for workload in WORKLOADS:
        figure, _ = _compared(workload)
        yield figure
    for workload in WORKLOADS:
        roof, share, _ = _roofline.measured(build_model(workload.model, workload.shape, 10))
        yield Figure(what=f"a step of {workload.label} on one core", share=share, limit=f"its roofline ({roof.bound})")


def _compared(workload: Workload) -> tuple[Figure, str]:
    """Train in turns with the plain loop and the matrix product; returns a figure and the line that says more."""
    model = build_model(workload.model, workload.shape, 10)
    shards, source = _shards(workload, SIZES)
    start, samples = model.initial(0), int(SIZES.sum())
    engine.warm_up(model, announce=print)
    module = model.module()
    few, few_samples = shards[:PLAIN_USERS], int(SIZES[:PLAIN_USERS].sum())
    turns = []
    for _ in range(TURNS):
        ours_per_s = samples / seconds(lambda: train_users(model, start, shards, **SETTINGS))
        plain_per_s = few_samples / min(_plain_seconds(module, start, few, threads) for threads in (1, cores()))
        turns.append((ours_per_s, plain_per_s, matmul_flops()))
    ours, plain, peak = (median(column) for column in zip(*turns, strict=True))
    ratio = median(ours_per_s / plain_per_s for ours_per_s, plain_per_s, _ in turns)
    share = median(ours_per_s * model.flops_per_sample / flops for ours_per_s, _, flops in turns)
    line = (
        f"  {workload.label:13} {source:16} {ours:9,.0f}/s {plain:9,.0f}/s {ratio:6.1f}× ({workload.target_ratio}×, "
        f"{workload.target_per_s / 1e3:.0f} k/s) {share:8.0%} of {peak / 1e9:.0f} GFLOP/s"
    )
    figure = Figure(
        what=f"training {workload.label}, ten users, {source}",
        ratio=ratio,
        peer="a client loop in PyTorch",
        share=share,
        limit="the matrix product's peak",
    )
    return figure, line


def _plain_seconds(module: torch.nn.Module, start: np.ndarray, shards: list[Shard], threads: int) -> float:
    """The plain loop's time with some intra-op threads; more are not always faster."""
    torch.set_num_threads(threads)
    try:
        return seconds(lambda: plain_loop(module, start, shards))
    finally:
        torch.set_num_threads(cores())


def plain_loop(module: torch.nn.Module, start: np.ndarray, shards: list[Shard]) -> list[torch.Tensor]:
    """What one writes first in PyTorch: a client after the other, batches by index, PyTorch's own optimiser."""
    trained, device = [], next(module.parameters()).device
    for x, y in shards:
        vector_to_parameters(torch.from_numpy(start.copy()).to(device), module.parameters())
        optimiser = torch.optim.SGD(module.parameters(), lr=SETTINGS["lr"], momentum=SETTINGS["momentum"])
        images, labels = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)
        for rows in torch.randperm(len(y), device=device).split(int(SETTINGS["batch_size"])):
            optimiser.zero_grad()
            cross_entropy(module(images[rows]), labels[rows]).backward()
            optimiser.step()
        trained.append(parameters_to_vector(module.parameters()).detach().clone())
    return trained


def _overhead(users: int = 200) -> None:
    """The same 200 batches as 200 users and as one user a core: the difference is what a user costs."""
    print(f"a round of {users} users with one batch of 64 each, above the training itself (target: 50 ms)")
    for workload in WORKLOADS:
        model = build_model(workload.model, workload.shape, 10)
        (x, y), start = _synthetic(workload, 64 * users), model.initial(0)
        many = [(x[i : i + 64], y[i : i + 64]) for i in range(0, len(y), 64)]
        few = [(part_x, part_y) for part_x, part_y in zip(*(np.array_split(a, cores()) for a in (x, y)), strict=True)]
        turns = [
            (
                seconds(lambda: train_users(model, start, many, **SETTINGS)),  # noqa: B023 - called at once
                seconds(lambda: train_users(model, start, few, **SETTINGS)),  # noqa: B023
            )
            for _ in range(3 * TURNS)
        ]
        above_s = median(many_s - few_s for many_s, few_s in turns)
        print(
            f"  {workload.label:13} {1e3 * median(t for t, _ in turns):7.0f} ms, of it overhead {1e3 * above_s:7.1f} ms"
        )


def _memory(users: int = 200) -> None:
    print(f"memory of a round of {users} users beyond the data, in copies of the users' parameters (target: 3)")
    for workload in WORKLOADS:
        model = build_model(workload.model, workload.shape, 10)
        x, y = _synthetic(workload, 64)
        tracemalloc.start()
        train_users(model, model.initial(0), [(x, y)] * users, **SETTINGS)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"  {workload.label:13} {peak / (users * model.parameter_count * 4):7.2f}")


def _shards(workload: Workload, sizes: np.ndarray) -> tuple[list[Shard], str]:
    """One shard a user, of real images where there are any: (shards, where they come from)."""
    if os.environ.get("FLNFT_DATA"):
        data = load_dataset(workload.dataset)
        x, y, source = data.train_x, data.train_y, "real images"
        x, y = (np.resize(array, (sizes.sum(), *array.shape[1:])) for array in (x, y))  # 55,000 of 50,000: some twice
    else:
        (x, y), source = _synthetic(workload, int(sizes.sum())), "synthetic images"
    cuts = np.cumsum(sizes)[:-1]
    return list(zip(np.split(x, cuts), np.split(y, cuts), strict=True)), source


def _synthetic(workload: Workload, samples: int) -> Shard:
    rng = np.random.default_rng(0)
    return rng.standard_normal((samples, *workload.shape), np.float32), rng.integers(0, 10, samples)


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _processor() -> str:
    with open("/proc/cpuinfo") as lines:  # noqa: PTH123 - a device file
        names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()

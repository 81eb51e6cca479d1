"""What measuring contributions costs: `python -m benchmarks contribution` (`FLNFT_DATA` for real images).

Ten users train the MLP on MNIST for a round; their coalitions are scored on a fifth of the test set. Four questions.
How many coalitions a second are scored, beside plain PyTorch that averages and evaluates one after the other? What does
the Shapley value of a round take, exact and sampled? How near do sampled values come to the exact ones? How much memory
does it take? Timed in turns and reported as medians, because other work on the machine moves all of it together.
"""

import os
import platform
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter, process_time

import numpy as np
import torch
from torch.nn.functional import cross_entropy
from torch.nn.utils import vector_to_parameters

from benchmarks._figure import Figure
from flnft_sim.game.contribution import Arrivals, Measured, measure
from flnft_sim.learning import Coalitions, DataError, Dataset, build_model, load_dataset, train_users
from flnft_sim.learning.engines.cpu import engine
from flnft_sim.machine import cores

USERS, MANY, MANY_ERROR = 10, 50, 0.1
EPOCHS = 1
VALIDATION_SHARE = 0.2
TURNS = 5
PLAIN = 48  # coalitions that the plain loop scores; it is compared by coalitions a second
GOAL = 10.0


def main() -> None:
    """Print speed, ratio, agreement and memory on this machine."""
    data, source = _data()
    model = build_model("mlp", data.input_shape, data.classes)
    engine.warm_up(model, announce=print)
    samples = len(data.validation[1])
    print(f"machine: {platform.machine()}, {cores()} cores, load {os.getloadavg()[0]:.2f}; PyTorch {torch.__version__}")
    print(f"MLP on {source}, {USERS} users, {EPOCHS} epoch, {samples:,} validation images; medians of {TURNS} turns")
    start, params, sizes = _trained(model, data, USERS)
    _Round(model, data, start, params, sizes).measured("shapley")  # compiled, and in the caches
    _speed(model, data, start, params, sizes)
    _sampled(model, data, start, params, sizes)
    _memory(model, data, start, params, sizes)
    _many(model, data)
    print(f"load at the end {os.getloadavg()[0]:.2f}")


class _Round:
    """What arrived in a round, nothing of it scored yet."""

    def __init__(self, model, data: Dataset, start: np.ndarray, params: np.ndarray, sizes: np.ndarray) -> None:
        self.coalitions = Coalitions(model, start, params, sizes, data.validation, engine="cpu")
        self.arrived = Arrivals(
            shard_sizes=sizes,
            losses=np.ones(len(sizes)),
            updates=params[:, :0],
            step=start[:0],
            worth=self.coalitions.worth,
            rng=np.random.default_rng(0),
        )

    def measured(self, name: str, **told: float) -> Measured:
        """Measure it."""
        return measure(name, self.arrived, **told)


def summary() -> Iterator[Figure]:
    """All coalitions of ten users beside averaging and evaluating one after the other."""
    data, source = _data()
    model = build_model("mlp", data.input_shape, data.classes)
    engine.warm_up(model, announce=print)
    turns = _turns(model, data, *_trained(model, data, USERS))
    ratio = median(turn.ratio for turn in turns)
    yield Figure(what=f"coalitions of ten users' MLPs, {source}", ratio=ratio, peer="one by one in PyTorch")


@dataclass(frozen=True)
class _Turn:
    """Coalitions a second by the clock and of one core, ours and the plain loop's; by how much losses differ, nats."""

    ours: float
    plain: float
    ours_core: float
    plain_core: float
    gap: float

    @property
    def ratio(self) -> float:
        """By the clock."""
        return self.ours / self.plain


def _speed(model, data, start, params, sizes) -> None:
    turns = _turns(model, data, start, params, sizes)
    ours, plainly = (median(getattr(turn, which) for turn in turns) for which in ("ours", "plain"))
    ours_core, plain_core = (median(getattr(turn, which) for turn in turns) for which in ("ours_core", "plain_core"))
    of_cpu = median(turn.ours_core / turn.plain_core for turn in turns)
    print(f"  {2**USERS:,} coalitions, first layers included: {ours:,.0f} a second; plain PyTorch: {plainly:,.0f}")
    print(f"    ratio {median(turn.ratio for turn in turns):.1f}× (goal {GOAL:.0f}×); ", end="")
    print(f"losses differ by at most {turns[-1].gap:.1e} nat")
    print(f"    a second of one core: {ours_core:,.0f} and {plain_core:,.0f}, ratio {of_cpu:.1f}×")
    print(f"  exact Shapley values of a round: {2**USERS / ours:.3f} s")


def _turns(model, data, start, params, sizes) -> list[_Turn]:
    """All coalitions of the users at once, and some of them in the plain loop with the threads that suit it best."""
    masks = (np.arange(2**USERS)[:, None] >> np.arange(USERS) & 1).astype(bool)
    some = masks[np.random.default_rng(1).choice(np.arange(1, len(masks)), PLAIN, replace=False)]
    number = some @ (1 << np.arange(USERS))
    plain = _Plain(model, data, params, sizes)
    plain.losses(some[:2])
    turns = []
    for _ in range(TURNS):
        ours_s, ours_cpu_s, worth = _seconds(lambda: _Round(model, data, start, params, sizes).coalitions.worth(masks))
        both = [_with_threads(threads, lambda: plain.losses(some)) for threads in (1, cores())]
        plain_s, plain_cpu_s, losses = min(both, key=lambda timed: timed[0])[0], both[0][1], both[0][2]
        gap = np.ptp(worth[number] + losses)  # the start's loss in both, but for rounding
        turns.append(_Turn(len(masks) / ours_s, PLAIN / plain_s, len(masks) / ours_cpu_s, PLAIN / plain_cpu_s, gap))
    return turns


class _Plain:
    """What one writes first: average the members' parameters, load them, evaluate; one coalition after the other."""

    def __init__(self, model, data: Dataset, params: np.ndarray, sizes: np.ndarray) -> None:
        self.module, self.sizes = model.module().eval(), torch.from_numpy(sizes).float()
        self.params, (x, y) = torch.from_numpy(params), data.validation
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)

    @torch.inference_mode()
    def losses(self, masks: np.ndarray) -> np.ndarray:
        """Score each coalition."""
        found = []
        for mask in torch.from_numpy(masks):
            weights = self.sizes[mask] / self.sizes[mask].sum()
            vector_to_parameters(weights @ self.params[mask], self.module.parameters())
            found.append(cross_entropy(self.module(self.x), self.y).item())
        return np.array(found)


def _sampled(model, data, start, params, sizes) -> None:
    exact = _Round(model, data, start, params, sizes).measured("shapley-exact").values
    for error in (0.05, 0.01):
        rounds = [_Round(model, data, start, params, sizes) for _ in range(TURNS)]
        timed = [_seconds(partial(held.measured, "shapley", shapley_error=error)) for held in rounds]
        found = timed[0][2]
        off = np.abs(found.values - exact) / np.abs(exact).max()
        print(
            f"  sampled to a standard error of {error:.0%}: {median(s for s, *_ in timed):.3f} s, "
            f"{rounds[0].coalitions.scored:,} models scored; rank correlation with exact "
            f"{_rank_correlation(found.values, exact):.3f}, off by {off.mean():.1%} of the largest on average, "
            f"{off.max():.1%} at most"
        )


def _memory(model, data, start, params, sizes) -> None:
    held = _Round(model, data, start, params, sizes)
    tracemalloc.start()
    held.measured("shapley-exact")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"  memory beyond the updates and the data: {peak / 2**20:.0f} MiB, {peak / params.nbytes:.1f} × the updates")


def _many(model, data) -> None:
    """More users than anybody could enumerate the coalitions of."""
    start, params, sizes = _trained(model, data, MANY)
    held = _Round(model, data, start, params, sizes)
    seconds, cpu_s, found = _seconds(partial(held.measured, "shapley", shapley_error=MANY_ERROR))
    scored, most = held.coalitions.scored, found.errors.max() / np.abs(found.values).max()
    print(
        f"  {MANY} users, sampled to a standard error of {MANY_ERROR:.0%}: {seconds:.2f} s, {scored:,} models scored, "
        f"{scored / seconds:,.0f} a second, {scored / cpu_s:,.0f} of one core; standard error {most:.1%} of the largest"
    )


def _trained(model, data: Dataset, users: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A start, what users make of it half of whose samples are of a class or two, and their sizes."""
    rng = np.random.default_rng(2)
    by_class = np.argsort(data.train_y, kind="stable")
    alike, mixed = np.array_split(by_class[::2], users), np.array_split(rng.permutation(by_class[1::2]), users)
    shards = [np.concatenate(pair) for pair in zip(alike, mixed, strict=True)]
    start = model.initial(0)
    told = {"epochs": EPOCHS, "batch_size": 64, "lr": 0.01, "momentum": 0.5, "seed": 0, "engine": "cpu"}
    params = train_users(model, start, [(data.train_x[s], data.train_y[s]) for s in shards], **told).params
    return start, params, np.array([len(shard) for shard in shards])


def _data() -> tuple[Dataset, str]:
    try:
        data, source = load_dataset("mnist"), "MNIST"
    except DataError:
        settings = {"shape": (1, 28, 28), "classes": 10, "train": 50_000, "test": 10_000}
        data, source = load_dataset("synthetic", **settings), "synthetic images"
    return data.holding_out(VALIDATION_SHARE, np.random.default_rng(0)), source


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    ranks = [np.argsort(np.argsort(values)) for values in (one, other)]
    return float(np.corrcoef(*ranks)[0, 1])


def _with_threads[T](threads: int, work: Callable[[], T]) -> tuple[float, float, T]:
    torch.set_num_threads(threads)
    return _seconds(work)


def _seconds[T](work: Callable[[], T]) -> tuple[float, float, T]:
    """Seconds by the clock, seconds of all threads together, and what came of it."""
    started, used = perf_counter(), process_time()
    done = work()
    return perf_counter() - started, process_time() - used, done


if __name__ == "__main__":
    main()

"""The doors of the CPU engine: train users, evaluate, rank. Importing this compiles and loads nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from flnft_sim.errors import InputError
from flnft_sim.learning.batches import batch_plan, dropout_key, dropout_threshold, steps_per_epoch
from flnft_sim.learning.cpu import host
from flnft_sim.learning.models import Layers, Model
from flnft_sim.machine import cores

if TYPE_CHECKING:
    from flnft_sim.learning.cpu.worker import Worker
    from flnft_sim.learning.schemes import Ranking

type Shard = tuple[np.ndarray, np.ndarray]  # images (n, C, H, W) float32 and labels (n,) int64

_LARGEST_KERNEL = 7  # beyond, not even one output's accumulators fit the registers
_EVALUATION_BATCH = 64
_EVALUATION_CHUNK = 512  # samples one thread takes at a time; fixed, so that sums do not depend on the threads

_log = logging.getLogger(__name__)


class CpuEngineError(InputError):
    """A model, shard or parameter vector that the CPU engine cannot take."""


def serves(model: Model) -> str | None:
    """None if this engine can run the model on this machine, else a sentence that says why not."""
    if not host.vector_width():
        return "the CPU engine needs a processor with AVX-512, or with AVX2 and FMA"
    if model.layers is None:
        return f"the CPU engine does not know model {model.name!r}: it has no layer table"
    for layer in model.layers.convolutions:
        if layer.kernel > _LARGEST_KERNEL or layer.pooled_side < 1:
            return (
                f"the CPU engine has no kernels for {layer.kernel}×{layer.kernel} convolutions of "
                f"{layer.side}×{layer.side} maps"
            )
    return None


def warm_up(model: Model, *, announce: Callable[[str], None] = _log.info) -> None:
    """Compile what a model needs, unless this machine has done so before; says so first, as it takes seconds.

    The other doors do this by themselves and announce it in the log. Raises `CpuEngineError`.
    """
    layers = _layers(model)
    from flnft_sim.learning.cpu import cache

    with cache.compiling(sha256(repr(layers).encode()).hexdigest()[:16]) as cold:
        if cold:
            announce(f"compiling the CPU engine for model {model.name}, once on this machine (about 10 s) …")
            from flnft_sim.learning.cpu.worker import compile_for

            compile_for(layers)


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
    users: np.ndarray | None = None,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Train every user on its own shard; each core takes one user at a time.

    params (P,) or (N, P) float32, shards N × (x (n, C, H, W) float32, y (n,) int64), epochs an int or (N,), users (N,)
    the users' own numbers (0..N−1). Returns parameters (N, P) float32, losses and gradient norms (N,) float64, as
    `learning.engine` defines them. The number of threads (default: all cores) changes nothing. Raises
    `CpuEngineError`.
    """
    warm_up(model)
    from flnft_sim.learning.cpu.worker import Descent, Dropout, Samples

    count = len(shards)
    start = _starts(model, params, count)
    passes = np.broadcast_to(np.asarray(epochs, np.int64), (count,)).tolist()
    ids = list(range(count)) if users is None else users.tolist()
    data = [_rows(model, *shard) for shard in shards]
    trained = np.empty((count, model.parameter_count), np.float32)
    losses, norms = np.empty(count), np.empty(count)
    drop = _layers(model).dropout
    descent = Descent(np.float32(lr), np.float32(momentum))

    def train_one(worker: Worker, i: int) -> None:
        x, y = data[i]
        order, bounds = batch_plan(len(y), passes[i], batch_size, seed, ids[i])
        dropout = Dropout()
        if drop:
            dropout = Dropout(dropout_key(seed, ids[i]), dropout_threshold(drop), np.float32(1 / (1 - drop)))
        last_epoch = (passes[i] - 1) * steps_per_epoch(len(y), batch_size)
        worker.load(start[i])
        loss, norm = worker.train(Samples(x, y, order, bounds), dropout, descent, last_epoch)
        worker.store(trained[i])
        losses[i], norms[i] = loss / len(y), norm / len(y)

    longest_first = sorted(range(count), key=lambda i: -passes[i] * len(data[i][1]))
    most_rows = min(batch_size, max(len(y) for _, y in data))
    _in_threads(model, most_rows, train_one, longest_first, threads)
    return trained, losses, norms


def evaluate(
    model: Model, params: np.ndarray, x: np.ndarray, y: np.ndarray, *, threads: int | None = None
) -> tuple[float, float]:
    """Accuracy and mean cross-entropy of parameters (P,) on x (n, C, H, W), y (n,); dropout is off."""
    warm_up(model)
    from flnft_sim.learning.cpu.worker import Samples

    start = _starts(model, params, 1)[0]
    images, labels = _rows(model, x, y)
    order, bounds = _in_order(len(labels))
    batches = _EVALUATION_CHUNK // _EVALUATION_BATCH
    chunks = range(-(-len(labels) // _EVALUATION_CHUNK))
    correct, losses = np.empty(len(chunks), np.int64), np.empty(len(chunks))

    def evaluate_chunk(worker: Worker, i: int) -> None:
        worker.load(start)
        own = bounds[i * batches : (i + 1) * batches + 1]
        correct[i], losses[i] = worker.evaluate(Samples(images, labels, order, own))

    _in_threads(model, _EVALUATION_BATCH, evaluate_chunk, chunks, threads)
    return float(correct.sum() / len(labels)), float(losses.sum() / len(labels))


def rank_users(
    model: Model, params: np.ndarray, shards: Sequence[Shard], by: Ranking, *, threads: int | None = None
) -> np.ndarray:
    """Each shard's mean loss (N,), or its mean gradient's L2 norm (N,), at params (P,) or (N, P); dropout is off."""
    warm_up(model)
    from flnft_sim.learning.cpu.worker import Samples

    start = _starts(model, params, len(shards))
    data = [_rows(model, *shard) for shard in shards]
    scores = np.empty(len(shards))

    def score_one(worker: Worker, i: int) -> None:
        x, y = data[i]
        samples = Samples(x, y, *_in_order(len(y)))
        worker.load(start[i])
        scores[i] = worker.evaluate(samples)[1] / len(y) if by == "loss" else worker.gradient_norm(samples)

    _in_threads(model, _EVALUATION_BATCH, score_one, range(len(shards)), threads)
    return scores


def _in_threads(
    model: Model, batch_size: int, work: Callable[[Worker, int], None], items: Iterable[int], threads: int | None
) -> None:
    """Do `work(worker, item)` for all items; each thread keeps one worker. Compiled code runs outside Python's lock."""
    import numba

    from flnft_sim.learning.cpu.worker import Worker

    items = list(items)
    waiting = iter(items)  # shared: whichever thread is free takes the next

    def run() -> None:
        worker = Worker(_layers(model), batch_size)
        for item in waiting:
            work(worker, item)

    # Numba's own setting (NUMBA_NUM_THREADS, set_num_threads) is how a sweep's worker says what its share is.
    threads = min(threads or min(cores(), numba.get_num_threads()), len(items))
    if threads <= 1:
        run()
        return
    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(run) for _ in range(threads)]
        try:
            for thread in running:
                thread.result()  # raises what the thread raised
        finally:
            items.clear()  # after an error or an interrupt nobody starts another item


def _in_order(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Batches that pass over the samples once, in order."""
    return np.arange(count), np.append(np.arange(0, count, _EVALUATION_BATCH), count)


def _layers(model: Model) -> Layers:
    reason = serves(model)
    if reason or model.layers is None:
        raise CpuEngineError(f"{reason}; choose engine 'torch'")
    return model.layers


def _starts(model: Model, params: np.ndarray, count: int) -> np.ndarray:
    """Each user's start parameters (count, P), read-only."""
    if params.dtype != np.float32 or params.shape not in (
        (model.parameter_count,),
        (count, model.parameter_count),
    ):
        raise CpuEngineError(
            f"model {model.name}: parameters {params.dtype}{params.shape} instead of "
            f"float32 ({model.parameter_count},) or one such row for each of {count} users"
        )
    return np.broadcast_to(params if params.strides[-1] == 4 else params.copy(), (count, model.parameter_count))


def _rows(model: Model, x: np.ndarray, y: np.ndarray) -> Shard:
    """Samples as rows, labels as int64; checked here because compiled code checks no bounds."""
    from flnft_sim.learning.cpu.worker import frozen

    if x.shape[1:] != model.input_shape or y.shape != x.shape[:1] or len(y) == 0:
        raise CpuEngineError(
            f"model {model.name}: images {x.shape} with labels {y.shape} instead of "
            f"(n, *{model.input_shape}) and (n,) with n ≥ 1"
        )
    if y.min() < 0 or y.max() >= model.classes:
        raise CpuEngineError(f"labels from {y.min()} to {y.max()}; the model knows 0 to {model.classes - 1}")
    images = np.ascontiguousarray(x, np.float32).reshape(len(x), -1)
    return frozen(images), frozen(np.ascontiguousarray(y, np.int64))

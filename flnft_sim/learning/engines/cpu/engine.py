"""The CPU engine: trains, evaluates and ranks whole users at a time. Importing this compiles and loads nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from flnft_sim.learning.batches import LOT_ROWS, dropout_key, dropout_threshold
from flnft_sim.learning.engines.base import (
    Descent,
    PrivateDescent,
    Scorer,
    Shard,
    StepNoise,
    Trained,
    TrainingError,
    one_by_one,
)
from flnft_sim.learning.engines.cpu import host
from flnft_sim.learning.engines.cpu.inputs import Dropout, Rates, Samples, frozen
from flnft_sim.learning.engines.cpu.threads import in_threads, usable
from flnft_sim.learning.models import Layers, Model

if TYPE_CHECKING:
    from flnft_sim.arrays import Floats, Ints
    from flnft_sim.learning.engines.cpu.worker import Worker
    from flnft_sim.learning.schemes import Ranking

_LARGEST_KERNEL = 7  # beyond, not even one output's accumulators fit the registers
_EVALUATION_BATCH = 64
_EVALUATION_CHUNK = 512  # samples one thread takes at a time; fixed, so that sums do not depend on the threads

_LARGEST_TABLE = 2**28  # floats (1 GiB) that first layers may take; beyond, averages are scored one by one

_log = logging.getLogger(__name__)


class CpuEngine:
    """Each core takes one user at a time; the number of threads (default: all cores) changes nothing.

    It compiles what a model needs when it first meets it (`warm_up`).
    """

    def __init__(self, *, threads: int | None = None) -> None:
        self.threads = threads

    def serves(self, model: Model, *, step_noise: bool = False, private: bool = False) -> str | None:
        """Return None if it can train the model on this machine, else a clause that says why not."""
        del private  # every layer that it has knows the norm of a record's gradient
        return "noise on every step (perturb: step) runs in PyTorch" if step_noise else _obstacle(model)

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
        """Train users, those with the most to do first."""
        layers = _layers(model, step_noise=step_noise is not None)
        warm_up(model)

        data = [_rows(shard) for shard in shards]
        trained = Trained.room_for(len(shards), model.parameter_count)
        rates = Rates(np.float32(descent.lr), np.float32(descent.momentum))

        def train_one(worker: Worker, i: int) -> None:
            x, y = data[i]
            course = descent.of(i, len(y), int(users[i]))
            worker.load(frozen(start[i]))
            samples, dropout = Samples(x, y, course.order, course.bounds), _dropout(layers.dropout, course.key)
            loss, norm = worker.train(samples, dropout, rates, course.measured_from)
            worker.store(trained.params[i])
            trained.losses[i], trained.gradient_norms[i] = loss / len(y), norm / len(y)

        longest_first = sorted(range(len(data)), key=lambda i: -int(descent.epochs[i]) * len(data[i][1]))
        most_rows = min(descent.batch_size, max(len(y) for _, y in data))
        _in_threads(layers, most_rows, train_one, longest_first, self.threads)
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
        """Train users by DP-SGD, those with the most to do first."""
        layers = _layers(model)
        warm_up(model, private=True)
        data = [_rows(shard) for shard in shards]
        trained = np.empty((len(shards), model.parameter_count), np.float32)

        def train_one(worker: Worker, i: int) -> None:
            x, y = data[i]
            user, momentum = int(users[i]), np.float32(descent.momentum)
            steps = (
                (
                    int(descent.first[i]) + step,
                    descent.lot(i, step, len(y), user),
                    descent.noise(i, step, model.parameter_count, user),
                )
                for step in range(int(descent.steps[i]))
            )
            worker.load(frozen(start[i]))
            rates = Rates(np.float32(descent.lr / descent.lots[i]), momentum)
            dropout = _dropout(layers.dropout, dropout_key(descent.seed, user) if layers.dropout else 0)
            worker.train_privately(x, y, steps, dropout, rates, descent.clip_l2)
            worker.store(trained[i])

        longest_first = sorted(range(len(data)), key=lambda i: -int(descent.steps[i]) * len(data[i][1]))
        _in_threads(layers, min(LOT_ROWS, max(len(y) for _, y in data)), train_one, longest_first, self.threads)
        return trained

    def evaluate(self, model: Model, params: np.ndarray, shard: Shard) -> tuple[float, float]:
        """Return accuracy and mean cross-entropy, dropout off."""
        layers = _layers(model)
        warm_up(model)
        images, labels = _rows(shard)
        order, bounds = _in_order(len(labels))
        batches = _EVALUATION_CHUNK // _EVALUATION_BATCH
        chunks = range(-(-len(labels) // _EVALUATION_CHUNK))
        correct, losses = np.empty(len(chunks), np.int64), np.empty(len(chunks))

        def evaluate_chunk(worker: Worker, i: int) -> None:
            worker.load(frozen(params))
            own = bounds[i * batches : (i + 1) * batches + 1]
            correct[i], losses[i] = worker.evaluate(Samples(images, labels, order, own))

        _in_threads(layers, _EVALUATION_BATCH, evaluate_chunk, chunks, self.threads)
        return float(correct.sum() / len(labels)), float(losses.sum() / len(labels))

    def rank(self, model: Model, params: np.ndarray, shards: Sequence[Shard], by: Ranking) -> Floats:
        """Return each shard's mean loss (N,), or its mean gradient's L2 norm (N,), dropout off."""
        layers = _layers(model)
        warm_up(model)
        data = [_rows(shard) for shard in shards]
        scores = np.empty(len(shards))

        def score_one(worker: Worker, i: int) -> None:
            x, y = data[i]
            samples = Samples(x, y, *_in_order(len(y)))
            worker.load(frozen(params))
            scores[i] = worker.evaluate(samples)[1] / len(y) if by == "loss" else worker.gradient_norm(samples)

        _in_threads(layers, _EVALUATION_BATCH, score_one, range(len(shards)), self.threads)
        return scores

    def scorer(self, model: Model, params: np.ndarray, shard: Shard) -> Scorer:
        """Return what scores averages of models (n, P); those of dense layers alone share the models' first layers."""
        layers = _layers(model)
        warm_up(model)
        from flnft_sim.learning.engines.cpu import averages

        images, labels = _rows(shard)
        if layers.convolutions or averages.floats_for(layers, len(params), len(labels)) > _LARGEST_TABLE:
            return one_by_one(self, model, params, shard)
        return averages.Averages(layers, params, images, labels, threads=self.threads)


def _obstacle(model: Model) -> str | None:
    """Say why the engine cannot run the model on this machine, or None."""
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


def warm_up(model: Model, *, private: bool = False, announce: Callable[[str], None] = _log.info) -> None:
    """Compile what a model needs, unless this machine has done so before; says so first, as it takes seconds.

    The engine does this by itself and announces it in the log. Raises `TrainingError`.
    """
    layers = _layers(model)
    from flnft_sim.learning.engines.cpu.cache import KEPT

    what = sha256(repr(layers).encode()).hexdigest()[:16] + ("-private" if private else "")
    with KEPT.compiling(what) as cold:
        if not cold:
            return
        announce(f"compiling the CPU engine for model {model.name}, once on this machine (about 10 s) …")
        if private:  # its sums come out otherwise in the process that compiled them
            KEPT.compile_apart(f"{__package__}.worker:compile_for", layers, private)
        else:
            from flnft_sim.learning.engines.cpu.worker import compile_for

            compile_for(layers, private)


def _in_threads(
    layers: Layers, batch_size: int, work: Callable[[Worker, int], None], items: Iterable[int], threads: int | None
) -> None:
    """Do `work(worker, item)` for all items; each thread keeps one worker. Compiled code runs outside Python's lock."""
    from flnft_sim.learning.engines.cpu.worker import Worker

    items = list(items)
    threads = usable(threads, len(items))
    workers = [Worker(layers, batch_size) for _ in range(threads)]
    in_threads(threads, lambda thread, item: work(workers[thread], item), items)


def _in_order(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Batches that pass over the samples once, in order."""
    return np.arange(count), np.append(np.arange(0, count, _EVALUATION_BATCH), count)


def _layers(model: Model, *, step_noise: bool = False) -> Layers:
    """Return the model's layer table, or raise the `TrainingError` of what the engine cannot serve."""
    obstacle = CpuEngine().serves(model, step_noise=step_noise)
    if obstacle or model.layers is None:
        raise TrainingError(f"{obstacle}; choose engine 'torch'")
    return model.layers


def _dropout(rate: float, key: int) -> Dropout:
    return Dropout(key, dropout_threshold(rate), np.float32(1 / (1 - rate))) if rate else Dropout()


def _rows(shard: Shard) -> Shard:
    """Images as rows, labels as they are; both read-only, one type for the compiler."""
    x, y = shard
    return frozen(x.reshape(len(x), -1)), frozen(y)

"""Scoring many averages of the same models: their first layers are computed once, and mixed.

A dense layer is linear, so the first layer of an average of models is the same average of their first layers:
x·Σλᵢwᵢ = Σλᵢ(x·wᵢ). Of a multi-layer perceptron on images that is nearly all of a forward pass. What follows the
first activation is not linear, and is computed for each average.
"""

from typing import NamedTuple

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.learning.engines.cpu import mixing
from flnft_sim.learning.engines.cpu.inputs import frozen
from flnft_sim.learning.engines.cpu.mixing import TILE
from flnft_sim.learning.engines.cpu.threads import in_threads, usable
from flnft_sim.learning.engines.cpu.vectors import WIDTH
from flnft_sim.learning.engines.cpu.worker import Worker, plan
from flnft_sim.learning.models.layers import Layers

GROUP = 16  # averages scored side by side: what they share is read once for all of them
CHUNK_TILES = 32  # tiles of samples that a thread takes at a time; fixed, so that sums do not depend on the threads
_BATCH = 4 * TILE  # samples in one product of a first layer


class Layout(NamedTuple):
    """Where things lie in the workspace of all threads, in floats from its start."""

    tails: int  # (n, tail): each model's layers after the first
    tail: int  # floats of one
    zeros: int  # as a bias
    scratch: int  # (threads, each): the threads' own
    each: int
    outputs: int  # of a tile in the widest layer after the first


class Averages:
    """n models without convolutions, parameters (n, P), on one set of samples: rows x (v, d), labels y (v,)."""

    def __init__(
        self, layers: Layers, params: np.ndarray, x: np.ndarray, y: np.ndarray, *, threads: int | None
    ) -> None:
        self._net, self._layers, self._labels, self._count = plan(layers, _BATCH).net, layers, y, len(params)
        self._tiles, self._threads = -(-len(y) // TILE), usable(threads, 2**30)
        self._layout = self._laid_out()
        self._memory = np.zeros(self._layout.scratch + self._threads * self._layout.each, np.float32)
        workers = [Worker(layers, _BATCH) for _ in range(self._threads)]

        def fill(thread: int, model: int) -> None:
            worker = workers[thread]
            worker.load(frozen(params[model]))
            worker.lay_out(x, self._memory, model, self._count, self._layout.tails + model * self._layout.tail)

        in_threads(min(self._threads, self._count), fill, range(self._count))

    def __call__(self, mixes: np.ndarray) -> Floats:
        """Return the mean cross-entropy (m,) of each average `mixes @ params`; every row of mixes adds up to 1."""
        groups, chunks = -(-len(mixes) // GROUP), -(-self._tiles // CHUNK_TILES)
        padded = np.zeros((groups * GROUP, self._count), np.float32)
        padded[: len(mixes)] = mixes
        losses = np.zeros((chunks, len(padded)))

        def score(thread: int, item: int) -> None:
            group, chunk = divmod(item, chunks)
            own, tiles = slice(group * GROUP, (group + 1) * GROUP), (chunk * CHUNK_TILES, (chunk + 1) * CHUNK_TILES)
            scratch = self._layout.scratch + thread * self._layout.each
            mixing.score(
                self._net,
                self._labels,
                self._memory,
                padded[own],
                self._layout,
                scratch,
                tiles[0],
                min(tiles[1], self._tiles),
                losses[chunk, own],
            )

        in_threads(min(self._threads, groups * chunks), score, range(groups * chunks))
        return np.asarray(losses.sum(axis=0)[: len(mixes)] / len(self._labels))

    def _laid_out(self) -> Layout:
        dense = self._net.dense
        first, later = TILE * int(dense[0]["outputs"]), dense[1:]
        tail = int(sum((row["inputs"] + 1) * row["outputs"] for row in later))
        widest = TILE * int(later["outputs"].max(initial=0))
        tails = self._tiles * self._count * first
        zeros = tails + self._count * tail
        scratch = zeros + max(first, tail)
        each = GROUP * (first + tail) + 2 * widest + _padded(GROUP * self._count)
        return Layout(tails, tail, zeros, scratch, each, widest)


def floats_for(layers: Layers, count: int, samples: int) -> int:
    """About how many floats the first layers of so many models on so many samples take."""
    return count * samples * _padded(layers.dense[0].outputs)


def _padded(count: int) -> int:
    return -(-count // WIDTH) * WIDTH

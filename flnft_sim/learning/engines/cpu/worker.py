"""One thread's workspace, and the compiled steps that run on it."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from flnft_sim.arrays import length
from flnft_sim.learning.batches import STEP_STRIDE
from flnft_sim.learning.engines.cpu import steps
from flnft_sim.learning.engines.cpu.inputs import Dropout, Rates, Samples, frozen
from flnft_sim.learning.engines.cpu.plan import Plan
from flnft_sim.learning.models.layers import Layers


@lru_cache(maxsize=16)
def plan(layers: Layers, batch_size: int) -> Plan:
    """The plan of a layer table, made once."""
    return Plan(layers, batch_size)


class Worker:
    """Runs one user after another on a workspace of its own. Not for two threads at once."""

    def __init__(self, layers: Layers, batch_size: int) -> None:
        self._plan = plan(layers, batch_size)
        self._net = self._plan.net
        self._workspace, self._batch = self._plan.workspace(), batch_size

    def load(self, flat: np.ndarray) -> None:
        """Start from parameters (P,) float32 with zero momentum."""
        steps.pack(self._net, flat, self._workspace, 0)

    def store(self, flat: np.ndarray) -> None:
        """Write the current parameters to `flat` (P,) float32."""
        steps.unpack(self._net, self._workspace, flat)

    def train(self, samples: Samples, dropout: Dropout, rates: Rates, measured_from: int) -> tuple[float, float]:
        """Take all steps; returns (sum of losses, sum of rows · gradient norm) over steps from `measured_from` on."""
        return steps.train(self._net, *samples, self._workspace, *dropout, *rates, measured_from)

    def train_privately(
        self,
        x: np.ndarray,
        y: np.ndarray,
        private: Iterable[tuple[int, np.ndarray, np.ndarray]],
        dropout: Dropout,
        rates: Rates,
        clip: float,
    ) -> None:
        """Take steps of DP-SGD: `private` yields each one's number, lot and noise; the rate is per record of a lot."""
        from flnft_sim.learning.engines.cpu.private import private_step  # not compiled for who does not need it

        for step, lot, noise in private:
            masks = (dropout.key + step * STEP_STRIDE, dropout.threshold, dropout.scale)
            private_step(
                self._net,
                x,
                y,
                lot,
                frozen(noise),
                self._workspace,
                *masks,
                np.float32(clip),
                rates.rate,
                rates.momentum,
            )

    def evaluate(self, samples: Samples) -> tuple[int, float]:
        """Correct predictions and summed cross-entropy at the current parameters, without dropout."""
        return steps.evaluate(self._net, *samples, self._workspace, *Dropout())

    def lay_out(self, x: np.ndarray, shared: np.ndarray, model: int, models: int, tail_at: int) -> None:
        """Write the first layer's sums on samples x (v, d), and the layers after it, where `mixing` wants them."""
        from flnft_sim.learning.engines.cpu import mixing  # not compiled for who does not need it

        mixing.lay_out(self._net, x, self._workspace, self._batch, shared, model, models, tail_at)

    def gradient_norm(self, samples: Samples) -> float:
        """L2 norm of the gradient of the mean loss over all samples, without dropout.

        A pass with rate 0 and momentum 1 leaves the sum of the batches' gradients in the momentum.
        """
        still = Rates(np.float32(0), np.float32(1), len(samples.y))
        self.train(samples, Dropout(), still, 0)
        start = self._net.momentum
        return length(self._workspace[start : 2 * start].astype(np.float64))


def compile_for(layers: Layers, private: bool) -> None:
    """Compile all that the layer table needs, or that private training needs, by running it on a blank sample."""
    worker = Worker(layers, 1)
    pixels = layers.convolutions[0].inputs * layers.convolutions[0].side ** 2 if layers.convolutions else 0
    blank = np.zeros((1, pixels or layers.dense[0].inputs), np.float32)
    label, order, bounds = np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([0, 1])
    samples = Samples(frozen(blank), frozen(label), order, bounds)
    flat = np.zeros(sum(int(np.prod(shape)) for shape in layers.parameter_shapes.values()), np.float32)
    worker.load(frozen(flat))
    if private:
        rates = Rates(np.float32(0), np.float32(0))
        worker.train_privately(samples.x, samples.y, [(0, order, flat)], Dropout(), rates, 1.0)
        return
    worker.gradient_norm(samples)
    worker.evaluate(samples)
    worker.store(flat.copy())

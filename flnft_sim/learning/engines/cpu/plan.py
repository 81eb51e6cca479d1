"""Where everything lies in one thread's flat workspace, and which kernels serve each layer.

The parameters come first, then their momentum, then whatever one batch needs. Dense weights are stored transposed
(input, output) with both sides padded to a multiple of `WIDTH`; convolution weights as PyTorch stores them.
"""

from math import prod
from typing import NamedTuple

import numpy as np

from flnft_sim.learning.engines.cpu import activation, convolution, dense
from flnft_sim.learning.engines.cpu.vectors import WIDTH
from flnft_sim.learning.models.layers import Convolution, Dense, Layers

REGISTERS = 32 if WIDTH == 16 else 16
_L1_SHARE = 24 * 1024  # bytes of the first-level cache that a block of gradients may fill


def _table(*fields: str) -> np.dtype:
    return np.dtype([(field, np.int64) for field in fields])


# Sizes, kernel addresses and offsets of each layer. `dy` and the like hold gradients; `winner` says which pixel of
# each pooling window was largest; `sums` are one vector over samples for every weight's gradient, then every bias', and
# `totals` such sums of clipped gradients. Dense layers have
# `features` inputs and `units` outputs, padded to `inputs` and `outputs`.
CONVOLUTION = _table(
    *("inputs", "outputs", "side", "pooled", "weights", "span", "forward", "weight_gradient", "input_gradient"),
    *("pairs", "w", "b", "x", "y", "winner", "dy", "dz", "sums", "bias_sums", "totals", "gradient"),
)
DENSE = _table("features", "units", "inputs", "outputs", "w", "b", "x", "y", "dy")


class Net(NamedTuple):
    """What the compiled steps read: layer tables, kernel addresses, and offsets (floats) into the workspace."""

    convolutions: np.ndarray
    dense: np.ndarray
    products: np.ndarray  # addresses of the kernels for strips of 1, 2 and 3 vectors
    descents: np.ndarray
    classes: int
    tanh: int  # addresses of the kernels for hidden units that are no ReLU, else 0
    slope: int
    momentum: int  # of parameter p lies at p + momentum
    noise: int  # on the gradient of parameter p: at p + noise
    rows: int  # one tile's samples before they are turned
    dx: int  # gradient of the first dense layer's input
    transposed: int  # one dense layer's weights
    gradient: int  # one dense layer's bias
    zeros: int
    norm: int  # sums of squared gradients, one a lane
    norms: int  # of each sample's gradient, squared; then by what it is scaled


class _Space:
    """Hands out stretches of the workspace, each a multiple of `WIDTH` floats long."""

    def __init__(self) -> None:
        self.used = 0

    def take(self, count: int) -> int:
        start, self.used = self.used, self.used + _padded(count)
        return start


class Plan:
    """The layout for one layer table and batch size. Making it compiles the kernels that it needs."""

    def __init__(self, layers: Layers, batch_size: int) -> None:
        self.layers, self.batch = layers, _padded(batch_size)
        space = _Space()
        convolutions = np.zeros(len(layers.convolutions), CONVOLUTION)
        denses = np.zeros(len(layers.dense), DENSE)
        for layer, row in zip(layers.convolutions, convolutions, strict=True):
            row["w"], row["b"] = space.take(prod(layer.weight_shape)), space.take(layer.outputs)
        for unit, row in zip(layers.dense, denses, strict=True):
            row["w"], row["b"] = space.take(_padded(unit.inputs) * _padded(unit.outputs)), space.take(unit.outputs)
        self.parameters = space.used
        momentum, noise = space.take(self.parameters), space.take(self.parameters)
        x = space.take(self.batch * prod(_input_shape(layers)))
        for layer, row in zip(layers.convolutions, convolutions, strict=True):
            x = self._place_convolution(layer, row, x, space)
        if layers.convolutions:
            x = space.take(self.batch * _padded(layers.dense[0].inputs))
        for unit, row in zip(layers.dense, denses, strict=True):
            x = self._place_dense(unit, row, x, space)
        widest = max(_padded(max(unit.inputs, unit.outputs)) for unit in layers.dense)
        self.net = Net(
            convolutions=convolutions,
            dense=denses,
            products=np.array([dense.product(*block).address for block in _dense_blocks()]),
            descents=np.array([dense.descent(*block).address for block in _dense_blocks()]),
            classes=layers.dense[-1].outputs,
            tanh=activation.tanh().address if layers.activation == "tanh" else 0,
            slope=activation.tanh_slope().address if layers.activation == "tanh" else 0,
            momentum=momentum,
            noise=noise,
            rows=space.take(WIDTH * prod(_input_shape(layers))),
            dx=space.take(self.batch * _padded(layers.dense[0].inputs)),
            transposed=space.take(max(_padded(unit.inputs) * _padded(unit.outputs) for unit in layers.dense)),
            gradient=space.take(widest),
            zeros=space.take(widest),
            norm=space.take(WIDTH),
            norms=space.take(self.batch),
        )
        self.floats = space.used

    def _place_convolution(self, layer: Convolution, row: np.void, x: int, space: _Space) -> int:
        """Fill in one row of the table; returns where the layer's output lies."""
        maps = layer.outputs * layer.pooled_side**2
        weights = prod(layer.weight_shape)
        row["inputs"], row["outputs"], row["side"] = layer.inputs, layer.outputs, layer.side
        row["pooled"], row["weights"] = layer.pooled_side, weights
        row["span"] = row["b"] - row["w"] + _padded(layer.outputs)
        row["x"], row["y"], row["winner"] = x, space.take(self.batch * maps), space.take(self.batch * maps)
        row["dy"], row["dz"] = space.take(WIDTH * maps), space.take(WIDTH * 4 * maps)
        row["sums"], row["bias_sums"] = space.take(WIDTH * weights), space.take(WIDTH * layer.outputs)
        row["totals"] = space.take(WIDTH * (weights + layer.outputs))
        row["gradient"] = space.take(row["span"])
        blocks = _convolution_blocks(layer)
        row["pairs"] = blocks.pairs
        row["forward"] = convolution.forward(layer.kernel, blocks.forward, self.layers.activation == "relu").address
        row["weight_gradient"] = convolution.weight_gradient(layer.kernel, blocks.weight).address
        if layer is not self.layers.convolutions[0]:
            row["input_gradient"] = convolution.input_gradient(layer.kernel, *blocks.input).address
        return int(row["y"])

    def _place_dense(self, unit: Dense, row: np.void, x: int, space: _Space) -> int:
        """Fill in one row of the table; returns where the layer's output lies."""
        row["features"], row["inputs"] = unit.inputs, _padded(unit.inputs)
        row["units"], row["outputs"] = unit.outputs, _padded(unit.outputs)
        row["x"], row["y"], row["dy"] = x, *(space.take(self.batch * _padded(unit.outputs)) for _ in range(2))
        return int(row["y"])

    def workspace(self) -> np.ndarray:
        """A zeroed workspace whose vectors start on vector boundaries."""
        raw = np.zeros(self.floats + WIDTH, np.float32)
        skip = -(raw.ctypes.data // 4) % WIDTH
        return raw[skip : skip + self.floats]


class _Blocks(NamedTuple):
    """How many outputs, inputs and pixels a convolution's kernels take at a time."""

    forward: int
    weight: int
    input: tuple[int, int]
    pairs: int


def _convolution_blocks(layer: Convolution) -> _Blocks:
    """The largest blocks whose accumulators and factors fit the registers."""
    size, width = layer.kernel, 2 * layer.pooled_side
    forward = max(c for c in _divisors(layer.outputs) if 4 * c + 5 <= REGISTERS or c == 1)
    weight = max(c for c in _divisors(layer.outputs) if c * size + size + 1 <= REGISTERS or c == 1)
    fitting = [
        (c, q)
        for c in _divisors(layer.inputs)
        for q in _divisors(width)
        if c * (q + size - 1) + q + 1 <= REGISTERS or c == q == 1
    ]
    reuse = max(fitting, key=lambda block: block[0] * block[1] / (block[1] + block[0] * size))
    pairs = max(1, min(layer.pooled_side, _L1_SHARE // (weight * 2 * width * WIDTH * 4)))
    return _Blocks(forward, weight, reuse, pairs)


def _dense_blocks() -> tuple[tuple[int, int], ...]:
    """(rows, vectors) of the strips of one, two and three vectors."""
    return ((8, 1), (8, 2), (8, 3)) if REGISTERS == 32 else ((8, 1), (4, 2), (4, 3))


def _input_shape(layers: Layers) -> tuple[int, ...]:
    if layers.convolutions:
        first = layers.convolutions[0]
        return (first.inputs, first.side, first.side)
    return (_padded(layers.dense[0].inputs),)


def _padded(count: int) -> int:
    """The next multiple of `WIDTH`."""
    return -(-count // WIDTH) * WIDTH


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, number + 1) if number % d == 0]

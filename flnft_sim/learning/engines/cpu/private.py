# mypy: disallow-untyped-defs=False
"""One step of DP-SGD: every record's gradient clipped on its own, in the one backward pass of an ordinary step.

By how much a record is scaled depends on that record alone. So the gradients of all layers' outputs are found first;
from them the norm of each record's gradient, for a dense layer (‖a‖² + 1)·‖δ‖² without making it, for convolutions of
the gradients themselves, which lie a lane a record before they are summed; and only then, with each record's δ scaled,
the products that give the weights' gradients. `steps` has the parts.
"""

import numpy as np

from flnft_sim.learning.batches import CHUNK_STRIDE, LOT_ROWS, STEP_STRIDE
from flnft_sim.learning.engines.cpu.kernels import glue
from flnft_sim.learning.engines.cpu.steps import (
    clear,
    correlate,
    descend_convolution,
    descend_dense,
    errors_dense,
    forward,
    pack,
    softmax_gradient,
)
from flnft_sim.learning.engines.cpu.vectors import (
    WIDTH,
    add,
    fma,
    load,
    multiply,
    pointer,
    splat,
    store,
    sum_lanes,
)


@glue
def private_step(net, x, y, rows, noise, workspace, counter, threshold, keep_scale, clip, rate, momentum):
    """Step from the parameters in the workspace on the lot `rows`, which may be empty.

    `noise` (P,) is added to the sum of the clipped gradients; `rate` is the learning rate over the lot's divisor.
    """
    memory = pointer(workspace)
    for first in range(0, len(rows), LOT_ROWS):
        chunk = rows[first : first + LOT_ROWS]
        masks = counter + first // LOT_ROWS * CHUNK_STRIDE * STEP_STRIDE
        add_clipped(net, memory, x, y, chunk, masks, threshold, keep_scale, clip)
    pack(net, noise, workspace, net.noise)
    decay, step = splat(momentum), splat(-rate)
    for p in range(0, net.momentum, WIDTH):
        m = add(load(memory, p + net.momentum), load(memory, p + net.noise))
        store(memory, p, fma(step, m, load(memory, p)))
        store(memory, p + net.momentum, multiply(decay, m))


@glue
def add_clipped(net, memory, x, y, rows, counter, threshold, keep_scale, clip):
    """Add the sum of the records' clipped gradients to the momentum."""
    still, whole = np.float32(0), np.float32(1)  # of a descent that moves nothing and sums up
    padded = (len(rows) + WIDTH - 1) // WIDTH * WIDTH
    forward(net, memory, x, rows, padded, counter, threshold, keep_scale)
    softmax_gradient(net, memory, y, rows, padded, 1)
    errors_dense(net, memory, padded, keep_scale)
    dense_norms(net, memory, padded)
    for c in net.convolutions:
        clear(memory, c.totals, c.weights + c.outputs)
    for tile in range(padded // WIDTH):
        clip_tile(net, memory, tile, clip)
    for c in net.convolutions:
        descend_convolution(net, memory, c, c.totals, still, whole)
    for d in net.dense:
        for r in range(padded):
            factor = splat(memory[net.norms + r])
            for j in range(d.dy + r * d.outputs, d.dy + (r + 1) * d.outputs, WIDTH):
                store(memory, j, multiply(load(memory, j), factor))
    descend_dense(net, memory, padded, still, whole)


@glue
def dense_norms(net, memory, padded):
    """Squared norms of each record's gradient of all dense weights and biases, at `net.norms`."""
    for r in range(padded):
        total = np.float32(0)
        for d in net.dense:
            inputs = square_of(memory, d.x + r * d.inputs, d.inputs)
            total += (inputs + np.float32(1)) * square_of(memory, d.dy + r * d.outputs, d.outputs)
        memory[net.norms + r] = total


@glue
def square_of(memory, start, count):
    """Sum of the squares of `count` floats, a multiple of `WIDTH`."""
    squares = splat(np.float32(0))
    for i in range(start, start + count, WIDTH):
        v = load(memory, i)
        squares = fma(v, v, squares)
    return sum_lanes(squares)


@glue
def clip_tile(net, memory, tile, clip):
    """Turn a tile's squared norms into factors; add its convolutions' gradients, scaled by them, to the totals."""
    at = net.norms + tile * WIDTH
    if len(net.convolutions) > 0:
        for c in net.convolutions:
            clear(memory, c.sums, c.weights + c.outputs)
        correlate(net, memory, tile)
        squares = load(memory, at)
        for c in net.convolutions:
            for i in range(c.sums, c.sums + (c.weights + c.outputs) * WIDTH, WIDTH):
                g = load(memory, i)
                squares = fma(g, g, squares)
        store(memory, at, squares)
    for r in range(at, at + WIDTH):
        norm = np.sqrt(memory[r])
        memory[r] = np.float32(1) if norm <= clip else clip / norm
    factors = load(memory, at)
    for c in net.convolutions:
        for i in range(0, (c.weights + c.outputs) * WIDTH, WIDTH):
            store(memory, c.totals + i, fma(factors, load(memory, c.sums + i), load(memory, c.totals + i)))

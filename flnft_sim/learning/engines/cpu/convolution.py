# mypy: disallow-untyped-defs=False
"""Kernels of one convolution + 2×2 max-pool + activation, on a tile of `WIDTH` samples.

A tile holds (channel, row, column, sample): every pixel is one vector over the samples. Weights are scalars, in
PyTorch's order (output, input, kernel row, kernel column). Each factory makes a kernel for one kernel size and one
block of accumulators, which must fit the processor's registers; `plan` chooses the blocks.
"""

from functools import cache
from typing import Any

import numpy as np

from flnft_sim.learning.engines.cpu.kernels import glue, kernel
from flnft_sim.learning.engines.cpu.vectors import (
    WIDTH,
    add,
    broadcast,
    fma,
    load,
    maximum,
    registers,
    splat,
    store,
    where_equal,
    where_greater,
)

DEAD = np.float32(4)  # winner of a window whose output ReLU cuts off; 0..3 are the window's pixels in reading order


@cache
def forward(size: int, channels: int, rectify: bool) -> Any:
    """y = max-pool(x ∗ w + b) and the winner of each window, `channels` outputs at a time.

    With `rectify` y is cut off at 0, and a winner that is cut off is `DEAD`; any other activation comes after.
    """
    accumulators = 4 * channels

    @kernel(8)
    def convolve(memory, x, y, winner, w, b, inputs, outputs, side):
        pooled = (side - size + 1) // 2
        zero = splat(np.float32(0))
        for row in range(pooled):
            for first in range(0, outputs, channels):
                for column in range(pooled):
                    a = registers(accumulators)
                    for r in range(accumulators):
                        a[r] = zero
                    for i in range(inputs):
                        for u in range(size):
                            top = x + WIDTH * ((i * side + 2 * row + u) * side + 2 * column)
                            weight = w + ((first * inputs + i) * size + u) * size
                            for v in range(size):
                                x0 = load(memory, top + WIDTH * v)
                                x1 = load(memory, top + WIDTH * (v + 1))
                                x2 = load(memory, top + WIDTH * (side + v))
                                x3 = load(memory, top + WIDTH * (side + v + 1))
                                for j in range(channels):
                                    s = broadcast(memory, weight + j * inputs * size * size + v)
                                    a[4 * j] = fma(s, x0, a[4 * j])
                                    a[4 * j + 1] = fma(s, x1, a[4 * j + 1])
                                    a[4 * j + 2] = fma(s, x2, a[4 * j + 2])
                                    a[4 * j + 3] = fma(s, x3, a[4 * j + 3])
                    for j in range(channels):
                        best = maximum(maximum(a[4 * j], a[4 * j + 1]), maximum(a[4 * j + 2], a[4 * j + 3]))
                        who = splat(np.float32(3))
                        who = where_equal(a[4 * j + 2], best, splat(np.float32(2)), who)
                        who = where_equal(a[4 * j + 1], best, splat(np.float32(1)), who)
                        who = where_equal(a[4 * j], best, zero, who)
                        z = add(best, broadcast(memory, b + first + j))
                        q = WIDTH * (((first + j) * pooled + row) * pooled + column)
                        if rectify:
                            store(memory, y + q, maximum(z, zero))
                            store(memory, winner + q, where_greater(z, zero, who, splat(DEAD)))
                        else:
                            store(memory, y + q, z)
                            store(memory, winner + q, who)

    return convolve


@glue
def _unpool(memory, dy, winner, dz, bias_sum, pairs, pooled):
    """dz of `pairs` pairs of rows of one channel from their windows' dy; sums the bias' gradient."""
    zero = splat(np.float32(0))
    total = load(memory, bias_sum)
    width = 2 * pooled * WIDTH
    for pair in range(pairs):
        for column in range(pooled):
            q = WIDTH * (pair * pooled + column)
            g = load(memory, dy + q)
            who = load(memory, winner + q)
            at = dz + 2 * (pair * width + WIDTH * column)
            store(memory, at, where_equal(who, zero, g, zero))
            store(memory, at + WIDTH, where_equal(who, splat(np.float32(1)), g, zero))
            store(memory, at + width, where_equal(who, splat(np.float32(2)), g, zero))
            store(memory, at + width + WIDTH, where_equal(who, splat(np.float32(3)), g, zero))
            total = add(total, where_equal(who, splat(DEAD), zero, g))
    store(memory, bias_sum, total)


@cache
def weight_gradient(size: int, channels: int) -> Any:  # noqa: C901 - one loop nest
    """dz from dy and the winners, and the sums over pixels of dz·x and dz (one vector over samples each).

    A block of `channels` outputs and `pairs` pairs of rows at a time, so that its dz stays in the first-level cache.
    With `keep` the whole dz is left in memory for `input_gradient`; otherwise all blocks share one place.
    dz leaves out the odd last row and column, which no window covers.
    """
    accumulators = channels * size

    @kernel(11)
    def correlate(memory, x, dy, winner, dz, sums, bias_sums, inputs, outputs, side, pairs, keep):  # noqa: C901 - one loop nest
        pooled = (side - size + 1) // 2
        width = 2 * pooled
        for first in range(0, outputs, channels):
            for pair in range(0, pooled, pairs):
                height = 2 * min(pairs, pooled - pair)
                block, channel = dz, 2 * pairs * width * WIDTH
                if keep:
                    channel = width * width * WIDTH
                    block = dz + first * channel + 2 * pair * width * WIDTH
                for j in range(channels):
                    q = WIDTH * ((first + j) * pooled + pair) * pooled
                    _unpool(
                        memory,
                        dy + q,
                        winner + q,
                        block + j * channel,
                        bias_sums + (first + j) * WIDTH,
                        height // 2,
                        pooled,
                    )
                for i in range(inputs):
                    for u in range(size):
                        total = sums + WIDTH * ((first * inputs + i) * size + u) * size
                        a = registers(accumulators)
                        for j in range(channels):
                            for v in range(size):
                                a[j * size + v] = load(memory, total + WIDTH * (j * inputs * size * size + v))
                        for row in range(height):
                            left = x + WIDTH * (i * side + 2 * pair + row + u) * side
                            d_left = block + WIDTH * row * width
                            for column in range(width):
                                for j in range(channels):
                                    d = load(memory, d_left + j * channel + WIDTH * column)
                                    for v in range(size):
                                        a[j * size + v] = fma(
                                            d, load(memory, left + WIDTH * (column + v)), a[j * size + v]
                                        )
                        for j in range(channels):
                            for v in range(size):
                                store(memory, total + WIDTH * (j * inputs * size * size + v), a[j * size + v])

    return correlate


@cache
def input_gradient(size: int, channels: int, columns: int) -> Any:  # noqa: C901 - one loop nest
    """dx from dz: `columns` pixels of a row of dz are spread over `columns + size − 1` pixels of `channels` inputs."""
    span = columns + size - 1
    accumulators = channels * span

    @kernel(6)
    def spread(memory, dz, w, dx, inputs, outputs, side):  # noqa: C901 - one loop nest
        width = 2 * ((side - size + 1) // 2)
        for i in range(inputs * side * side):
            store(memory, dx + WIDTH * i, splat(np.float32(0)))
        for row in range(width + size - 1):
            for first in range(0, inputs, channels):
                for left in range(0, width, columns):
                    target = dx + WIDTH * ((first * side + row) * side + left)
                    a = registers(accumulators)
                    for j in range(channels):
                        for q in range(span):
                            a[j * span + q] = load(memory, target + WIDTH * (j * side * side + q))
                    for o in range(outputs):
                        for u in range(max(row - width + 1, 0), min(row, size - 1) + 1):
                            source = dz + WIDTH * ((o * width + row - u) * width + left)
                            weight = w + ((o * inputs + first) * size + u) * size
                            for v in range(size):
                                for j in range(channels):
                                    s = broadcast(memory, weight + j * size * size + v)
                                    for q in range(columns):
                                        a[j * span + q + v] = fma(
                                            s, load(memory, source + WIDTH * q), a[j * span + q + v]
                                        )
                    for j in range(channels):
                        for q in range(span):
                            store(memory, target + WIDTH * (j * side * side + q), a[j * span + q])

    return spread

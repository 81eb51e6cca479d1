# mypy: disallow-untyped-defs=False
"""Kernels of a dense layer: one register-tiled matrix product with two endings.

Rows are samples; matrices are row-major with columns padded to a multiple of `WIDTH`. A kernel makes a strip of
`vectors`·WIDTH columns of the product, `rows` rows at a time; `plan` chooses the blocks, `steps` walks the strips.
The left factor, or its transpose, is read one float at a time, neighbours at constant distances: with a stride in place
of each constant LLVM keeps a pointer a factor, and spills them within the innermost loop.
"""

from functools import cache
from typing import Any

import numpy as np

from flnft_sim.learning.engines.cpu.kernels import kernel
from flnft_sim.learning.engines.cpu.vectors import WIDTH, broadcast, fma, load, prefetch, registers, splat, store


@cache
def product(rows: int, vectors: int) -> Any:
    """c = a·b + bias for `height` rows (a multiple of `rows`) and `depth` terms a sum."""
    accumulators = rows * vectors

    @kernel(9)
    def multiply_add(memory, height, depth, a, a_row, b, b_row, c, c_row, bias):
        for i in range(0, height, rows):
            sums = registers(accumulators)
            for j in range(rows):
                for q in range(vectors):
                    sums[j * vectors + q] = load(memory, bias + WIDTH * q)
            for term in range(depth):
                for j in range(rows):
                    s = broadcast(memory, a + (i + j) * a_row + term)
                    for q in range(vectors):
                        sums[j * vectors + q] = fma(
                            s, load(memory, b + term * b_row + WIDTH * q), sums[j * vectors + q]
                        )
            for j in range(rows):
                for q in range(vectors):
                    store(memory, c + (i + j) * c_row + WIDTH * q, sums[j * vectors + q])

    return multiply_add


@cache
def descent(rows: int, vectors: int) -> Any:
    """One SGD step of the weights p with gradient g = aᵀ·b: m ← momentum·m + g, p ← p − rate·m; adds g² to `norm`.

    m lies `to_momentum` floats behind p. Each weight is read and written once; its gradient is never stored.
    """
    accumulators = rows * vectors

    @kernel(10, 2)
    def descend(memory, height, depth, a, a_row, b, b_row, p, p_row, to_momentum, norm, rate, momentum):
        squares = load(memory, norm)
        for i in range(0, height, rows):
            g = registers(accumulators)
            for j in range(rows):
                for q in range(vectors):
                    g[j * vectors + q] = splat(np.float32(0))
                    prefetch(memory, p + (i + j) * p_row + WIDTH * q)
                    prefetch(memory, p + to_momentum + (i + j) * p_row + WIDTH * q)
            for term in range(depth):
                for j in range(rows):
                    s = broadcast(memory, a + term * a_row + i + j)
                    for q in range(vectors):
                        g[j * vectors + q] = fma(s, load(memory, b + term * b_row + WIDTH * q), g[j * vectors + q])
            for j in range(rows):
                for q in range(vectors):
                    at = p + (i + j) * p_row + WIDTH * q
                    squares = fma(g[j * vectors + q], g[j * vectors + q], squares)
                    m = fma(splat(momentum), load(memory, at + to_momentum), g[j * vectors + q])
                    store(memory, at + to_momentum, m)
                    store(memory, at, fma(splat(-rate), m, load(memory, at)))
        store(memory, norm, squares)

    return descend

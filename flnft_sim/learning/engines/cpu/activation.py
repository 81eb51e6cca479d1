# mypy: disallow-untyped-defs=False
"""Kernels of hidden units that are no ReLU: tanh and its slope. ReLU is part of the steps themselves."""

from functools import cache
from typing import Any

import numpy as np

from flnft_sim.learning.engines.cpu.kernels import kernel
from flnft_sim.learning.engines.cpu.vectors import (
    WIDTH,
    divide,
    fma,
    load,
    maximum,
    multiply,
    splat,
    store,
    where_equal,
    where_greater,
)

# tanh(x) ≈ x·P(x²)/Q(x²) on |x| ≤ 7.9, to a few units in the last place: the coefficients of Eigen's `ptanh`.
_TANH_LIMIT = np.float32(7.90531110763549805)
_TANH_P = (
    np.float32(-2.76076847742355e-16),
    np.float32(2.00018790482477e-13),
    np.float32(-8.60467152213735e-11),
    np.float32(5.12229709037114e-08),
    np.float32(1.48572235717979e-05),
    np.float32(6.37261928875436e-04),
    np.float32(4.89352455891786e-03),
)
_TANH_Q = (
    np.float32(1.19825839466702e-06),
    np.float32(1.18534705686654e-04),
    np.float32(2.26843463243900e-03),
    np.float32(4.89352518554385e-03),
)


@cache
def tanh() -> Any:
    """y ← tanh(y) for `count` floats; a NaN stays one."""

    @kernel(2)
    def activate(memory, y, count):
        for i in range(y, y + count, WIDTH):
            x = maximum(load(memory, i), splat(-_TANH_LIMIT))
            x = where_greater(x, splat(_TANH_LIMIT), splat(_TANH_LIMIT), x)
            square = multiply(x, x)
            above = splat(_TANH_P[0])
            for k in range(1, 7):
                above = fma(above, square, splat(_TANH_P[k]))
            below = splat(_TANH_Q[0])
            for k in range(1, 4):
                below = fma(below, square, splat(_TANH_Q[k]))
            store(memory, i, divide(multiply(x, above), below))

    return activate


@cache
def tanh_slope() -> Any:
    """dy ← dy·scale·(1 − tanh²) where dropout let y = scale·tanh pass, else 0."""

    @kernel(3, 1)
    def slope(memory, y, dy, count, scale):
        zero, one, minus = splat(np.float32(0)), splat(np.float32(1)), splat(np.float32(-1))
        for i in range(0, count, WIDTH):
            kept = load(memory, y + i)
            height = divide(kept, splat(scale))
            rise = fma(multiply(height, minus), height, one)
            if scale > np.float32(1):  # what is dropped is exactly 0; without dropout tanh at 0 has slope 1
                rise = where_equal(kept, zero, zero, rise)
            store(memory, dy + i, multiply(multiply(load(memory, dy + i), splat(scale)), rise))

    return slope

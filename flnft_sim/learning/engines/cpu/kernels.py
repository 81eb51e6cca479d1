"""How kernels are compiled: the heavy ones each by itself, called by address, and the glue around them."""

from collections.abc import Callable
from typing import Any

from numba import cfunc, njit, types

from flnft_sim.learning.engines.cpu.cache import KEPT
from flnft_sim.learning.engines.cpu.vectors import POINTER

# Reordering sums is fine; assuming that no NaN or infinity ever appears is not: a diverged run must show as one.
_FAST = {"contract", "reassoc", "nsz", "arcp"}


def glue(function: Callable[..., Any]) -> Any:
    """Decorator for compiled code that calls kernels; holds no lock of the interpreter."""
    with KEPT.in_use():
        return njit(nogil=True, fastmath=_FAST, error_model="numpy", cache=True)(function)


def kernel(offsets: int, scalars: int = 0) -> Callable[[Callable[..., None]], Any]:
    """Decorator for a kernel (workspace, `offsets` integers, `scalars` float32), compiled once it is decorated.

    Kernels are called through their `address` in the layer table. So each is compiled once and by itself, and only
    those that a model needs: inlined into one function, they would be optimised again at every level of calls.
    """
    signature = types.void(POINTER, *[types.intp] * offsets, *[types.float32] * scalars)

    def compile_now(function: Callable[..., None]) -> Any:
        with KEPT.in_use():
            return cfunc(signature, fastmath=_FAST, error_model="numpy", cache=True)(function)

    return compile_now

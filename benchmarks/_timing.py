"""What several benchmarks measure alike: the seconds of a call, and the matrix product's peak."""

from collections.abc import Callable
from time import perf_counter

import torch


def seconds(work: Callable[[], object]) -> float:
    """By the clock, of one call."""
    start = perf_counter()
    work()
    return perf_counter() - start


def matmul_flops(side: int = 1536) -> float:
    """Float operations a second of PyTorch's matrix product on all cores."""
    a, b = torch.randn(side, side), torch.randn(side, side)
    return 2 * side**3 / min(seconds(lambda: a @ b) for _ in range(4))

"""One page of ratios that can be held against another machine's: `python -m benchmarks summary` (some minutes).

Each line is measured in turns with its peer or its limit, so that speed of the machine and load fall out: ours / peer
says how many times faster a thing is than what one would write, or use, instead; the share of a limit is how near it
comes to what the machine, or the library below, gives at most. `FLNFT_DATA` lets training see real images.
"""

import os
import platform
from importlib import import_module

import numpy as np
import torch

from benchmarks._figure import Figure
from benchmarks._timing import matmul_flops, seconds
from flnft_sim.learning.engines.cpu import host
from flnft_sim.machine import cores

ROOMS = ("learning", "contribution", "game", "market", "ledger", "network", "startup")


def main() -> None:
    """Print what the machine gives, and each room's figures as they come."""
    torch.set_num_threads(cores())
    width = host.vector_width()
    print(f"machine: {platform.machine()}, {cores()} cores, {width} floats a vector ({32 * width} bits), ", end="")
    print(f"Python {platform.python_version()}, PyTorch {torch.__version__}, load {os.getloadavg()[0]:.1f}")
    print(f"peaks: matrix product {matmul_flops() / 1e9:.0f} GFLOP/s, copying {_copied_per_s() / 1e9:.1f} GB/s\n")
    print(f"{'':50} {'ours / peer':>12}  {'':34} {'share':>6}  of")
    for room in ROOMS:
        for figure in import_module(f"benchmarks.{room}").summary():
            print(_line(figure), flush=True)


def _line(figure: Figure) -> str:
    ratio = "" if figure.ratio is None else f"{figure.ratio:.3g} ×"
    share = "" if figure.share is None else f"{figure.share:.0%}"
    return f"{figure.what:50} {ratio:>12}  {figure.peer:34} {share:>6}  {figure.limit}".rstrip()


def _copied_per_s(floats: int = 32_000_000) -> float:
    """Bytes read and written a second by copying an array that no cache holds, on one core."""
    source, target = np.ones(floats, np.float32), np.zeros(floats, np.float32)
    return 2 * source.nbytes / min(seconds(lambda: np.copyto(target, source)) for _ in range(5))


if __name__ == "__main__":
    main()

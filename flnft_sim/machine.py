"""What this process may use of the machine, holds of it, and runs on it."""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Literal

NVIDIA_DEVICES = ("/dev/nvidiactl", "/dev/dxg")  # the driver's own, and the one of Linux under Windows


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS, Windows


@contextmanager
def one_thread(*libraries: Literal["torch", "numba", "blas"]) -> Iterator[None]:
    """Keep libraries to one thread: sums must not depend on the cores of the machine that runs them."""
    modules = [import_module(name) for name in libraries if name != "blas"]
    threads = [module.get_num_threads() for module in modules]
    for module in modules:
        module.set_num_threads(1)
    try:
        with _one_blas_thread() if "blas" in libraries else nullcontext():
            yield
    finally:
        for module, count in zip(modules, threads, strict=True):
            module.set_num_threads(count)


def _one_blas_thread() -> AbstractContextManager[object]:
    """NumPy's linear algebra, whichever library does it."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def has_nvidia_driver() -> bool:
    """Whether PyTorch may find a CUDA GPU; where that cannot be told without importing it, yes."""
    return sys.platform != "linux" or any(Path(device).exists() for device in NVIDIA_DEVICES)


def lock(descriptor: int) -> bool:
    """Lock an open file; False where it is locked already through another descriptor, in this process or in others.

    The lock ends when the descriptor is closed, so at the latest with its process, however that dies.
    """
    from filelock import lock_descriptor

    return lock_descriptor(descriptor, blocking=False)


def version() -> str:
    """Return the installed version; `source` in a source tree that is not installed."""
    from importlib import metadata

    try:
        return metadata.version("flnft-sim")
    except metadata.PackageNotFoundError:
        return "source"


@cache
def code_version() -> str:
    """Return the package's version and a hash of its sources, such as `0.1.0+3f9c2a51d0e4`; read once a process.

    Shipped scenarios do not count: what a run does is in its resolved scenario.
    """
    package, digest = Path(__file__).parent, hashlib.sha256()
    for folder, within, names in os.walk(package):
        within[:] = sorted(set(within) - {"__pycache__"} - ({"scenarios"} if folder == str(package) else set()))
        room = folder[len(str(package)) + 1 :].replace(os.sep, "/")
        for name in sorted(names):
            if name.endswith((".py", ".json", ".yaml")):
                digest.update(f"{room}/{name}\0".encode() + (Path(folder) / name).read_bytes() + b"\0")
    return f"{version()}+{digest.hexdigest()[:12]}"

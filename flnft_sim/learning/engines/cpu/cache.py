"""Where compiled kernels are kept: a directory of the user's, named after everything that shapes the machine code."""

import hashlib
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numba
import platformdirs
from filelock import FileLock
from numba.core import config as _config

from flnft_sim.learning.engines.cpu.host import vector_width

_DECORATING = threading.RLock()
config: Any = _config  # its settings are made at run time, out of a type checker's sight


@cache
def directory() -> Path:
    """The directory for these sources, this vector width and this Numba; one for this process if none can be kept.

    Numba notices a change only in the file of the function itself. A kernel compiled against another vector width or
    another layout of the workspace would corrupt memory, so the name hashes all sources of the engine. (Numba itself
    tells processors apart.)
    """
    sources = sorted(Path(__file__).parent.glob("*.py"))
    digest = hashlib.sha256(f"{numba.__version__} {vector_width()}".encode())
    for source in sources:
        digest.update(source.read_bytes())
    path = Path(platformdirs.user_cache_dir("flnft-sim")) / "kernels" / digest.hexdigest()[:16]
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError:
        return Path(tempfile.mkdtemp(prefix="flnft-kernels-"))


@contextmanager
def in_use() -> Iterator[None]:
    """Functions decorated within are kept in `directory()`; one thread at a time, for the setting is Numba's own."""
    with _DECORATING:
        before = config.CACHE_DIR
        config.CACHE_DIR = str(directory())
        try:
            yield
        finally:
            config.CACHE_DIR = before


@contextmanager
def compiling(what: str) -> Iterator[bool]:
    """True within if `what` has not been compiled on this machine before; other processes wait until it is.

    Without the wait, every worker of a sweep would compile the same kernels at the same time.
    """
    done = directory() / f"{what}.compiled"
    if done.exists():
        yield False
        return
    with FileLock(directory() / "compiling.lock"):
        cold = not done.exists()
        yield cold
        done.touch()

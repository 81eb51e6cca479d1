"""Compiled code: functions that Numba makes into machine code, once on a machine, and where that is kept.

A room with loops over few numbers, at which NumPy's calls cost more than their work, has its kernels in files of their
own, imported where they are about to run: Numba takes half a second to start, and most runs do without.

    from flnft_sim.compiled import Kept

    KEPT = Kept(Path(__file__).parent, "kernels.py")

    @KEPT.exact
    def recursion(start, matrix, out): ...

    with KEPT.compiling("beliefs") as cold:     # before the first call: other processes wait, and do not compile too
        if cold:
            log.info("compiling …, once on this machine (about 3 s) …")
            recursion(*examples)
"""

import hashlib
import json
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

_DECORATING = threading.RLock()
_PROGRAM = (
    "import json, pickle, pkgutil, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "name, given = pickle.load(sys.stdin.buffer); pkgutil.resolve_name(name)(*given)"
)


class Kept:
    """The compiled functions of some source files, kept in a directory of the user's.

    `files` are names or patterns within `folder`: all whose code ends up in a kernel, callees included. `salt` is what
    else shapes the machine code; Numba itself tells processors apart.
    """

    def __init__(self, folder: Path, files: str = "*.py", *, salt: Callable[[], str] = str) -> None:
        self._folder, self._files, self._salt, self._lasts = folder, files, salt, False

    @cached_property
    def directory(self) -> Path:
        """The directory for these sources and this Numba; one for this process if none can be kept.

        Numba notices a change only in the file of the function itself, and would go on with callees of before: so the
        name hashes all sources.
        """
        import numba
        import platformdirs

        digest = hashlib.sha256(f"{numba.__version__} {self._salt()}".encode())
        for source in sorted(self._folder.glob(self._files)):
            digest.update(source.read_bytes())
        path = Path(platformdirs.user_cache_dir("flnft-sim")) / "kernels" / digest.hexdigest()[:16]
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryFile(dir=path):
                self._lasts = True
                return path
        except OSError:
            return Path(tempfile.mkdtemp(prefix="flnft-kernels-"))

    def compile_apart(self, name: str, *given: Any) -> None:
        """Call the function of that name ("module:function"), which compiles, in a process of its own.

        Code that may reorder sums need not be the same to the last bit where it was compiled and where it is read back.
        Who does not run what it compiled itself has, in the first run on a machine, the bytes of all later ones. Where
        nothing can be kept, or no process be started, the code is compiled here, when it is first called.
        """
        if not (self.directory and self._lasts and sys.executable):
            return
        with suppress(OSError, subprocess.CalledProcessError):
            subprocess.run(
                [sys.executable, "-c", _PROGRAM, json.dumps(sys.path)],
                input=pickle.dumps((name, given)),
                capture_output=True,
                check=True,
            )

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Functions decorated within are kept in `directory`; one thread at a time, for the setting is Numba's own."""
        from numba.core import config

        settings: Any = config  # made at run time, out of a type checker's sight
        with _DECORATING:
            before = settings.CACHE_DIR
            settings.CACHE_DIR = str(self.directory)
            try:
                yield
            finally:
                settings.CACHE_DIR = before

    def exact(self, function: Callable[..., Any]) -> Any:
        """Decorate a function that keeps sums in order, NaN and infinities, and holds no lock of the interpreter.

        It runs in the caller's thread, so that its sums depend on no cores.
        """
        from numba import njit

        with self.in_use():
            return njit(nogil=True, error_model="numpy", cache=True)(function)

    def inner(self, function: Callable[..., Any]) -> Any:
        """Decorate as `exact` does what compiled code alone calls: it becomes part of it, and compiles in less time."""
        from numba import njit

        alone: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        return njit(nogil=True, error_model="numpy", **alone)(function)

    @contextmanager
    def compiling(self, what: str) -> Iterator[bool]:
        """True within if `what` of these very files was not compiled on this machine before; others wait until it is.

        Without the wait, every worker of a sweep would compile the same kernels at the same time.
        """
        from filelock import FileLock

        place, stamps = self._read_back_by()
        done = self.directory / f"{what}-{place}.compiled"

        def is_done() -> bool:
            return done.exists() and done.read_text() == stamps

        if is_done():
            yield False
            return
        with FileLock(self.directory / "compiling.lock"):
            cold = not is_done()
            yield cold
            done.write_text(stamps)

    def _read_back_by(self) -> tuple[str, str]:
        """What else Numba wants to be the same before it reads code back.

        By processor and place of the sources it keeps code apart; of each it keeps that of one state, which some of its
        releases tell by when a file was written.
        """
        from llvmlite import binding

        told = [binding.get_host_cpu_name(), str(self._folder.absolute())]
        with suppress(RuntimeError):  # on processors that it cannot ask
            told.append(binding.get_host_cpu_features().flatten())
        sources = [source.stat() for source in sorted(self._folder.glob(self._files))]
        stamps = " ".join(str(source.st_mtime_ns) for source in sources)
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16], stamps

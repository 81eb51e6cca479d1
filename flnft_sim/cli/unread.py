"""What the libraries of a run import and no run of ours uses: left unread until somebody asks for something of it.

Mesa imports its spaces whether a model has one or not, and SciPy's spatial algorithms with them; Numba imports BLAS
wrappers and a parser of C. Together they take a fifth of a short run.
"""

import inspect
import sys
from contextlib import suppress
from importlib import import_module
from threading import Thread
from types import ModuleType
from typing import Any, cast

_UNREAD = (
    "mesa.discrete_space",
    "mesa.experimental.continuous_space",
    "mesa.space",
    "pycparser",
    "scipy.linalg.cython_blas",
)


class _Unread(ModuleType):
    """Stands for a module that is imported once something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name == "__file__":  # which whoever looks for the source of a function asks of every module
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


def leave_unread() -> None:
    """From now on, import none of the modules above before something of it is asked for."""
    for name in _UNREAD:
        sys.modules.setdefault(name, _Unread(name))


def import_mesa() -> None:
    """Import Mesa quickly: its loggers ask whose code calls them, and `inspect` looks through every module's file.

    A frame tells its module itself, and on a stack of its own there are few frames to ask.
    """
    search = inspect.getmodule

    def module_of(what: Any, filename: str | None = None) -> ModuleType | None:
        return sys.modules.get(what.f_globals["__name__"]) if inspect.isframe(what) else search(what, filename)

    importing = Thread(target=import_module, args=("mesa",))
    inspect.getmodule = cast(Any, module_of)
    try:
        importing.start()
        importing.join()
    finally:
        inspect.getmodule = search


def import_keccak() -> None:
    """Import Keccak quickly: where there is no cffi its library uses ctypes, and parses no C every time."""
    found = sys.modules.get("cffi")
    sys.modules["cffi"] = cast(Any, None)  # so that importing it fails
    try:
        with suppress(ImportError):  # Keccak is another library's here, or there is no ctypes
            import_module("Crypto.Util._raw_api")
    finally:
        del sys.modules["cffi"]
        if found is not None:
            sys.modules["cffi"] = found

"""When Python searches for garbage: not among what is imported and built, which stays to the end.

That search takes a third of a short run: a part while modules are imported, most of it at the interpreter's end.
"""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unsearched_start() -> Iterator[None]:
    """Search for no garbage until `search_what_comes` or the block's end, nor when the interpreter ends."""
    atexit.register(gc.freeze)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def search_what_comes() -> None:
    """Search from now on, but not among what is there already."""
    gc.freeze()
    gc.enable()

"""When Python searches for garbage: not among what is imported and built, which stays to the end.

That search takes a third of a short run: a part while modules are imported, most of it at the interpreter's end.
"""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = 5_000
"""New objects between two searches; Python's own number is 700."""


@contextmanager
def unsearched_start() -> Iterator[None]:
    """Search for no garbage until `search_what_comes` or the block's end, nor when the interpreter ends."""
    atexit.register(gc.freeze)
    often = gc.get_threshold()
    gc.disable()
    try:
        yield
    finally:
        gc.set_threshold(*often)
        gc.enable()


def search_what_comes() -> None:
    """Search from now on, but not among what is there already, and seldom: what a run makes, it mostly keeps."""
    gc.freeze()
    gc.set_threshold(_SELDOM)
    gc.enable()

"""Where the program begins: a Ctrl-C that comes while it is still being imported ends it in a word, too."""

import os
import sys

# Built in: the module `signal` takes milliseconds to import, in which a Ctrl-C may come.
from _signal import SIGINT, signal  # type: ignore[import-not-found]

TYPE_CHECKING = False  # as that of `typing`, which takes some, too
if TYPE_CHECKING:
    from types import FrameType

_STOPPED = 130  # the shells' convention: 128 + the signal's number


def main() -> None:
    """Import the program and run it."""
    former = signal(SIGINT, _leave)
    from flnft_sim.cli import main as program

    signal(SIGINT, former)
    program()


def _leave(_number: int, _frame: "FrameType | None") -> None:
    """Leave at once: nothing is begun yet, and an exception in mid-import may come out as another one."""
    sys.stderr.write("flnft: stopped\n")
    sys.stderr.flush()
    os._exit(_STOPPED)


if __name__ == "__main__":
    main()

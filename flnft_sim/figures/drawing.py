"""Figures drawn by a second process, which imports the plotting libraries while the run still runs.

Matplotlib takes about as long to import as everything else that a short run needs, and no picture depends on who draws
it: the files are the same bytes as those of `results.pictures.render_all`, which draws wherever the second process
cannot.
"""

import contextlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, Self, cast

from flnft_sim.formats import Format
from flnft_sim.imports import Source, bring_in, offer
from flnft_sim.machine import cores
from flnft_sim.results.pictures import FIGURES, render, render_all

if TYPE_CHECKING:
    from flnft_sim.results.record import RunRecord

_LARGEST = 64 * 2**20  # bytes of tables; beyond, a second copy in memory costs more than an import
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from flnft_sim.figures import drawing; drawing.main()"
)


class Drawer:
    """A process that draws one run's figures; it starts with the block and is gone after it.

    On a single core, or where no process can be started, `render_all` draws in this process.
    """

    def __init__(self, *, wanted: bool = True) -> None:
        self._wanted = wanted and cores() > 1 and bool(sys.executable)
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = False

    def __enter__(self) -> Self:
        if self._wanted:
            command = [sys.executable, "-c", _PROGRAM, json.dumps(sys.path)]
            # In a group of its own, a Ctrl-C at the terminal does not reach it: what is finished shall be drawn.
            group: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {}
            with contextlib.suppress(OSError):
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **group
                )
        return self

    def __exit__(self, *_error: object) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # what waited to be written to a dead process
                cast(IO[bytes], pipe).close()
        process.wait()

    def begin(self, result: "RunRecord", format: Format = "png") -> None:
        """Draw ahead what `render_all` will be asked for, as far as a pipe takes pictures that nobody reads yet."""
        size = sum(int(table.memory_usage().sum()) for table in result.tables.values())
        if self._process is None or size > _LARGEST:
            return
        self._begun = True
        with contextlib.suppress(OSError, pickle.PickleError), cast(IO[bytes], self._process.stdin) as its_input:
            pickle.dump((FIGURES.names(), result, format), its_input)

    def render_all(self, result: "RunRecord", format: Format = "png") -> Iterator[tuple[str, bytes]]:
        """(name, bytes of its file) of every figure, as `pictures.render_all` gives them, whoever draws them."""
        done = set()
        if not self._begun:
            self.begin(result, format)
        for drawn in self._drawn_there():
            if drawn is None:
                return
            done.add(drawn[0])
            yield drawn
        self.__exit__()
        for name, picture in render_all(result, format):
            if name not in done:
                yield name, picture

    def _drawn_there(self) -> Iterator[tuple[str, bytes] | None]:
        """What the second process has drawn, and None when that is all."""
        if self._process is None or not self._begun:
            return
        with contextlib.suppress(OSError, EOFError, pickle.PickleError):  # it died: the rest is drawn here
            while True:
                yield pickle.load(cast(IO[bytes], self._process.stdout))


def main() -> None:
    """The second process, whose output is for pictures alone: whatever else is printed goes to standard error."""
    with os.fdopen(os.dup(1), "wb") as target:
        os.dup2(2, 1)
        serve(sys.stdin.buffer, target)


def serve(source: IO[bytes], target: IO[bytes]) -> None:
    """Get ready, draw the run that comes from `source`, and write each figure to `target`.

    While the first process waits, a copy of this one draws every other figure; where there are no cheap copies, none.
    """
    for name in FIGURES:
        FIGURES.get(name)
    try:
        names, result, format = pickle.load(source)
        for file, content in result.imports.items():
            bring_in(file, offer(Source(file, content)).sha256)
    except EOFError:  # nothing is to be drawn
        return
    helped = names[1::2] if sys.platform == "linux" and cores() > 1 else []
    with _copy_that_draws(helped, result, format, target) as help:
        for name in names:
            picture = pickle.load(help) if name in helped else render(name, result, format)
            if picture is not None:
                _send((name, picture), target)
    _send(None, target)


@contextlib.contextmanager
def _copy_that_draws(names: list[str], result: "RunRecord", format: Format, target: IO[bytes]) -> Iterator[IO[bytes]]:
    """What a forked copy of this process writes: a picture or None for each name, in order; `target` is not its own."""
    reading, writing = os.pipe()
    child = os.fork() if names else None
    if child == 0:
        # Nobody may wait for this copy: whoever reads a pipe sees its end when the one process that writes is gone.
        os.close(reading)
        os.close(target.fileno())
        with contextlib.suppress(Exception), os.fdopen(writing, "wb") as own:
            for name in names:
                _send(render(name, result, format), own)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as source:
        yield source
    if child is not None:
        os.waitpid(child, 0)


def _send(what: object, target: IO[bytes]) -> None:
    pickle.dump(what, target)
    target.flush()

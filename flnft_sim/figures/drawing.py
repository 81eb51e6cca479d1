"""Figures drawn by a second process, which imports the plotting libraries while the run still runs.

Matplotlib takes about as long to import as everything else that a short run needs, and no picture depends on who draws
it: the files are the same bytes as those of `results.pictures.render_all`, which draws wherever the second process
cannot.
"""

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from itertools import batched
from typing import IO, TYPE_CHECKING, Any, Self, cast

from flnft_sim.formats import Format
from flnft_sim.imports import Source, bring_in, offer
from flnft_sim.machine import cores
from flnft_sim.results.pictures import FIGURES, render

if TYPE_CHECKING:
    from flnft_sim.results.record import RunRecord

_LARGEST = 64 * 2**20  # bytes of tables in memory; beyond, a second copy in memory costs more than an import
_LINES = 1024  # of a ledger, sent together
_PIPE = 2**20  # bytes that wait to be read, where the system lets us say: a run's pictures as PNG and more
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
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    pipesize=_PIPE,
                    **group,
                )
        return self

    def __exit__(self, *_error: object) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)  # its copy, too
            else:
                process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # what waited to be written to a dead process
                cast(IO[bytes], pipe).close()
        process.wait()

    def begin(self, result: "RunRecord", format: Format = "png") -> None:
        """Draw ahead what `render_all` will be asked for, as far as a pipe takes pictures that nobody reads yet."""
        if self._process is None or result.size > _LARGEST:
            return
        self._begun = True
        with contextlib.suppress(OSError, pickle.PickleError), cast(IO[bytes], self._process.stdin) as its_input:
            pickle.dump((FIGURES.names(), type(result), format), its_input)
            for part in _parts(result):
                pickle.dump(part, its_input)

    def render_all(self, result: "RunRecord", format: Format = "png") -> Iterator[tuple[str, bytes]]:
        """(name, bytes of its file) of every figure, as `pictures.render_all` gives them, whoever draws them."""
        if not self._begun:
            self.begin(result, format)
        there, drawn = self._drawn_there(), dict[str, bytes | None]()
        for name in FIGURES.names():
            while name not in drawn and (came := next(there, None)):
                drawn.update([came])
            picture = drawn[name] if name in drawn else render(name, result, format)
            if picture is not None:
                yield name, picture

    def _drawn_there(self) -> Iterator[tuple[str, bytes | None]]:
        """What the second process and its copy have drawn, as it comes; None of a figure with nothing to show."""
        if self._process is None or not self._begun:
            return
        with contextlib.suppress(Exception):  # its end, maybe in mid-picture: what is missing is drawn here
            while True:
                yield pickle.load(cast(IO[bytes], self._process.stdout))


def main() -> None:
    """The second process, whose output is for pictures alone: whatever else is printed goes to standard error."""
    with os.fdopen(os.dup(1), "wb") as target:
        os.dup2(2, 1)
        serve(sys.stdin.buffer, target)


def serve(source: IO[bytes], target: IO[bytes]) -> None:
    """Get ready, draw the run that comes from `source`, and write each figure to `target`, in any order.

    Where copies of a process are cheap and there is a second core, a copy of this one helps.
    """
    for name in FIGURES:
        FIGURES.get(name)
    try:
        names, kind, format = pickle.load(source)
        result = _joined(kind, source)
        for file, content in result.imports.items():
            bring_in(file, offer(Source(file, content)).sha256)
    except EOFError:  # nothing is to be drawn
        return
    if sys.platform == "linux" and cores() > 1:
        _draw_with_a_copy(names, result, format, target)
    else:
        for name in names:
            pickle.dump((name, render(name, result, format)), target)


def _parts(result: "RunRecord") -> Iterator[tuple[str, Any]]:
    """The record's fields, what lies on the disk in pieces: this process never holds all of it."""
    from flnft_sim.results.tables import COLUMNS

    for name in (each.name for each in fields(result)):
        if name in COLUMNS:
            yield from ((name, frame) for frame in result.frames(name))
        elif name == "ledger_lines":
            yield from ((name, list(some)) for some in batched(result.lines, _LINES))
        else:
            yield name, getattr(result, name)


def _joined(kind: type["RunRecord"], source: IO[bytes]) -> "RunRecord":
    """The record whose parts come from `source` until its end."""
    from flnft_sim.results.tables import COLUMNS, joined  # pandas comes with it

    parts: dict[str, list[Any]] = defaultdict(list)
    with contextlib.suppress(EOFError):
        while True:
            name, part = pickle.load(source)
            parts[name].append(part)
    whole: dict[str, Any] = {name: joined(name, some) for name, some in parts.items() if name in COLUMNS}
    lines = [line for some in parts.pop("ledger_lines", []) for line in some]
    return kind(**{name: some[0] for name, some in parts.items()} | whole, ledger_lines=lines)


def _draw_with_a_copy(names: list[str], result: "RunRecord", format: Format, target: IO[bytes]) -> None:
    """Draw with a copy of this process: whoever is free takes the next name, and one at a time writes to `target`."""
    import fcntl

    with tempfile.TemporaryFile() as names_left:  # both read on from one place, and a lock ends with its holder
        names_left.write(bytes(range(len(names))))
        names_left.seek(0)
        copy = os.fork()
        try:
            while number := os.read(names_left.fileno(), 1):
                picture = pickle.dumps((names[number[0]], render(names[number[0]], result, format)))
                fcntl.lockf(names_left, fcntl.LOCK_EX)
                target.write(picture)
                target.flush()
                fcntl.lockf(names_left, fcntl.LOCK_UN)
        finally:
            if copy == 0:
                os._exit(0)
            os.waitpid(copy, 0)

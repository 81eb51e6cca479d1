"""`flnft viz` for tests to knock at: as a process of its own, or forked where all that it imports is there already."""

import multiprocessing
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

from flnft_sim.viz.server import SOLARA

_QUIET = {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
_MAIN = "from flnft_sim.cli import main; main()"
# Notes every name that Python looks up and every address that it connects to, one a line.
_WATCH = """
import sys
seen = open({log!r}, "a", buffering=1)
sys.addaudithook(lambda event, args: event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname")
                 and seen.write(f"{{event}} {{args[-1 if event == 'socket.connect' else 0]!r}}\\n") and None)
"""


@dataclass(frozen=True)
class Served:
    """A running server, by the address that it printed."""

    address: str

    @property
    def page(self) -> str:
        """The address without the token."""
        return self.address.partition("?")[0]

    @property
    def token(self) -> str:
        """This start's token."""
        return self.address.partition("?token=")[2]

    @property
    def port(self) -> int:
        """The port it listens on."""
        port = urlsplit(self.address).port
        assert port is not None
        return port

    @property
    def cookie(self) -> str:
        """The header's value of one who has been let in."""
        return f"flnft-{self.port}={self.token}"


@dataclass(frozen=True)
class Started(Served):
    """A running server that is a process of its own."""

    process: subprocess.Popen[str]


@contextmanager
def served_alone(*arguments: object, watched_in: Path | None = None, **environment: str) -> Iterator[Started]:
    """`flnft viz ARGUMENTS` as a user starts it, while it lasts; what it connects to is noted in `watched_in`."""
    program = (_WATCH.format(log=str(watched_in)) if watched_in else "") + _MAIN
    command = [sys.executable, "-c", program, *_words(arguments)]
    variables = os.environ | _QUIET | environment
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            found = _address(line)
            assert found, line or server.communicate()[1]
            yield Started(found, server)
        finally:
            server.terminate()
            server.communicate()


@contextmanager
def served(*arguments: object) -> Iterator[Served]:
    """`flnft viz ARGUMENTS` while it lasts, forked from a process that has imported the page: seconds sooner."""
    forks = _forks()
    said, told = forks.Pipe(duplex=False)
    server = forks.Process(target=_serve, args=(_words(arguments), told), daemon=True)
    server.start()
    told.close()
    try:
        with os.fdopen(said.fileno(), closefd=False) as lines:
            line = lines.readline()
            found = _address(line)
            assert found, line + lines.read()
            yield Served(found)
    finally:
        server.terminate()
        server.join()
        said.close()


@cache
def _forks() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    # Not what serves: on import it starts a thread, and threads do not survive a fork.
    context.set_forkserver_preload(["flnft_sim.cli.viz", "flnft_sim.viz.app", "uvicorn"])
    with patch.dict(os.environ, SOLARA | _QUIET):  # Solara reads its settings once, on import
        forkserver.ensure_running()
    return context


def _serve(words: list[str], told: Connection) -> None:
    """What a forked server does: run the program, and say everything into the pipe."""
    from flnft_sim.cli import main

    sys.argv = ["flnft", *words]
    with (
        os.fdopen(told.fileno(), "w", buffering=1, closefd=False) as pipe,
        redirect_stdout(pipe),
        redirect_stderr(pipe),
    ):
        main()


def _words(arguments: tuple[object, ...]) -> list[str]:
    return ["viz", *map(str, arguments), "--port", "0"]


def _address(line: str) -> str:
    found = re.search(r"http://\S+", line)
    return found[0] if found else ""

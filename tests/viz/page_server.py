"""`flnft viz` as a process of its own, for tests to knock at."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

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
    """A running server: its process, and the address that it printed."""

    process: subprocess.Popen[str]
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


@contextmanager
def served(*arguments: object, watched_in: Path | None = None, **environment: str) -> Iterator[Served]:
    """`flnft viz ARGUMENTS` on a free port, while it lasts; what it connects to is noted in `watched_in`."""
    program = (_WATCH.format(log=str(watched_in)) if watched_in else "") + _MAIN
    command = [sys.executable, "-c", program, "viz", *map(str, arguments), "--port", "0"]
    variables = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"} | environment
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            found = re.search(r"http://\S+", line)
            assert found, line or server.communicate()[1]
            yield Served(server, found[0])
        finally:
            server.terminate()
            server.communicate()

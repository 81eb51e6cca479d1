"""The web server behind `flnft viz`: Solara on uvicorn, with every asset from installed packages."""

import os
import socket
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from flnft_sim.errors import InputError, shown
from flnft_sim.results import read_manifest
from flnft_sim.scenario import Scenario
from flnft_sim.viz.address import PACKAGES, Address

APP = "flnft_sim.viz.app"
SCENARIO, RUNS = "FLNFT_VIZ_SCENARIO", "FLNFT_VIZ_RUNS"
SOLARA = {  # what Solara is told by its environment, which it reads when it is imported
    "SOLARA_APP": APP,
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "false",
    "SOLARA_ASSETS_PROXY": "false",  # else the server would fetch from a network what is not installed
    "SOLARA_ASSETS_CDN": PACKAGES,  # else the page would
}


def serve(
    shown: Scenario | Sequence[Path],
    *,
    host: str = "localhost",
    port: int = 8765,
    sessions: int = 8,
    idle_minutes: float = 10.0,
    on_address: Callable[[str], None],
) -> None:
    """Serve the page of a scenario, or the playback of runs' folders beside one another, until Ctrl-C.

    `on_address` is told the address to open, with this start's token, as soon as the port is taken (port 0: any free
    one). At most `sessions` browser pages have a market at once; one whose page is gone is kept for `idle_minutes`.
    Raises `InputError` for a folder that is no run, an address that cannot be had, and a missing `viz` extra.
    """
    if isinstance(shown, Scenario):
        os.environ[SCENARIO] = shown.model_dump_json()
        os.environ.pop(RUNS, None)
    else:
        for folder in shown:
            read_manifest(folder)
        os.environ[RUNS] = os.pathsep.join(str(folder.resolve()) for folder in shown)
    listening = _listen(host, port)
    address = Address.of(host, listening)
    os.environ.update(SOLARA)
    try:
        from flnft_sim.viz.website import server, website

        import_module(APP)
        application = website(address, sessions=sessions, idle_minutes=idle_minutes)
    except ImportError as error:
        raise InputError(f"the browser page needs more packages ({error}); pip install 'flnft-sim[viz]'") from error
    on_address(address.with_token)
    server(application).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:  # a name too long for the name service is the latter
        raise InputError(
            f"cannot listen on {shown(host)}, port {port} ({error}); choose another --port or --host"
        ) from error

"""The web server behind `flnft viz`: Solara on uvicorn, with every asset from installed packages."""

import os
import socket
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from flnft_sim.errors import InputError, shown
from flnft_sim.results import read_manifest
from flnft_sim.scenario import Scenario

APP = "flnft_sim.viz.app"
SCENARIO, RUN = "FLNFT_VIZ_SCENARIO", "FLNFT_VIZ_RUN"


def serve(
    shown: Scenario | Path, *, host: str = "localhost", port: int = 8765, on_address: Callable[[str], None]
) -> None:
    """Serve the page of a scenario, or the playback of a run's folder, until Ctrl-C.

    `on_address` is told the page's address as soon as the port is taken (port 0: any free one). Raises `InputError`
    for a folder that is no run, an address that cannot be had, and a missing `viz` extra.
    """
    if isinstance(shown, Path):
        read_manifest(shown)
        os.environ[RUN] = str(shown.resolve())
    else:
        os.environ[SCENARIO] = shown.model_dump_json()
        os.environ.pop(RUN, None)
    listening = _listen(host, port)
    os.environ["SOLARA_APP"] = APP
    os.environ["SOLARA_TELEMETRY_MIXPANEL_ENABLE"] = "false"  # nothing leaves this machine
    try:
        import uvicorn
        from solara.server import settings
        from solara.server.starlette import app

        import_module(APP)
    except ImportError as error:
        raise InputError(f"the browser page needs more packages ({error}); pip install 'flnft-sim[viz]'") from error
    settings.theme.title = "FL-NFT market"
    settings.theme.show_banner = False
    on_address(page_address(host, listening.getsockname()[1]))
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listening])


def page_address(host: str, port: int) -> str:
    """Where the page is found; an IPv6 address stands in brackets."""
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:  # a name too long for the name service is the latter
        raise InputError(
            f"cannot listen on {shown(host)}, port {port} ({error}); choose another --port or --host"
        ) from error

"""Solara's web application behind our gate, and the server that ends when it is told to.

To be imported after `server.serve` has set Solara's environment: Solara reads it once, on import.
"""

import os
import threading
from types import FrameType

import uvicorn
from solara.server import kernel_context, settings
from solara.server.starlette import StaticFilesOptionalAuth, app
from starlette.routing import Mount
from starlette.types import ASGIApp

from flnft_sim.viz.address import PACKAGES, Address
from flnft_sim.viz.gate import Gate
from flnft_sim.viz.sessions import Sessions

_CLOSING_S, _PATIENCE_S = 1, 1.5


def website(address: Address, *, sessions: int, idle_minutes: float) -> ASGIApp:
    """The application to serve. Raises `ImportError` where the packages that the page is made of are not installed."""
    packages = settings.assets.proxy_cache_dir
    if not packages.is_dir():
        raise ImportError("No module named 'solara_assets'")
    settings.theme.title = "FL-NFT market"
    settings.theme.show_banner = False
    settings.kernel.cull_timeout = f"{idle_minutes * 60}s"
    app.router.routes.insert(0, Mount(PACKAGES, app=StaticFilesOptionalAuth(directory=packages)))
    return Gate(Sessions(app, most=sessions, held=lambda: list(kernel_context.contexts)), address=address)


class Server(uvicorn.Server):
    """Ends within two seconds of Ctrl-C or SIGTERM, also where a session is in the midst of a round."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Close what can be closed, and leave what cannot: there is nothing to save."""
        deadline = threading.Timer(_PATIENCE_S, os._exit, (128 + sig,))
        deadline.daemon = True
        deadline.start()
        super().handle_exit(sig, frame)


def server(application: ASGIApp) -> Server:
    """An HTTP server that trusts no proxy's headers and says nothing but errors."""
    return Server(
        uvicorn.Config(
            application,
            log_level="critical",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_CLOSING_S,
        )
    )

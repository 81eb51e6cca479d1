"""So many sessions at once and no more: each holds a market of its own in this machine's memory."""

import re
from collections.abc import Callable, Collection

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_KERNEL = re.compile(r"/jupyter/api/kernels/(?P<kernel>[^/]+)/[^/]+")
_AGAIN_S = 5


class Sessions:
    """ASGI middleware that refuses a new session, and the page that would open one, while `most` are held.

    `held` tells the sessions that the server keeps, those whose page went away for the moment, too.
    """

    def __init__(self, app: ASGIApp, *, most: int, held: Callable[[], Collection[str]]) -> None:
        self.app, self.most, self.held = app, most, held
        self._connected: list[str] = []  # the server learns of a session only some time after its websocket opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the connection through, or answer that there is no room."""
        kernel = _KERNEL.fullmatch(scope["path"]) if scope["type"] == "websocket" else None
        if kernel is not None:
            await self._connect(kernel["kernel"], scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/" and self._are_full():
            await self._full(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _connect(self, kernel: str, scope: Scope, receive: Receive, send: Send) -> None:
        if kernel not in self._taken() and self._are_full():
            return await self._full(scope, receive, send)
        self._connected.append(kernel)  # a list, for a page that comes back may be connected twice for a moment
        try:
            return await self.app(scope, receive, send)
        finally:
            self._connected.remove(kernel)

    def _taken(self) -> set[str]:
        return {*self.held(), *self._connected}

    def _are_full(self) -> bool:
        return len(self._taken()) >= self.most

    async def _full(self, scope: Scope, receive: Receive, send: Send) -> None:
        sentence = (
            f"No session is free, this server keeps {self.most}: close one, or start `flnft viz` with a larger "
            f"--sessions; this page tries again every {_AGAIN_S} s.\n"
        )
        response = PlainTextResponse(sentence, status_code=503, headers={"Refresh": str(_AGAIN_S)})
        await response(scope, receive, send)

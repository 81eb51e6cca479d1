"""Who may connect to the page: whoever names this server rightly, comes from its own page, and has its token."""

from secrets import compare_digest

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flnft_sim.errors import shown
from flnft_sim.viz.address import Address

# The browser itself holds the page to this server, and lets no other page frame it; Vega and Vue compile as they run.
_POLICY = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'"

# A page without an icon of its own makes browsers ask for /favicon.ico.
_WELCOME = '<!doctype html><link rel="icon" href="data:,"><title>FL-NFT market</title>Opening the market …\n'


class Gate:
    """ASGI middleware for HTTP and websockets alike: `Host` and `Origin` first, then the token or its cookie.

    The token in the address is exchanged for a cookie on the first visit, by a page that leads on by itself: a redirect
    would carry the foreign page that the address was clicked on (a terminal in the browser, say), and the cookie is
    for our own page alone (`SameSite=Strict`).
    """

    def __init__(self, app: ASGIApp, *, address: Address) -> None:
        self.app, self.address = app, address
        self.cookie = f"flnft-{address.port}"  # browsers share cookies between a host's ports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the connection through, or answer it here."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        answer = self._answer(HTTPConnection(scope))
        if answer is not None:
            return await answer(scope, receive, send)
        return await self.app(scope, receive, _kept_here(send))

    def _answer(self, connection: HTTPConnection) -> Response | None:
        """What to answer instead of the page; None lets through."""
        stranger = self._stranger(connection)
        if stranger:
            return PlainTextResponse(f"{stranger}; open the address that `flnft viz` printed.\n", status_code=403)
        if connection.scope["type"] == "http" and self._is_token(connection.query_params.get("token")):
            return self._exchange()
        if self._is_token(connection.cookies.get(self.cookie)):
            return None
        return PlainTextResponse(
            "This page opens with its token only: open the whole address that `flnft viz` printed, with ?token=….\n",
            status_code=403,
        )

    def _stranger(self, connection: HTTPConnection) -> str | None:
        """Why the names in the headers are not ours."""
        hosts = connection.headers.getlist("host")
        if len(hosts) != 1 or not self.address.is_ours(hosts[0]):
            return f"This server is not called {shown(', '.join(hosts))}"
        for origin in connection.headers.getlist("origin"):
            if not (origin.startswith("http://") and self.address.is_ours(origin.removeprefix("http://"))):
                return f"A page of {shown(origin)} may not use this server"
        return None

    def _is_token(self, word: str | None) -> bool:
        return word is not None and compare_digest(word.encode(), self.address.token.encode())

    def _exchange(self) -> Response:
        headers = {"Refresh": "0; url=/", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        response = HTMLResponse(_WELCOME, headers=headers)
        response.set_cookie(self.cookie, self.address.token, httponly=True, samesite="strict")
        return response


def _kept_here(send: Send) -> Send:
    """Give every response the policy under which the page asks nothing of other machines."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), (b"content-security-policy", _POLICY)]
        await send(message)

    return sending

"""Where one start of the server is found, under which names, and with which secret."""

import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass, field

_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^\s:/@\[\]]+)(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE)
_HTTP_PORT = 80  # the port that a browser leaves out


PACKAGES = "/_solara/cdn"
"""Where the page finds the JavaScript packages that `solara-assets` has installed."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """A host as the user named it, the address and the port it was bound to, and this start's own token."""

    host: str
    bound: str
    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)

    @classmethod
    def of(cls, host: str, listening: socket.socket) -> "Address":
        """The address of a listening socket that the user asked for as `host`."""
        bound, port = listening.getsockname()[:2]
        return cls(host=host, bound=bound, port=port)

    @property
    def page(self) -> str:
        """The page's address without the token; where every interface listens, the one from this machine."""
        return f"http://{self._shown_host()}:{self.port}/"

    @property
    def with_token(self) -> str:
        """The address to open: whoever has it may connect."""
        return f"{self.page}?token={self.token}"

    def is_ours(self, authority: str) -> bool:
        """Whether a `Host` header, or what follows `http://` in an `Origin`, means this server.

        Other names are refused even where they lead here: by them a foreign page reaches a server behind the browser's
        back (DNS rebinding). A server on every interface takes any address in numbers, which no name server can fake.
        """
        match = _AUTHORITY.fullmatch(authority)
        if match is None or int(match["port"] or _HTTP_PORT) != self.port:
            return False
        host = match["host"].lower()
        if host in self._names():
            return True
        return self._on_every_interface() and _ip(host) is not None

    def _names(self) -> set[str]:
        names = {_bracketed(self.host.lower())}
        ip = _ip(self.bound)
        if ip is not None and (ip.is_loopback or ip.is_unspecified):
            names |= {"localhost", "127.0.0.1", "[::1]"}
        if self._on_every_interface():
            names.add(socket.gethostname().lower())
        return names

    def _on_every_interface(self) -> bool:
        ip = _ip(self.bound)
        return ip is not None and ip.is_unspecified

    def _shown_host(self) -> str:
        if self._on_every_interface():
            return "[::1]" if ":" in self.bound else "127.0.0.1"
        return _bracketed(self.host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None

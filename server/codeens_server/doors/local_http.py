"""What the HTTP doors stand on: a socket, a server that leaves signals to the door, and who is let in.

A page of the web can point a name of its own at this machine, and have a browser send what it likes: a door answers to
the names of this machine alone, and looks at whose page a request comes from.
"""

from __future__ import annotations

import hmac
import socket
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlsplit

import uvicorn
from starlette.datastructures import Headers
from starlette.types import ASGIApp

_HERE = ("127.0.0.1", "localhost", "[::1]")
_BACKLOG = 512
_ENDED_WITHIN_S = 3


class OwnNames:
    """The names that a server of this machine answers to."""

    def __init__(self, host: str, port: int | None = None, origins: Iterable[str] = ()) -> None:
        """Name them.

        Args:
            host: where the server listens, beside the names of loopback.
            port: what must stand behind the name; None: any port, as through a tunnel.
            origins: pages that may come, beside those of this machine.
        """
        self._names = frozenset((*_HERE, shown_host(host)))
        self._port = port
        self._origins = frozenset(origins)

    def has_asked(self, headers: Headers) -> bool:
        """Return whether a request is for one of them."""
        return self._is_own(headers.get("host", ""))

    def has_page(self, origin: str) -> bool:
        """Return whether a page is of this machine, or of an origin that may come."""
        try:
            return origin in self._origins or self._is_own(urlsplit(origin).netloc)
        except ValueError:
            return False

    def _is_own(self, place: str) -> bool:
        name, _, port = place.lower().rpartition(":")
        return name in self._names and (port.isdecimal() if self._port is None else port == str(self._port))


def shown_host(host: str) -> str:
    """Return a host as URLs write it."""
    return f"[{host}]" if ":" in host else host


def is_bearer(headers: Headers, token: bytes) -> bool | None:
    """Return whether the head of a request holds the token (RFC 6750); None: it holds no bearer token."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return is_same(given.strip(), token) if scheme.lower() == "bearer" else None


def is_same(given: str, token: bytes) -> bool:
    """Return whether a token is the one, in a time that does not tell how much of it is."""
    return hmac.compare_digest(given.encode(errors="replace"), token)


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0: any that is free.

    Raises:
        OSError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


class _Server(uvicorn.Server):
    """Leaves signals to the door."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve_on(sock: socket.socket, app: ASGIApp, *, lifespan: Literal["auto", "off"]) -> None:
    """Serve an application on a listening socket until cancelled."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan=lifespan,
        timeout_graceful_shutdown=_ENDED_WITHIN_S,
    )
    await _Server(config).serve(sockets=[sock])

"""MCP's streamable HTTP transport, on an address of this machine."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from msgspec import Struct
from starlette.types import ASGIApp

from codeens_mcp_tools.transport.disconnect import VanishedGuard
from codeens_mcp_tools.transport.guards import BearerGuard, ClientLimits, LimitGuard
from codeens_mcp_tools.transport.stdio import MOST_BYTES

PATH = "/mcp"
_MOST_SESSIONS = 1000
_ENDED_WITHIN_S = 3


class Access(Struct, frozen=True, kw_only=True):
    """Who is let in."""

    host: str
    port: int
    token: str | None
    """What clients must send as bearer token; None: nothing, or what OAuth says."""
    origins: tuple[str, ...] = ()
    """Web pages that may come, beside those of this machine."""
    limits: ClientLimits = ClientLimits()


def make_app(server: MCPServer[Any], access: Access) -> ASGIApp:
    """The door as an ASGI application."""
    app: ASGIApp = server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=MOST_BYTES,
        max_sessions=_MOST_SESSIONS,
        transport_security=_security(access),
        host=access.host,
    )
    app = VanishedGuard(app)
    if access.token is not None:
        app = BearerGuard(app, access.token)
    return LimitGuard(app, access.limits)


def _security(access: Access) -> TransportSecuritySettings:
    """A page of the web can point a name of its own at this machine; the browser still says which name, and whose."""
    shown = f"[{access.host}]" if ":" in access.host else access.host
    names = ("127.0.0.1", "localhost", "[::1]", shown)
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[f"{name}:*" for name in dict.fromkeys(names)],
        allowed_origins=[f"http://{name}:*" for name in names[:3]] + list(access.origins),
    )


class _Server(uvicorn.Server):
    """Leaves signals to the door."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def serve_http(server: MCPServer[Any], access: Access) -> None:
    """Serve until cancelled; says on standard error where it listens.

    Raises:
        OSError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in access.host else socket.AF_INET
    listening = socket.create_server((access.host, access.port), family=family, backlog=512)
    with listening:
        port = listening.getsockname()[1]
        shown = f"[{access.host}]" if ":" in access.host else access.host
        sys.stderr.write(f"codeens-server serves MCP on http://{shown}:{port}{PATH}\n")
        sys.stderr.flush()
        logging.getLogger("mcp").setLevel(logging.ERROR)
        config = uvicorn.Config(
            make_app(server, access),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_ENDED_WITHIN_S,
        )
        await _Server(config).serve(sockets=[listening])

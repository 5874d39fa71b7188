"""MCP's streamable HTTP transport, on an address of this machine."""

from __future__ import annotations

import logging
import sys
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from msgspec import Struct
from starlette.types import ASGIApp

from codeens_mcp_tools.transport.disconnect import VanishedGuard
from codeens_mcp_tools.transport.guards import BearerGuard, ClientLimits, LimitGuard, NameGuard
from codeens_mcp_tools.transport.stdio import MOST_BYTES
from codeens_server.doors.local_http import OwnNames, listening, serve_on, shown_host

PATH = "/mcp"
_MOST_SESSIONS = 1000


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
        # Our own guard looks at names and pages, as it does before the dashboard.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        host=access.host,
    )
    app = VanishedGuard(NameGuard(app, OwnNames(access.host, origins=access.origins)))
    if access.token is not None:
        app = BearerGuard(app, access.token)
    return LimitGuard(app, access.limits)


async def serve_http(server: MCPServer[Any], access: Access) -> None:
    """Serve until cancelled; says on standard error where it listens.

    Raises:
        OSError: the address cannot be listened on.
    """
    with listening(access.host, access.port) as sock:
        url = f"http://{shown_host(access.host)}:{sock.getsockname()[1]}{PATH}"
        sys.stderr.write(f"codeens-server serves MCP on {url}\n")
        sys.stderr.flush()
        logging.getLogger("mcp").setLevel(logging.ERROR)
        await serve_on(sock, make_app(server, access), lifespan="auto")

"""The MCP door, as the arguments of `codeens-server` ask for it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path

from codeens_mcp_tools.context import AppContext, ServerOptions, open_context
from codeens_mcp_tools.server import make_server
from codeens_mcp_tools.transport.stdio import claimed, message_streams

Door = Callable[[], Awaitable[object]]


def door(call: Namespace, token: str | None) -> Door:
    """Return what serves agents as the arguments of `codeens-server` say, until it is cancelled or its client ends.

    It raises `OSError` where an address cannot be listened on. `token` is what clients over HTTP must know; None:
    nothing, or what OAuth says.
    """
    options = ServerOptions(roots=tuple(call.root or [Path.cwd()]), trusted=call.trust_workspace)

    async def serve() -> None:
        async with open_context(options) as app:
            await (_stdio(app) if call.mcp == "stdio" else _http(app, call, token))()

    return serve


def _stdio(app: AppContext) -> Door:
    async def serve() -> None:
        with claimed() as (reading, writing):
            async with message_streams(reading, writing) as (received, sent):
                await make_server(app).serve(received, sent)

    return serve


def _http(app: AppContext, call: Namespace, token: str | None) -> Door:
    from codeens_mcp_tools.transport.http import Access, serve_http
    from codeens_mcp_tools.transport.oauth import OAuth

    oauth = OAuth.asked_for(call)
    address = call.mcp_address
    access = Access(
        host=address.host,
        port=address.port,
        token=None if oauth else token,
        origins=tuple(call.allow_origin or ()),
    )
    server = make_server(app, auth=oauth.settings(), token_verifier=oauth) if oauth is not None else make_server(app)
    return lambda: serve_http(server, access)

"""The MCP door, alone or beside the language server in the same process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from argparse import Namespace
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from codeens_mcp_tools.context import AppContext, ServerOptions, open_context
from codeens_mcp_tools.server import make_server
from codeens_mcp_tools.transport.stdio import claimed, message_streams
from codeens_server.files import own_token

Door = Callable[[], Awaitable[object]]
_THREADS_LEFT_AFTER_S = 2.0


def run(call: Namespace, beside: Door | None = None) -> int:
    """Serve as the arguments of `codeens-server` say, and `beside` in the same process; return the exit code."""
    options = ServerOptions(roots=tuple(call.root or [Path.cwd()]), trusted=call.trust_workspace)
    failure: BaseException | None = None
    try:
        anyio.run(_serve, call, options, beside)
    except* OSError as group:
        failure = group.exceptions[0]
        sys.stderr.write(f"codeens-server: error: {failure}\n")
    code = 0 if failure is None else 1
    _end_without_threads(code)
    return code


def _end_without_threads(code: int) -> None:
    """End the process soon, though a thread may still import something or wait for a file; all else has ended."""
    clock = threading.Timer(_THREADS_LEFT_AFTER_S, os._exit, (code,))
    clock.daemon = True
    clock.start()


async def _serve(call: Namespace, options: ServerOptions, beside: Door | None) -> None:
    async with open_context(options) as app, _until_signalled() as scope, anyio.create_task_group() as group:
        if beside is not None:
            group.start_soon(_ending, beside, scope if call.stdio else None)
        mcp = _stdio(app) if call.mcp == "stdio" else _http(app, call)
        group.start_soon(_ending, mcp, scope)


@asynccontextmanager
async def _until_signalled() -> AsyncGenerator[anyio.CancelScope]:
    """A block that SIGTERM and SIGINT end, like the end of the client does, with everything that it started."""
    async with anyio.create_task_group() as group:

        async def listen() -> None:
            with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for _ in signals:
                    group.cancel_scope.cancel()

        group.start_soon(listen)
        yield group.cancel_scope
        group.cancel_scope.cancel()


async def _ending(door: Door, scope: anyio.CancelScope | None) -> None:
    """Serve; the end of a door that belongs to the parent process ends the others."""
    await door()
    if scope is not None:
        scope.cancel()


def _stdio(app: AppContext) -> Door:
    async def serve() -> None:
        with claimed() as (reading, writing):
            async with message_streams(reading, writing) as (received, sent):
                await make_server(app).serve(received, sent)

    return serve


def _http(app: AppContext, call: Namespace) -> Door:
    from codeens_mcp_tools.transport.http import Access, serve_http
    from codeens_mcp_tools.transport.oauth import OAuth

    oauth = OAuth.asked_for(call)
    token: str | None = call.token
    if oauth is None and token is None and not call.no_token:
        token, path = own_token("mcp-token")
        sys.stderr.write(f"codeens-server asks for the bearer token in {path}\n")
    address = call.mcp_address
    access = Access(
        host=address.host,
        port=address.port,
        token=None if oauth else token,
        origins=tuple(call.allow_origin or ()),
    )
    server = make_server(app, auth=oauth.settings(), token_verifier=oauth) if oauth is not None else make_server(app)
    return lambda: serve_http(server, access)

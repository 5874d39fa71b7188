"""The MCP door, alone or beside the language server in the same process."""

from __future__ import annotations

import signal
import sys
from argparse import Namespace
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from codeens_mcp_tools.lines import claimed, message_streams
from codeens_mcp_tools.room import Options, Room, open_room
from codeens_mcp_tools.server import make_server

Door = Callable[[], Awaitable[None]]


def run(asked: Namespace) -> int:
    """Serve as the arguments of `codeens-server` say; returns the exit code."""
    options = Options(roots=tuple(asked.root or [Path.cwd()]), trusted=asked.trust_workspace)
    failure: BaseException | None = None
    try:
        anyio.run(_serve, asked, options)
    except* OSError as group:
        failure = group.exceptions[0]
        sys.stderr.write(f"codeens-server: error: {failure}\n")
    return 0 if failure is None else 1


async def _serve(asked: Namespace, options: Options) -> None:
    async with open_room(options) as room, _until_signalled() as scope, anyio.create_task_group() as group:
        beside = _language_server(asked)
        if beside is not None:
            group.start_soon(_ending, beside, scope if asked.stdio else None)
        mcp = _stdio(room) if asked.mcp == "stdio" else _http(room, asked)
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


def _stdio(room: Room) -> Door:
    async def serve() -> None:
        with claimed() as (reading, writing):
            async with message_streams(reading, writing) as (received, sent):
                await make_server(room).serve(received, sent)

    return serve


def _http(room: Room, asked: Namespace) -> Door:
    from codeens_mcp_tools.http import Access, serve_http
    from codeens_mcp_tools.oauth import OAuth
    from codeens_mcp_tools.tokens import own_token

    oauth = OAuth.asked_for(asked)
    token: str | None = asked.token
    if oauth is None and token is None and not asked.no_token:
        token, path = own_token()
        sys.stderr.write(f"codeens-server asks for the bearer token in {path}\n")
    address = asked.mcp_address
    access = Access(
        host=address.host,
        port=address.port,
        token=None if oauth else token,
        origins=tuple(asked.allow_origin or ()),
    )
    server = make_server(room, auth=oauth.settings(), token_verifier=oauth) if oauth is not None else make_server(room)
    return lambda: serve_http(server, access)


def _language_server(asked: Namespace) -> Door | None:
    """The door for editors that was asked for beside this one."""
    if asked.tcp is not None or asked.ws is not None:
        from codeens_server.lsp.ports import serve_tcp, serve_ws

        if asked.tcp is not None:
            return lambda: serve_tcp(asked.tcp.host, asked.tcp.port, asked.token)
        return lambda: serve_ws(asked.ws.host, asked.ws.port, asked.token)
    if not asked.stdio:
        return None
    from codeens_server.lsp.channels import StandardStreams
    from codeens_server.lsp.serving import serve

    async def serve_editor() -> None:
        await serve(StandardStreams(sys.stdin.fileno(), sys.stdout.fileno()), asked.token, is_child=True)

    return serve_editor

"""The language server's door: serves until the client, or a signal, ends it."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Awaitable, Callable

import anyio

from codeens_server.lsp.channels import StandardStreams
from codeens_server.lsp.serving import serve


def stdio(token: str | None) -> int:
    """Serve one session over standard input and output; returns the exit code."""
    code = 1

    async def one() -> None:
        nonlocal code
        channel = StandardStreams(sys.stdin.fileno(), sys.stdout.fileno())
        code = await serve(channel, token, is_child=True)

    _run(one)
    return code


def tcp(host: str, port: int, token: str | None) -> int:
    """Serve sessions over TCP until a signal ends it."""
    from codeens_server.lsp.ports import serve_tcp

    _run(lambda: serve_tcp(host, port, token))
    return 0


def ws(host: str, port: int, token: str | None) -> int:
    """Serve sessions over WebSockets until a signal ends it."""
    from codeens_server.lsp.ports import serve_ws

    _run(lambda: serve_ws(host, port, token))
    return 0


def _run(serving: Callable[[], Awaitable[None]]) -> None:
    """Serve; SIGTERM and SIGINT end it like the end of the client does, with everything that it started."""
    # What pygls logs it also answers; on stderr it would only be noise in the editor's log.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)

    async def until_signalled() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_listen, group.cancel_scope)
            await serving()
            group.cancel_scope.cancel()

    anyio.run(until_signalled)


async def _listen(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()

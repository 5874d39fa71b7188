"""Serve editors: a session for each connection, until the client or a signal ends it with all that it started."""

from __future__ import annotations

import gc
import logging
import math
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel

from codeens_server.lsp.session import EditorSession
from codeens_server.lsp.transport.channels import BadFrame, MessageChannel, StandardStreams
from codeens_server.lsp.transport.errors import parse_error

_MOST_UNSENT = 256 << 20
"""Bytes that wait for a client which does not read; with more it counts as gone."""
_SENT_WITHIN_S = 2.0
_LOOKED_AT_EVERY_S = 3.0


class _Outbox:
    """Where pygls writes. What is sent waits here: a client that reads slowly does not hold the server up."""

    def __init__(self) -> None:
        self._send, self._waiting = anyio.create_memory_object_stream[bytes](math.inf)
        self._unsent = 0
        self._is_open = True
        self._sent = anyio.Event()

    def write(self, data: bytes) -> None:
        """Queue a message; drop it when too much waits, or after the end."""
        self._unsent += len(data)
        if self._unsent > _MOST_UNSENT:
            self.close()
        if self._is_open:
            self._send.send_nowait(data)

    def close(self) -> None:
        """Accept no more messages; what waits is still sent."""
        self._is_open = False
        self._send.close()

    async def send_all(self, channel: MessageChannel) -> None:
        """Send what was taken, and what will be, until the end or until the client is gone."""
        with self._waiting:
            async for data in self._waiting:
                try:
                    await channel.send(data)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    break
                self._unsent -= len(data)
        self._sent.set()

    async def sent(self) -> None:
        """Wait until all was sent, or the client is gone."""
        await self._sent.wait()


async def serve(channel: MessageChannel, token: str | None, *, is_child: bool = False) -> int:
    """Serve one session to its end: `exit`, or the client's end.

    Args:
        channel: what its messages go through.
        token: what the client must know; None: nothing.
        is_child: the client is the process that started this one; when it is gone the session ends.

    Returns:
        The exit code that LSP asks for: 0 after `shutdown` and `exit`, else 1.
    """
    outbox = _Outbox()
    code: int | None = None
    async with anyio.create_task_group() as work:
        session = EditorSession(work, token)
        session.protocol.set_writer(outbox, include_headers=False)
        async with anyio.create_task_group() as reading:

            async def write() -> None:
                await outbox.send_all(channel)
                reading.cancel_scope.cancel()

            work.start_soon(write)
            if is_child:
                reading.start_soon(_watch, session, reading.cancel_scope)
            await _receive_all(channel, session)
            reading.cancel_scope.cancel()
        await session.end()
        outbox.close()
        with anyio.move_on_after(_SENT_WITHIN_S):
            await outbox.sent()
        code = session.protocol.exit_code
        work.cancel_scope.cancel()
    return 1 if code is None else code


async def _receive_all(channel: MessageChannel, session: EditorSession) -> None:
    while session.protocol.exit_code is None:
        try:
            messages = await channel.receive()
        except anyio.EndOfStream:
            return
        for message in messages:
            if isinstance(message, BadFrame):
                session.protocol.refuse(None, parse_error(message.why))
            else:
                session.protocol.accept(message)
        if session.protocol.is_initialized and not gc.isenabled():
            # The editor has its first answer; until then looking for garbage only took time, and found none.
            gc.freeze()
            gc.enable()
        await anyio.lowlevel.checkpoint()


async def _watch(session: EditorSession, scope: anyio.CancelScope) -> None:
    """End the session of a client that died without closing its end of the pipe."""
    while True:
        await anyio.sleep(_LOOKED_AT_EVERY_S)
        try:
            os.kill(session.client_pid or os.getpid(), 0)
        except ProcessLookupError:
            scope.cancel()
        except OSError:
            pass  # it is there, and another user's


def stdio(token: str | None) -> int:
    """Serve one session over standard input and output; return the exit code."""
    code = 1

    async def one() -> None:
        nonlocal code
        code = await serve_stdio(token)

    _run(one)
    if threading.active_count() > 1:
        # What a thread still imports or reads is for nobody any more, and Python would wait for it.
        sys.stderr.flush()
        os._exit(code)
    return code


def tcp(host: str, port: int, token: str | None) -> int:
    """Serve sessions over TCP until a signal ends it."""
    _run(lambda: serve_tcp(host, port, token))
    return 0


def ws(host: str, port: int, token: str | None) -> int:
    """Serve sessions over WebSockets until a signal ends it."""
    _run(lambda: serve_ws(host, port, token))
    return 0


async def serve_stdio(token: str | None) -> int:
    """Serve one session over standard input and output; return the exit code."""
    return await serve(StandardStreams(sys.stdin.fileno(), sys.stdout.fileno()), token, is_child=True)


async def serve_tcp(host: str, port: int, token: str | None) -> None:
    """Serve a session for each TCP connection; never return."""
    from codeens_server.lsp.transport import ports

    await ports.listen_tcp(host, port, lambda channel: serve(channel, token))


async def serve_ws(host: str, port: int, token: str | None) -> None:
    """Serve a session for each WebSocket; never return."""
    from codeens_server.lsp.transport import ports

    await ports.listen_ws(host, port, lambda channel: serve(channel, token))


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

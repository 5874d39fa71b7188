"""Serves one session over a channel, from its first message to the end of the last process that it started."""

from __future__ import annotations

import gc
import math
import os

import anyio
import anyio.lowlevel

from codeens_server.lsp.channels import Channel
from codeens_server.lsp.frames import BadFrame
from codeens_server.lsp.refusals import parse_error
from codeens_server.lsp.session import Session

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
        """Take a message; when too much waits, or after the end, it is dropped."""
        self._unsent += len(data)
        if self._unsent > _MOST_UNSENT:
            self.close()
        if self._is_open:
            self._send.send_nowait(data)

    def close(self) -> None:
        """Take nothing more; what waits is still sent."""
        self._is_open = False
        self._send.close()

    async def send_all(self, channel: Channel) -> None:
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


async def serve(channel: Channel, token: str | None, *, is_child: bool = False) -> int:
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
        session = Session(work, token)
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


async def _receive_all(channel: Channel, session: Session) -> None:
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


async def _watch(session: Session, scope: anyio.CancelScope) -> None:
    """End the session of a client that died without closing its end of the pipe."""
    while True:
        await anyio.sleep(_LOOKED_AT_EVERY_S)
        try:
            os.kill(session.client_pid or os.getpid(), 0)
        except ProcessLookupError:
            scope.cancel()
        except OSError:
            pass  # it is there, and another user's

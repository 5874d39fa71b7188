"""What messages come and go through: standard input and output, a TCP connection, a WebSocket."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream

from codeens_server.lsp.frames import BadFrame, Frames, framed

_PIECE = 1 << 16
# A pipe that is ready takes this much without blocking (POSIX: PIPE_BUF).
_WRITTEN_AT_ONCE = 4096


class Channel(Protocol):
    """Carries whole messages. For one reader and one writer."""

    async def receive(self) -> list[bytes | BadFrame]:
        """The next messages.

        Raises:
            anyio.EndOfStream: the client is gone.
        """
        ...

    async def send(self, body: bytes) -> None:
        """Send one message.

        Raises:
            anyio.BrokenResourceError: the client is gone.
        """
        ...


class StandardStreams:
    """Two file descriptors. No thread waits for them, so that nothing is left waiting when the server ends."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing
        self._frames = Frames()

    async def receive(self) -> list[bytes | BadFrame]:
        await _ready(anyio.wait_readable, self._reading)
        try:
            data = os.read(self._reading, _PIECE)
        except BlockingIOError:
            return []
        except OSError:
            raise anyio.EndOfStream from None
        if not data:
            raise anyio.EndOfStream
        return list(self._frames.feed(data))

    async def send(self, body: bytes) -> None:
        rest = memoryview(framed(body))
        while rest:
            await _ready(anyio.wait_writable, self._writing)
            try:
                written = os.write(self._writing, rest[:_WRITTEN_AT_ONCE])
            except BlockingIOError:
                continue
            except OSError as error:
                raise anyio.BrokenResourceError from error
            rest = rest[written:]


async def _ready(wait: Callable[[int], Awaitable[None]], descriptor: int) -> None:
    try:
        await wait(descriptor)
    except PermissionError:
        # A file on a disk cannot be waited for, and need not be.
        await anyio.lowlevel.checkpoint()


class Stream:
    """A connection that carries bytes."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._frames = Frames()

    async def receive(self) -> list[bytes | BadFrame]:
        try:
            return list(self._frames.feed(await self._stream.receive(_PIECE)))
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise anyio.EndOfStream from None

    async def send(self, body: bytes) -> None:
        await self._stream.send(framed(body))

"""Messages over bytes: framed as the base protocol of LSP does, and the streams that carry them.

What is malformed is reported and skipped. Source: Language Server Protocol 3.17, "Base Protocol".
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import NamedTuple, Protocol

import anyio
import anyio.lowlevel
from anyio.abc import ByteStream

MOST_BYTES = 64 << 20
"""Of one message. A document of a million lines has less."""

_LONGEST_LINE = 8 << 10
_MOST_SKIPPED = 4 << 30
_HEADER = re.compile(rb"[!-9;-~]+:")
# Not only at the start of a line: a body longer than was announced leaves its rest before the next header.
_LENGTH = re.compile(rb"Content-Length:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE)
_PIECE = 1 << 16
# A pipe that is ready takes this much without blocking (POSIX: PIPE_BUF).
_WRITTEN_AT_ONCE = 4096


class BadFrame(NamedTuple):
    """Bytes that are no message, and why."""

    why: str


def framed(body: bytes) -> bytes:
    """Return a message with its header."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Frames:
    """Takes bytes as they come, in pieces of any size."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._buffer = bytearray()
        self._skip = 0
        self._expected: int | None = None
        """Length of the body, once the headers named it."""
        self._in_body = False
        self._complained = False
        """Whether what is wrong with the headers at hand was told already."""

    def feed(self, data: bytes) -> Iterator[bytes | BadFrame]:
        """Return bodies that are complete now, in order, and what was wrong between them."""
        self._buffer += data
        while True:
            if self._skip:
                self._drop_skipped()
                if self._skip:
                    return
            elif self._in_body:
                body = self._body()
                if body is None:
                    return
                yield body
            else:
                line = self._line()
                if line is None:
                    return
                if bad := self._header(line):
                    yield bad

    def _drop_skipped(self) -> None:
        dropped = min(self._skip, len(self._buffer))
        del self._buffer[:dropped]
        self._skip -= dropped

    def _body(self) -> bytes | None:
        length = self._expected or 0
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._in_body, self._expected = False, None
        return body

    def _line(self) -> bytes | None:
        """Return the next line without its line feed; of an endless line only the last part is kept."""
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > _LONGEST_LINE:
                del self._buffer[:-_LONGEST_LINE]
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _header(self, line: bytes) -> BadFrame | None:
        if not line.strip():
            return self._end_of_headers()
        if match := _LENGTH.search(line):
            self._expected = int(match[1])
            return None if match.start() == 0 else self._complaint("there are bytes between two messages")
        if not _HEADER.match(line):
            return self._complaint("a line before a message is not a header")
        return None

    def _complaint(self, why: str) -> BadFrame | None:
        if self._complained:
            return None
        self._complained = True
        return BadFrame(why)

    def _end_of_headers(self) -> BadFrame | None:
        complained, self._complained = self._complained, False
        length = self._expected
        if length is None:
            return None if complained else BadFrame("the headers of a message have no Content-Length")
        if length > self._most_bytes:
            self._expected = None
            self._skip = length if length <= _MOST_SKIPPED else 0
            return BadFrame(f"a message of {length} bytes is too large: at most {self._most_bytes}")
        self._in_body = True
        return None


class MessageChannel(Protocol):
    """Carries whole messages. For one reader and one writer."""

    async def receive(self) -> list[bytes | BadFrame]:
        """Return the next messages.

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


class ByteChannel:
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

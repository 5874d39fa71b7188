"""MCP's stdio transport: one message a line, over two file descriptors that nothing else in the process can reach.

No thread waits for a line, so that a signal can end the server while the client is silent.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias, cast

import anyio
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError, jsonrpc_message_adapter
from pydantic import ValidationError

MOST_BYTES = 4 << 20
"""Of a message. What is longer is refused, and skipped to the end of its line."""
_PIECE = 1 << 16
# A pipe that is ready takes this much without blocking (POSIX: PIPE_BUF).
_WRITTEN_AT_ONCE = 4096

Received: TypeAlias = MemoryObjectReceiveStream[SessionMessage | Exception]
Sent: TypeAlias = MemoryObjectSendStream[SessionMessage]


@contextmanager
def claimed() -> Generator[tuple[int, int]]:
    """Take standard input and output for the protocol. What is printed meanwhile goes to standard error."""
    reading, writing = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    try:
        yield reading, writing
    finally:
        for private, standard in ((reading, 0), (writing, 1)):
            os.dup2(private, standard)
            os.close(private)


@asynccontextmanager
async def message_streams(reading: int, writing: int) -> AsyncGenerator[tuple[Received, Sent]]:
    """Messages as the SDK takes them, until the client closes its end."""
    received_in, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    sent, sent_out = anyio.create_memory_object_stream[SessionMessage](0)

    async def read(refusing: Sent) -> None:
        async with received_in, refusing:
            async for line in _lines(reading):
                message = read_message(line)
                if isinstance(message, JSONRPCError):
                    await refusing.send(SessionMessage(message))
                else:
                    await received_in.send(message)

    async def write() -> None:
        async with sent_out:
            async for item in sent_out:
                text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
                if not await _written(writing, text.encode() + b"\n"):
                    group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(read, sent.clone())
        group.start_soon(write)
        yield received, sent
        group.cancel_scope.cancel()


def read_message(line: bytes | None) -> SessionMessage | JSONRPCError:
    """A line as a message, or the error to answer with. None stands for a line that was too long."""
    if line is None:
        return _refusal(INVALID_REQUEST, f"a message has at most {MOST_BYTES} bytes")
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except (ValidationError, RecursionError):
        pass
    try:
        document: Any = json.loads(line)
    except (ValueError, RecursionError):
        return _refusal(PARSE_ERROR, "this is not JSON")
    fields = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    known = fields.get("id")
    return _refusal(INVALID_REQUEST, "this is no message of JSON-RPC 2.0", known if _is_id(known) else None)


def _is_id(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _refusal(code: int, why: str, known: str | int | None = None) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=known, error=ErrorData(code=code, message=why))


async def _lines(descriptor: int) -> AsyncGenerator[bytes | None]:
    """Lines without their ends; None for one that is too long."""
    parts: list[bytes] = []
    length = 0
    while True:
        await _ready(descriptor, for_reading=True)
        try:
            data = os.read(descriptor, _PIECE)
        except BlockingIOError:
            continue
        except OSError:
            return
        if not data:
            return
        *ended, rest = data.split(b"\n")
        for piece in ended:
            whole = None if length + len(piece) > MOST_BYTES else b"".join([*parts, piece]).strip()
            parts, length = [], 0
            if whole is None or whole:
                yield whole
        length += len(rest)
        if length <= MOST_BYTES:
            parts.append(rest)
        else:
            parts = []


async def _written(descriptor: int, data: bytes) -> bool:
    """Write all of it; False when the client is gone."""
    rest = memoryview(data)
    while rest:
        await _ready(descriptor, for_reading=False)
        try:
            rest = rest[os.write(descriptor, rest[:_WRITTEN_AT_ONCE]) :]
        except BlockingIOError:
            continue
        except OSError:
            return False
    return True


async def _ready(descriptor: int, *, for_reading: bool) -> None:
    try:
        await (anyio.wait_readable(descriptor) if for_reading else anyio.wait_writable(descriptor))
    except PermissionError:
        # A file on a disk cannot be waited for, and need not be.
        await anyio.lowlevel.checkpoint()

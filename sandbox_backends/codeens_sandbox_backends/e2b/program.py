"""A running program of an E2B sandbox."""

from __future__ import annotations

from typing import Protocol

import anyio
from anyio.abc import TaskGroup

_PIECES_AT_MOST = 64


class Handle(Protocol):
    """What is used of the SDK's handle of a program."""

    async def wait(self) -> object: ...

    async def send_stdin(self, data: bytes) -> None: ...

    async def disconnect(self) -> None: ...


class E2BProgram:
    """Its output comes through a callback of the SDK, and waits here until it is asked for."""

    def __init__(self) -> None:
        self._pieces, self._received = anyio.create_memory_object_stream[str](_PIECES_AT_MOST)
        self._handle: Handle | None = None
        self._failure: Exception | None = None
        self._let_go = False

    async def take(self, piece: str) -> None:
        """For the SDK: it reads on when this returns."""
        try:
            await self._pieces.send(piece)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    def abandon(self) -> None:
        """It was not started."""
        self._pieces.close()
        self._received.close()

    def follow(self, handle: Handle, tasks: TaskGroup) -> None:
        """Watch for the end, in a task."""
        self._handle = handle
        tasks.start_soon(self._watch, handle)

    async def send(self, data: bytes) -> None:
        if self._handle is not None:
            await self._handle.send_stdin(data)

    async def receive(self) -> bytes:
        try:
            return (await self._received.receive()).encode("ascii", "replace")
        except anyio.EndOfStream:
            if self._failure is not None:
                raise self._failure from None
            return b""

    async def aclose(self) -> None:
        self._received.close()
        if self._handle is not None and not self._let_go:
            self._let_go = True
            await self._handle.disconnect()

    async def _watch(self, handle: Handle) -> None:
        try:
            await handle.wait()
        except anyio.get_cancelled_exc_class():
            if not self._let_go:
                raise
        except Exception as error:  # noqa: BLE001  # told to who reads on
            self._failure = error
        finally:
            self._pieces.close()

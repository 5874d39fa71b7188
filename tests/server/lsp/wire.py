"""The server's process with its pipes: for messages that no client would send."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.quick import QUICK
from tests.server.lsp.editor import SERVER

SECONDS = 100.0


class Wire:
    """Bytes to the server, messages from it."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self._to = process.stdin
        self._from = BufferedByteReceiveStream(process.stdout)
        self._last = 0
        self.initialized: dict[str, Any] = {}
        """What the server answered to `initialize`."""
        self.others: list[dict[str, Any]] = []
        """What came while something else was waited for."""

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        await self._to.send(data)

    async def body(self, body: bytes) -> None:
        """Send a message's bytes in a right frame."""
        await self.raw(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def notify(self, method: str, params: object) -> None:
        await self.body(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode())

    async def request(self, method: str, params: object) -> dict[str, Any]:
        """Send a request, and wait for the answer to it."""
        self._last += 1
        message = {"jsonrpc": "2.0", "id": self._last, "method": method, "params": params}
        await self.body(json.dumps(message).encode())
        return await self.answer(self._last)

    async def answer(self, message_id: object) -> dict[str, Any]:
        """The next answer with an id; requests of the server are refused meanwhile."""
        while True:
            message = await self.message()
            if "method" not in message and message.get("id") == message_id:
                return message
            self.others.append(message)
            if "method" in message and "id" in message:
                refusal = {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no"}}
                await self.body(json.dumps(refusal).encode())

    async def message(self) -> dict[str, Any]:
        """The next message of any kind."""
        with anyio.fail_after(SECONDS):
            length = 0
            while line := (await self._from.receive_until(b"\r\n", 4096)):
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            return cast("dict[str, Any]", json.loads(await self._from.receive_exactly(length)))

    async def initialize(self, folder: Path, **more: object) -> dict[str, Any]:
        """Begin the session."""
        answer = await self.request(
            "initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}, **more}
        )
        await self.notify("initialized", {})
        self.initialized = answer.get("result", {})
        return answer

    async def close(self) -> None:
        """End the server's input."""
        await self._to.aclose()


@asynccontextmanager
async def wire(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> AsyncGenerator[Wire]:
    """A server of its own; it is gone when the block is left."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    process = await anyio.open_process(
        [SERVER, *(arguments or ("--stdio",))],
        cwd=folder,
        env={**kept, "HOME": str(folder), **QUICK, **(environment or {})},
        stderr=None,
    )
    try:
        yield Wire(process)
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await process.aclose()

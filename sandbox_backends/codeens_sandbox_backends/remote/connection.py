"""Joins a worker's channel, a socket of this process, with the lines of its relay; runs in the pool's event loop."""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress
from typing import NamedTuple

import anyio
import msgspec
from anyio import wait_readable, wait_writable

from codeens_sandbox_backends.errors import SandboxBroken, SandboxError
from codeens_sandbox_backends.remote.relay import RelayLines, WorkerOrder, WorkerReport, decoded, unpacked

SILENCE_S = 90.0
_ALIVE_EVERY_S = SILENCE_S / 3
_PIECE = 1 << 17
_LOOK_EVERY_S = 0.2
"""Waiting for room in the channel does not end when it is shut down."""


class Said(NamedTuple):
    """What a worker left when it ended."""

    report: WorkerReport
    stdout: bytes
    stderr: bytes


class Connection:
    """One worker: `serve` is a task, the other methods are called from the same loop."""

    def __init__(self, lines: RelayLines, channel: socket.socket) -> None:
        """`channel` is the relay's end: what is written to it the driver reads. It is closed by `serve`."""
        self._lines = lines
        self._channel = channel
        self._output = {"stdout": bytearray(), "stderr": bytearray()}
        self._killed = False
        self._heard = True
        """Whether the driver still wants what the worker says."""
        channel.setblocking(False)

    async def serve(self, order: WorkerOrder) -> Said:
        """Start the worker and pass everything on until it has ended.

        Raises:
            SandboxBroken: the sandbox, or the connection to it, failed.
        """
        nonce = secrets.token_hex(16)
        text = msgspec.json.encode(msgspec.structs.replace(order, nonce=nonce))
        with self._channel:
            await self._lines.say("order", text)
            report = await self._converse(nonce, order.output_bytes)
        if report.failed:
            raise SandboxBroken(f"a worker could not be started: {report.failed}")
        return Said(report, bytes(self._output["stdout"]), bytes(self._output["stderr"]))

    async def kill(self) -> None:
        """Have every process of the worker ended; what it still says to the driver is dropped."""
        if not self._killed:
            self._killed = True
            self._deafen()
            await self._lines.say("kill")

    async def _converse(self, nonce: str, output_bytes: int) -> WorkerReport:
        reports: list[WorkerReport] = []
        failures: list[SandboxError] = []
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._feed)
                tasks.start_soon(self._stay_alive)
                reports.append(await self._listen(nonce, output_bytes))
                tasks.cancel_scope.cancel()
        except* SandboxError as errors:
            failures += (error for error in errors.exceptions if isinstance(error, SandboxError))
        if not reports:
            raise failures[0]
        return reports[0]

    async def _feed(self) -> None:
        """Pass on what the driver writes."""
        with suppress(OSError):
            while True:
                await wait_readable(self._channel)
                data = self._channel.recv(_PIECE)
                if not data:
                    break
                await self._lines.say("data", data)
        await self._lines.say("close")

    async def _stay_alive(self) -> None:
        while True:
            await anyio.sleep(_ALIVE_EVERY_S)
            await self._lines.say("alive")

    async def _listen(self, nonce: str, output_bytes: int) -> WorkerReport:
        while True:
            word, data = await self._lines.next(nonce)
            if word == "data":
                await self._pass_on(decoded(data))
            elif word == "closed":
                self._deafen()
            elif word == "end":
                return unpacked(data, WorkerReport)
            elif word in self._output and len(self._output[word]) <= output_bytes:
                self._output[word] += decoded(data)
            else:
                raise SandboxBroken(f"a sandbox's relay said {word[:20]!r}, which it may not")

    async def _pass_on(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest and self._heard:
            try:
                rest = rest[self._channel.send(rest) :]
            except BlockingIOError:
                with anyio.move_on_after(_LOOK_EVERY_S):
                    await wait_writable(self._channel)
            except OSError:  # the driver has closed its end
                self._heard = False

    def _deafen(self) -> None:
        """The driver sees the end of the channel."""
        self._heard = False
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)

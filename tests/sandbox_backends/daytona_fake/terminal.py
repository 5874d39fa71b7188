"""A terminal of a sandbox on a websocket, as the vendor's daemon (its last public source, v0.190) serves one.

Output goes to the client as it comes, through a queue that is not waited for: who does not take it fast enough loses
the connection. Messages to it have a largest size.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from typing import NamedTuple

import anyio
from aiohttp import WSCloseCode, WSMsgType, web

from tests.sandbox_backends.daytona_fake.faults import Fault
from tests.sandbox_backends.fake_machine.machine import Program

LARGEST_MESSAGE = 64 * 1024
QUEUE = 256
EXIT_SUBPROTOCOL = "X-Daytona-Pty-Exit-Control"
_PIECE = 32 * 1024
_REMEMBERED = 64 * 1024


class Terminal(NamedTuple):
    """What is at one end of the websocket."""

    program: Program
    master: int
    """Descriptor of the terminal's master."""
    seen: bytearray
    """What the client sends is added to it."""
    fault: Fault | None
    cut: Callable[[], None]
    """Ends the connection without a word."""


async def serve(socket: web.WebSocketResponse, terminal: Terminal) -> None:
    """Join them until one ends; the descriptor is closed then."""
    try:
        async with anyio.create_task_group() as tasks:
            await socket.send_str(json.dumps({"type": "control", "status": "connected"}))
            tasks.start_soon(_Output(socket, terminal).serve)
            await _pass_input(socket, terminal)
            tasks.cancel_scope.cancel()
    except* ConnectionError:  # the client is gone
        pass
    finally:
        os.close(terminal.master)


class _Output:
    def __init__(self, socket: web.WebSocketResponse, terminal: Terminal) -> None:
        self._socket = socket
        self._terminal = terminal
        self._shown = b""
        self._send, self._receive = anyio.create_memory_object_stream[bytes](QUEUE)

    async def serve(self) -> None:
        with self._send, self._receive:
            has_ended = False
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._write)
                has_ended = await self._read()
                if not has_ended:
                    tasks.cancel_scope.cancel()
                self._send.close()
            if has_ended:
                await self._terminal.program.ended.wait()
                await self._say_goodbye()

    async def _read(self) -> bool:
        """Queue what the terminal shows, until its end; whether there is one to tell of."""
        while True:
            fault = self._due()
            if fault and fault.kind == "killed":  # the daemon closes the terminal before it kills
                self._terminal.program.kill()
                return True
            if fault:
                self._terminal.cut()
                return False
            await anyio.wait_readable(self._terminal.master)
            try:
                piece = os.read(self._terminal.master, _PIECE)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return True
            self._shown = (self._shown + piece)[-_REMEMBERED:]
            try:
                self._send.send_nowait(piece)
            except anyio.WouldBlock:
                await self._socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"slow consumer")
                return False

    def _due(self) -> Fault | None:
        """What is to go wrong, once its time has come."""
        fault = self._terminal.fault
        return fault if fault and fault.after.encode() in self._shown else None

    async def _write(self) -> None:
        async for piece in self._receive:
            await self._socket.send_bytes(piece)

    async def _say_goodbye(self) -> None:
        code = self._terminal.program.exit_code
        reason = "" if code == 0 else "SIGKILL" if code == 137 else "non-zero exit"
        told = {"exitCode": code} | ({"exitReason": reason} if reason else {})
        if self._socket.ws_protocol == EXIT_SUBPROTOCOL:
            await self._socket.send_str(json.dumps({"type": "control", "status": "exited", **told}))
        close_code = WSCloseCode.INTERNAL_ERROR if code else WSCloseCode.OK
        await self._socket.close(code=close_code, message=json.dumps(told).encode())


async def _pass_input(socket: web.WebSocketResponse, terminal: Terminal) -> None:
    async for message in socket:
        if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
            return
        data: bytes = message.data.encode() if message.type == WSMsgType.TEXT else message.data
        terminal.seen.extend(data)
        while data:
            await anyio.wait_writable(terminal.master)
            try:
                data = data[os.write(terminal.master, data) :]
            except BlockingIOError:
                continue
            except OSError:
                return

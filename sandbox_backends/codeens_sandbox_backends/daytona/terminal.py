"""A program of a sandbox whose standard streams are a terminal on a websocket.

Of what the SDK offers this is the only way that has both directions in one connection and is fast in both. A command
of a session takes its input by a request for each piece, and its output goes through a shell that reads it byte by byte
into a file, which is looked at from time to time (the daemon's last public source, v0.190). `exec` has no input at all.

A terminal has two faults, and `window.py`, which is sent through it first, mends both. It changes what passes, so it is
made raw. And the daemon drops who does not take its output fast enough: 256 pieces are queued and no more, of which the
kernel makes one for each write and for each 2 KiB. So the window is told what has arrived.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import uuid
import zlib
from pathlib import Path
from typing import Protocol

import anyio
from anyio.abc import TaskGroup
from daytona import AsyncSandbox

from codeens_sandbox_backends.daytona import window
from codeens_sandbox_backends.daytona.faults import Cut

_READY = b"codeens-terminal-is-raw\n"
_READY_S = 30.0
_NOISE_AT_MOST = 1 << 18
_MESSAGE = 32 * 1024
"""The daemon takes messages of 64 KiB."""
_TELL_AFTER = window.WINDOW // 4
_FIRST_LINE = (
    "{python} -I -S -c '"
    "import base64,os,tty,zlib;"
    "tty.setraw(0);"
    'os.write(1,b"codeens-"+b"terminal-is-raw\\n");'
    'exec(zlib.decompress(base64.b64decode(b"".join(iter(lambda:os.read(0,1),b"\\n")))))\'; exit $?\n'
)
"""Typed into a shell, which shows it as it is. What follows is read by the byte, so that nothing is lost.

Not with `exec`: when there is no such program an interactive shell would stay.
"""


class _Handle(Protocol):
    """What is used of the SDK's `AsyncPtyHandle`."""

    @property
    def exit_code(self) -> int | None: ...
    @property
    def error(self) -> str | None: ...
    def is_connected(self) -> bool: ...
    async def send_input(self, data: str | bytes) -> None: ...
    async def wait(self) -> object: ...
    async def disconnect(self) -> None: ...


class TerminalProgram:
    """See `remote.service.ServiceProgram`."""

    def __init__(self) -> None:
        self._arrived = bytearray()
        self._changed = anyio.Event()
        self._sending = anyio.Lock()
        self._handle: _Handle | None = None
        self._over = False
        self._let_go = False
        self._taken = 0
        self._told = 0

    async def start(self, sandbox: AsyncSandbox, python: str, command: str, tasks: TaskGroup) -> None:
        """Run a line of shell; `tasks` are there as long as this is used."""
        self._handle = await sandbox.process.create_pty_session(f"codeens-{uuid.uuid4().hex}", self._take)
        tasks.start_soon(self._follow, self._handle)
        try:
            await self._send(_FIRST_LINE.format(python=python).encode())
            if await self._made_raw():
                text = f"{_window_source()}\nmain({command!r})\n"
                await self._send(base64.b64encode(zlib.compress(text.encode())) + b"\n")
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.aclose()
            raise

    async def send(self, data: bytes) -> None:
        await self._send(data)

    async def receive(self) -> bytes:
        """Raises `Cut` when the stream ends without the program's end."""
        while not self._arrived:
            await self._tell()
            if self._over and not self._arrived:
                if self._connected().exit_code is None:
                    raise Cut(self._connected().error or "the connection to its terminal ended")
                return b""
            await self._more()
        if self._taken - self._told >= _TELL_AFTER:
            await self._tell()
        piece = bytes(self._arrived)
        self._arrived.clear()
        self._taken += len(piece)
        return piece

    async def aclose(self) -> None:
        self._let_go = True
        if self._handle is not None:
            await self._handle.disconnect()

    def _take(self, data: bytes) -> None:
        """Called by the SDK. What can arrive is bounded by the window."""
        self._arrived += data
        self._changed.set()

    async def _follow(self, handle: _Handle) -> None:
        """Wait for the end. One task does, and to its end: in older SDKs who stops waiting ends the connection."""
        try:
            await handle.wait()
        except anyio.get_cancelled_exc_class():
            if not self._let_go:  # else it is the SDK's task that was cancelled, by itself
                raise
        finally:
            self._over = True
            self._changed.set()

    async def _made_raw(self) -> bool:
        """Wait for the line that says so, and drop what came before it; else that is what there is to receive."""
        with anyio.move_on_after(_READY_S):
            while not (_READY in self._arrived or len(self._arrived) >= _NOISE_AT_MOST or self._over):
                await self._more(len(self._arrived))
        before, ready, rest = self._arrived.partition(_READY)
        self._arrived = rest if ready else before
        return bool(ready)

    async def _more(self, than: int = 0) -> None:
        """Wait until more than so many bytes are there, or it is over."""
        while len(self._arrived) <= than and not self._over:
            self._changed = anyio.Event()
            await self._changed.wait()

    async def _tell(self) -> None:
        """Say how much was taken, if that is news."""
        if self._taken != self._told and self._connected().is_connected():
            self._told = self._taken
            with contextlib.suppress(Exception):  # an end is seen by who receives
                await self._send(b"%s%d\n" % (window.SEEN, self._taken))

    async def _send(self, data: bytes) -> None:
        async with self._sending:  # what is told must not come in the middle of a line
            for start in range(0, len(data), _MESSAGE):
                await self._connected().send_input(data[start : start + _MESSAGE])

    def _connected(self) -> _Handle:
        if self._handle is None:
            raise Cut("there is no terminal")
        return self._handle


@functools.cache
def _window_source() -> str:
    return Path(window.__file__).read_text(encoding="utf-8")

"""What the judge and the relay tell each other about one worker, once each (`inside/relay.py`)."""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import anyio
import msgspec
from msgspec import Struct

from codeens_sandbox_backends import reading
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.host.limits import Rlimit
from codeens_sandbox_backends.remote.calls import Calls
from codeens_sandbox_backends.remote.service import ServiceProgram


class RelayHandshake(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a relay says of the system that it runs on."""

    machine: str
    """As `os.uname().machine`."""
    python: str
    """Version of its interpreter, which is the worker's too: "3.11"."""
    executable: str
    refusal: str
    """What keeps it from giving workers namespaces; empty when nothing does."""


class WorkerOrder(Struct, frozen=True, kw_only=True):
    """All that a relay must know to start a worker."""

    nonce: str
    text: str
    """Python source that the worker's interpreter is started with; its standard input is the channel."""
    environment: dict[str, str]
    rlimits: tuple[Rlimit, ...]
    filter: str
    """The system call filter, in base64."""
    shown: tuple[str, ...]
    """Absolute paths of the bundle that are shown at their place."""
    links: tuple[tuple[str, str], ...]
    covered: tuple[str, ...]
    """Absolute paths that must not be read."""
    disk_bytes: int
    memory_bytes: int
    output_bytes: int
    silence_s: float
    """The relay ends everything when it has heard nothing for that long."""


class WorkerReport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a worker ended. `failed` alone: it could not be started."""

    failed: str = ""
    status: int = 0
    """As wait(2) tells it."""
    cpu_s: float | None = None
    peak_rss_bytes: int | None = None
    over_memory: bool = False
    dropped_bytes: int = 0


T = TypeVar("T")
_HANDSHAKE = b"codeens-relay"
_HANDSHAKE_S = 60.0
_NOISE_AT_MOST = 1 << 16
"""What a shell's start-up files may say before the relay does."""
_LINE_AT_MOST = 1 << 20


class RelayLines:
    """A relay's input and output. One task may read while others write."""

    def __init__(self, calls: Calls, program: ServiceProgram) -> None:
        self._calls = calls
        self._program = program
        self._number = 0
        self._sending = anyio.Lock()
        self._buffer = bytearray()

    async def handshake(self) -> RelayHandshake:
        """Wait for the relay to be there.

        Raises:
            SandboxBroken: it does not come; the message holds what was said instead.
        """
        noise = b""
        try:
            with anyio.fail_after(_HANDSHAKE_S):
                while len(noise) < _NOISE_AT_MOST:
                    line = await self._line()
                    if line.startswith(_HANDSHAKE):
                        return unpacked(line.split(b" ")[1], RelayHandshake)
                    noise += line + b"\n"
        except TimeoutError:
            pass
        except SandboxBroken as error:
            raise SandboxBroken(f"{error}. It said: {_text(noise + self._buffer)}") from None
        raise SandboxBroken(f"a sandbox's first program did not start. It said: {_text(noise)}")

    async def say(self, word: str, data: bytes | None = None) -> None:
        """Send a line."""
        async with self._sending:
            self._number += 1
            line = f"{self._number} {word}".encode("ascii")
            if data is not None:
                line += b" " + base64.b64encode(data)
            await self._calls.send(self._program, line + b"\n")

    async def next(self, nonce: str) -> tuple[str, bytes]:
        """Return the next line's word and text.

        Raises:
            SandboxBroken: the stream ended, or a line is not of the relay that was given this nonce.
        """
        line = await self._line()
        mark, _, rest = line.partition(b" ")
        if mark != nonce.encode("ascii"):
            raise SandboxBroken(f"a sandbox said what only its relay may say: {_text(line)}")
        word, _, data = rest.partition(b" ")
        return word.decode("ascii", "replace"), data

    async def aclose(self) -> None:
        await self._program.aclose()

    async def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            if len(self._buffer) > _LINE_AT_MOST:
                raise SandboxBroken("a sandbox's relay wrote a line without an end")
            piece = await self._calls.receive(self._program)
            if not piece:
                raise SandboxBroken("a sandbox's first program ended, or the connection to it did")
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        return bytes(line).rstrip(b"\r")


def decoded(data: bytes) -> bytes:
    """Raises `SandboxBroken` when it is not base64."""
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise SandboxBroken(f"a sandbox's relay wrote what cannot be read ({error})") from error


def unpacked(data: bytes, kind: type[T]) -> T:
    """Raises `SandboxBroken` when it is not that."""
    try:
        return reading.decoded(decoded(data), kind)
    except msgspec.MsgspecError as error:
        raise SandboxBroken(f"a sandbox's relay wrote what cannot be read ({error})") from error


def _text(said: bytes | bytearray) -> str:
    return bytes(said[-500:]).decode("utf-8", "replace").strip() or "nothing"

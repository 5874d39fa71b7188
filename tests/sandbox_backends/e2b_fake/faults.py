"""What goes wrong in the fake service, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Literal

import anyio
import msgspec
from msgspec import Struct

from tests.sandbox_backends.e2b_fake.http_server import BreakOff, Message, Receive, Send

Call = Literal["create", "list", "delete", "extend", "upload", "start", "send"]
Serving = Callable[[Receive, Send], Awaitable[None]]


class Fault(Struct, frozen=True, kw_only=True):
    """One thing that goes wrong with one request."""

    status: int | None = None
    """Refused with this status."""
    headers: tuple[tuple[str, str], ...] = ()
    drop: Literal["before", "after"] | None = None
    """The connection is closed before the request is looked at, or after all of it was done."""
    cut: int | None = None
    """The connection is closed after that many pieces of the answer."""
    hold: bool = False
    """Nothing is answered until `release`."""


class Plan:
    """Faults by call, in the order in which they happen. What is not planned works."""

    def __init__(self) -> None:
        self._coming: defaultdict[Call, list[Fault]] = defaultdict(list)
        self._released = anyio.Event()
        self.held = 0
        self.requests: list[Call] = []
        """Every call so far."""

    def fail(self, call: Call, fault: Fault, times: int = 1) -> None:
        """Have the next ones fail."""
        self._coming[call] += [fault] * times

    @property
    def left(self) -> dict[Call, int]:
        """How many have not happened, by call."""
        return {call: len(coming) for call, coming in self._coming.items() if coming}

    def heal(self) -> None:
        """Have nothing more fail."""
        self._coming.clear()

    def release(self) -> None:
        """Let requests go on that are held."""
        self._released.set()

    async def carry_out(self, call: Call, receive: Receive, send: Send, serving: Serving) -> None:
        """Serve a request as planned."""
        self.requests.append(call)
        fault = self._coming[call].pop(0) if self._coming[call] else Fault()
        if fault.drop == "before":
            raise BreakOff
        if fault.hold:
            self.held += 1
            await self._released.wait()
        if fault.status is not None:
            await _drain(receive)
            await _refuse(send, fault)
            return
        pieces = 0 if fault.drop else fault.cut
        if pieces is None:
            await serving(receive, send)
        else:
            await serving(receive, _Cut(send, pieces).send)
            raise BreakOff


class _Cut:
    """A `send` that breaks off after so many pieces of body; nothing is sent at all where that is none."""

    def __init__(self, send: Send, pieces: int) -> None:
        self._send = send
        self._left = pieces
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif self._left == 0:
            raise BreakOff
        else:
            if self._start:
                await self._send(self._start)
                self._start = None
            self._left -= 1
            await self._send(message)


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        continue


async def _refuse(send: Send, fault: Fault) -> None:
    body = msgspec.json.encode({"code": fault.status, "message": "this was planned"})
    headers = [("content-type", "application/json"), ("content-length", str(len(body))), *fault.headers]
    await send(
        {
            "type": "http.response.start",
            "status": fault.status,
            "headers": [(name.encode("ascii"), value.encode("ascii")) for name, value in headers],
        }
    )
    await send({"type": "http.response.body", "body": body})

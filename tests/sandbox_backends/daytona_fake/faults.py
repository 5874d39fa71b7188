"""What is made to go wrong, and where."""

from __future__ import annotations

import threading
from typing import Literal

from msgspec import Struct

KEY = "dtn_0123456789abcdef-the-fake-key"
"""Whoever has another one is refused."""
API = ("POST /sandbox", "GET /sandbox", "GET /sandbox/{sandboxIdOrName}", "DELETE /sandbox/{sandboxIdOrName}")
UPLOAD = "POST /files/bulk-upload"
TERMINAL = "GET /process/pty/create-connect"
CALLS = (*API, UPLOAD, TERMINAL)
"""Everything that the SDK asks of a service to run a program in a sandbox."""

Kind = Literal["status", "dropped before", "dropped after", "held", "slow start", "error state", "truncated", "killed"]


class Fault(Struct, frozen=True, kw_only=True):
    """One thing that goes wrong at one call."""

    at: str
    """One of `CALLS`, with the route as the vendor's documents write it."""
    kind: Kind
    """status: it is refused with `status`, and not done.
    dropped before, dropped after: the connection ends before the request is looked at, or when it has been carried out.
    held: it is carried out, and the answer never comes.
    slow start: the sandbox runs some time after the answer. error state: it never does.
    truncated: the stream ends in the middle, without a last word. killed: so does the program, and its end is told."""
    status: int = 500
    retry_after: str = ""
    after: str = ""
    """Output that still comes before a stream is truncated or its program killed."""


class Faults:
    """Faults that wait to happen. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault, times: int = 1) -> None:
        """Let it happen at the next calls."""
        with self._lock:
            self._waiting += [fault] * times

    def take(self, at: str, *kinds: Kind) -> Fault | None:
        """The next one that is to happen there."""
        with self._lock:
            for fault in self._waiting:
                if fault.at == at and fault.kind in kinds:
                    self._waiting.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    @property
    def left(self) -> int:
        """How many have not happened."""
        with self._lock:
            return len(self._waiting)

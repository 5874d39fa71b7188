"""What a service must offer: sandboxes that can be made, found, given a file and a program, and deleted.

A backend implements these protocols on the service's own SDK, and hands `open_remote` what connects to it; all else is
in this folder. Their methods are called in one event loop, raise whatever the SDK raises (`explain` says what that is),
and need not retry: who calls them does, when that is safe. All are cancelled when they take too long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct


class Fault(Struct, frozen=True, kw_only=True):
    """What an exception of an SDK means."""

    kind: Literal["refused", "busy", "lost", "failed"]
    """refused: nothing will help but another configuration (401, 403, no such template): `fix` says which.
    busy: the service did nothing and may do it later (429, 503).
    lost: nobody knows whether it was done (a dropped connection, a timeout, 500, 502).
    failed: it was not done, and trying again will not help (the sandbox is gone)."""
    why: str
    """One clause for people: "the service refused the API key". Keys are taken out by who shows it."""
    fix: str = ""
    retry_after_s: float | None = None
    """What the service asked for, where the SDK tells it."""


class ListedSandbox(Struct, frozen=True, kw_only=True):
    """A sandbox as the service lists it."""

    id: str
    labels: Mapping[str, str]


class ServiceProgram(Protocol):
    """A running program of a sandbox: its standard input and output."""

    async def send(self, data: bytes) -> None:
        """Append to its standard input. What is sent is a few hundred kilobytes of ASCII at the most, and whole lines.

        May be called again with the same data after a fault: lines are numbered, and repeated ones are dropped inside.
        """
        ...

    async def receive(self) -> bytes:
        """Return the next piece of its standard output, in order, of any size; empty when the program has ended."""
        ...

    async def aclose(self) -> None:
        """Let go of the streams. The program need not end: it ends with its sandbox. Safe to call twice."""
        ...


class ServiceSandbox(Protocol):
    """A sandbox of the service."""

    @property
    def id(self) -> str: ...

    async def put(self, path: str, content: bytes) -> None:
        """Write a file; folders on the way are made."""
        ...

    async def start(self, command: str) -> ServiceProgram:
        """Start a line of shell as the most privileged user that there is, without a terminal."""
        ...

    async def extend(self, seconds: int) -> None:
        """Let it live that long from now, whatever was said before."""
        ...


class Service(Protocol):
    """A connection to the service with one key. Close it when done."""

    @property
    def name(self) -> str:
        """The backend's name, for messages."""
        ...

    @property
    def secrets(self) -> Sequence[str]:
        """What must never be shown: keys."""
        ...

    def explain(self, error: Exception) -> Fault:
        """Return what an exception that one of the methods raised means."""
        ...

    async def create(self, labels: Mapping[str, str], ttl_s: int) -> ServiceSandbox:
        """Make a sandbox without a network that the service itself ends after `ttl_s` seconds, and wait until it runs.

        May be called again with the same labels when it is not known what came of it. `labels` hold one that no other
        sandbox has (`labels.SANDBOX`): use it as the idempotency key where the service takes one. What such calls made
        and nobody got is found by it, and deleted.
        """
        ...

    async def listed(self, labels: Mapping[str, str]) -> list[ListedSandbox]:
        """Return all sandboxes that this key can see, in any state, that carry all of these labels."""
        ...

    async def delete(self, machine_id: str) -> None:
        """End and remove a sandbox; nothing when it is gone."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...

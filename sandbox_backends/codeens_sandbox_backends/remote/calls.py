"""Calls to a service: bounded, repeated where that is safe, and with errors that name what to do.

All calls of `service` may be repeated (see there), except reading a program's output.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import anyio

from codeens_sandbox_backends.errors import SandboxBroken, SandboxError, SandboxUnavailable
from codeens_sandbox_backends.owner import owner, whereabouts
from codeens_sandbox_backends.remote.service import Fault, ListedSandbox, Service, ServiceProgram, ServiceSandbox

T = TypeVar("T")
_TRIES = 4
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 30.0
"""A service that asks for more is not waited for."""
_CREATE_S = 120.0
_UPLOAD_S = 120.0
_CALL_S = 30.0
_WHY_AT_MOST = 500


class Calls:
    """A service, and a way to call it. Every method raises `SandboxError` when the service fails."""

    def __init__(self, service: Service, pause: Callable[[float], Awaitable[None]] = anyio.sleep) -> None:
        self._service = service
        self._pause = pause

    async def create(self, labels: Mapping[str, str], ttl_s: int) -> ServiceSandbox:
        """Cancelling waits for the answer to a request that was made: what it makes must be known, to be deleted."""
        return await self._repeated(
            "make a sandbox", lambda: self._service.create(labels, ttl_s), _CREATE_S, shield=True
        )

    async def listed(self, labels: Mapping[str, str]) -> list[ListedSandbox]:
        return await self._repeated("list its sandboxes", lambda: self._service.listed(labels), _CALL_S)

    async def delete(self, machine_id: str) -> None:
        await self._repeated("delete a sandbox", lambda: self._service.delete(machine_id), _CALL_S)

    async def put(self, machine: ServiceSandbox, path: str, content: bytes) -> None:
        await self._repeated("take a file", lambda: machine.put(path, content), _UPLOAD_S)

    async def extend(self, machine: ServiceSandbox, seconds: int) -> None:
        await self._repeated("keep a sandbox", lambda: machine.extend(seconds), _CALL_S)

    async def start(self, machine: ServiceSandbox, command: str) -> ServiceProgram:
        return await self._repeated("start a program", lambda: machine.start(command), _CALL_S)

    async def send(self, program: ServiceProgram, data: bytes) -> None:
        await self._repeated("pass on what was sent to a program", lambda: program.send(data), _CALL_S)

    async def receive(self, program: ServiceProgram) -> bytes:
        """Return the next piece of output; not repeated, and not bounded: a worker may be silent for long."""
        try:
            return await program.receive()
        except SandboxError:
            raise
        except Exception as error:  # noqa: BLE001  # an SDK may raise anything
            raise self._error("pass on what a program said", self._explained(error)) from None

    async def _repeated(
        self, what: str, call: Callable[[], Awaitable[T]], timeout_s: float, *, shield: bool = False
    ) -> T:
        attempt = 0
        while True:
            try:
                with anyio.fail_after(timeout_s, shield=shield):
                    return await call()
            except SandboxError:
                raise
            except Exception as error:  # noqa: BLE001  # likewise
                fault = self._explained(error)
            pause = _pause_after(fault, attempt)
            if pause is None:
                raise self._error(what, fault)
            await self._pause(pause)
            attempt += 1

    def _explained(self, error: Exception) -> Fault:
        if isinstance(error, TimeoutError):
            return Fault(kind="lost", why="it did not answer in time")
        return self._service.explain(error)

    def _error(self, what: str, fault: Fault) -> SandboxError:
        """Raised without its cause: that may hold a request with the key."""
        why = fault.why
        for secret in self._service.secrets:
            why = why.replace(secret, "(key)") if secret else why
        why = " ".join(why.split())[:_WHY_AT_MOST]
        if fault.kind == "refused":
            return SandboxUnavailable(self._service.name, why, fault.fix)
        return SandboxBroken(f"the service {self._service.name} did not {what}: {why}")


def _pause_after(fault: Fault, attempt: int) -> float | None:
    """Return the seconds until another try; None to give up."""
    if fault.kind not in {"busy", "lost"} or attempt == _TRIES - 1:
        return None
    if fault.retry_after_s is not None:
        return fault.retry_after_s if fault.retry_after_s <= _LONGEST_PAUSE_S else None
    return _FIRST_PAUSE_S * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, keeps no secret


OURS = "codeens"
"""On every sandbox that codeens makes, with the value `VERSION`."""
VERSION = "1"
OWNER = "codeens-owner"
SANDBOX = "codeens-sandbox"
"""Its value is different for each sandbox: it finds one that was made while the answer was lost."""


def labels_for_one() -> dict[str, str]:
    """Labels for a sandbox that is to be made."""
    return {OURS: VERSION, OWNER: owner(), SANDBOX: uuid.uuid4().hex}


async def remove_orphans(calls: Calls) -> None:
    """Delete sandboxes of codeens processes of this machine that are gone.

    Those of others, of living ones, and of other machines stay; the service ends them when their time is over.
    """
    for one in await calls.listed({OURS: VERSION}):
        if one.labels.get(OURS) == VERSION and whereabouts(one.labels.get(OWNER, "")) == "gone":
            await calls.delete(one.id)


async def remove_made(calls: Calls, labels: dict[str, str]) -> None:
    """Delete what was made with these labels, if anything was."""
    for one in await calls.listed({SANDBOX: labels[SANDBOX]}):
        if one.labels.get(SANDBOX) == labels[SANDBOX]:
            await calls.delete(one.id)

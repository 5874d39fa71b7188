"""Sandboxes that are made before they are needed, each for one job; no more than a bound at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

import anyio

from codeens_sandbox_backends.errors import SandboxBroken, SandboxError
from codeens_sandbox_backends.remote.calls import Calls, labels_for_one, remove_made, remove_orphans
from codeens_sandbox_backends.remote.relay import RelayHandshake, RelayLines
from codeens_sandbox_backends.remote.service import ServiceSandbox
from codeens_sandbox_backends.remote.setup import ARCHIVE, Setup

_LIFE_S = 900
"""After that the service ends a sandbox by itself, unless it was told otherwise."""
_REMOVAL_S = 60.0
_ORPHANS_S = 30.0


class Ready:
    """A sandbox whose first relay waits for its order."""

    def __init__(self, machine: ServiceSandbox, lines: RelayLines, handshake: RelayHandshake, ends_at: float) -> None:
        self.machine = machine
        self.relays = [lines]
        self.handshake = handshake
        self.ends_at = ends_at


class Lease:
    """A place for one job's sandbox: empty until there is one, and again when it is given back."""

    def __init__(self) -> None:
        self.ready: Ready | None = None
        self.over = False


class ServicePool:
    """All sandboxes of one specification. Its methods are called in one event loop, where `serve` is a task."""

    def __init__(self, calls: Calls, setup: Setup) -> None:
        self.calls = calls
        self._setup = setup
        self._tasks = anyio.create_task_group()
        self._closing = anyio.Event()
        self._changed = anyio.Condition()
        self._waiting: deque[Ready] = deque()
        self._alive: dict[str, Ready] = {}
        self._count = 0
        """Of sandboxes that there are or are being made."""
        self._wanted = 1

    async def serve(self, begun: Callable[[], None]) -> None:
        """Remove orphans and make the first sandbox, call `begun`, then keep all of them until `close`.

        Raises:
            SandboxError: the service does not work, or cannot be used.
        """
        with anyio.move_on_after(_ORPHANS_S):
            await remove_orphans(self.calls)
        self._count += 1
        self._waiting.append(await self._made(_LIFE_S))
        try:
            async with self._tasks:
                begun()
                await self._closing.wait()
                self._tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                async with anyio.create_task_group() as tasks:
                    for ready in tuple(self._alive.values()):
                        tasks.start_soon(self._delete, ready)

    async def take(self, lease: Lease, needed_s: float, *, fresh: bool = False) -> None:
        """Fill a lease with a sandbox that lives that long, once there may be one.

        `fresh`: those that wait are not to be relied on, and are deleted.

        Raises:
            SandboxError: none could be made, or the pool is closed.
        """
        while fresh and self._waiting:
            self._tasks.start_soon(self._delete, self._waiting.popleft())
        ready = await self._some(needed_s)
        if lease.over or self._closing.is_set():
            await self._delete(ready)
            raise SandboxBroken("the sandbox is closed")
        lease.ready = ready
        self._make_ahead()

    def give_back(self, lease: Lease) -> None:
        """Have a lease's sandbox deleted, without waiting for it."""
        lease.over = True
        if lease.ready and not self._closing.is_set():
            self._tasks.start_soon(self._delete, lease.ready)

    async def end(self, lease: Lease) -> None:
        """Have a lease's sandbox deleted, and wait for it."""
        lease.over = True
        if lease.ready:
            await self._delete(lease.ready)

    async def close(self) -> None:
        """Have `serve` delete everything and end."""
        self._closing.set()
        async with self._changed:
            self._changed.notify_all()

    async def _some(self, needed_s: float) -> Ready:
        """Return a sandbox that waits, or make a new one once there may be one more."""
        while True:
            async with self._changed:
                while not self._waiting and self._is_full and not self._closing.is_set():
                    await self._changed.wait()
                if self._closing.is_set():
                    raise SandboxBroken("the sandbox is closed")
                ready = self._waiting.popleft() if self._waiting else None
                self._count += ready is None
            if ready is None:
                return await self._made(max(_LIFE_S, int(needed_s)))
            lives = False
            try:
                lives = await self._lives(ready, needed_s)
            finally:
                if not lives:
                    await self._delete(ready)
            if lives:
                return ready

    @property
    def _is_full(self) -> bool:
        return self._count >= self._setup.options.sandboxes

    async def _lives(self, ready: Ready, needed_s: float) -> bool:
        left = ready.ends_at - monotonic()
        if left >= needed_s:
            return True
        if left > 0:
            with suppress(SandboxError):
                seconds = max(_LIFE_S, int(needed_s))
                await self.calls.extend(ready.machine, seconds)
                ready.ends_at = monotonic() + seconds
                return True
        return False

    def _make_ahead(self) -> None:
        """As many wait as were asked for so far, up to a bound."""
        free = self._setup.options.sandboxes - self._count
        for _ in range(min(free, self._wanted - len(self._waiting))):
            self._count += 1
            self._tasks.start_soon(self._add)
        self._wanted = min(self._wanted + 1, self._setup.options.sandboxes)

    async def _add(self) -> None:
        with suppress(SandboxError):  # who asks next makes one and is told
            ready = await self._made(_LIFE_S)
            async with self._changed:
                self._waiting.append(ready)
                self._changed.notify()

    async def _made(self, life_s: int) -> Ready:
        """Make a sandbox, which is counted already; leave nothing of it behind if that fails."""
        labels = labels_for_one()
        machine: ServiceSandbox | None = None
        ready: Ready | None = None
        try:
            ends_at = monotonic() + life_s
            machine = await self.calls.create(labels, life_s)
            await self.calls.put(machine, ARCHIVE, self._setup.bundle.archive)
            lines, handshake = await self._relay(machine)
            ready = Ready(machine, lines, handshake, ends_at)
            self._alive[machine.id] = ready
            self._setup.check(handshake)
        except BaseException:
            with anyio.CancelScope(shield=True):
                if ready is None:
                    with suppress(SandboxError), anyio.move_on_after(_REMOVAL_S):
                        await (self.calls.delete(machine.id) if machine else remove_made(self.calls, labels))
                    await self._one_less()
                else:
                    await self._delete(ready)
            raise
        return ready

    async def another_relay(self, ready: Ready) -> RelayLines:
        """Start one more in a sandbox, and wait until it is there."""
        lines, _ = await self._relay(ready.machine)
        ready.relays.append(lines)
        return lines

    async def _relay(self, machine: ServiceSandbox) -> tuple[RelayLines, RelayHandshake]:
        lines = RelayLines(self.calls, await self.calls.start(machine, self._setup.command))
        try:
            return lines, await lines.handshake()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await lines.aclose()
            raise

    async def _delete(self, ready: Ready) -> None:
        """Also when this is being cancelled. What the service does not delete it ends when its time is over."""
        if self._alive.pop(ready.machine.id, None) is None:
            return
        with anyio.CancelScope(shield=True):
            with suppress(SandboxError), anyio.move_on_after(_REMOVAL_S):
                await self.calls.delete(ready.machine.id)
            for lines in ready.relays:
                await lines.aclose()
            await self._one_less()

    async def _one_less(self) -> None:
        async with self._changed:
            self._count -= 1
            self._changed.notify()

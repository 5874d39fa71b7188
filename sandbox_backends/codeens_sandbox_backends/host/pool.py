"""A bounded number of processes or containers that are started before they are needed, and kept for the next job."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from codeens_sandbox_backends.errors import SandboxBroken, SandboxError

_LOOK_S = 0.1
"""How often who waits looks whether the job is still wanted: nothing else wakes it when that changes."""


class Poolable(Protocol):
    """Something that can be used again until it is dead."""

    @property
    def dead(self) -> bool: ...

    def end(self) -> None:
        """End it; safe to call again."""
        ...


T = TypeVar("T", bound=Poolable)


class Pool(Generic[T]):
    """Starts members when none is free, up to a bound; beyond it, who wants one waits. Thread-safe."""

    def __init__(
        self,
        start: Callable[[], T],
        *,
        name: str,
        at_most: int,
        ahead: int = 0,
        starts_at_once: int | None = None,
    ) -> None:
        """Start nothing yet.

        Args:
            start: Starts a member, in a thread that lives as long as the pool: bubblewrap ends with its thread.
            name: Of these threads.
            at_most: How many members there may be, those in use included.
            ahead: How many may wait at the most; with each one that is taken, one more does.
            starts_at_once: How many are started at the same time; as many as there may be unless given.
        """
        self._start = start
        self._at_most = at_most
        self._ahead = ahead
        self._wanted = 0
        self._free: list[T] = []
        self._all: list[T] = []
        self._starting = 0
        self._waiting = 0
        self._failures: list[SandboxError] = []
        self._closed = False
        self._changed = threading.Condition()
        self._starter = ThreadPoolExecutor(starts_at_once or at_most, name)

    def prepare(self) -> None:
        """Have one started, unless there is one: it will be wanted soon."""
        with self._changed:
            if not self._free and not self._starting:
                self._start_another()

    def take(self, cancelled: Callable[[], bool] = lambda: False) -> T:
        """Return a member for the caller alone, the one that is free longest, until it is given back.

        Raises:
            SandboxBroken: it could not be started, the pool is closed, or `cancelled` says so.
        """
        with self._changed:
            while True:
                if self._closed or cancelled():
                    raise SandboxBroken("the job was cancelled, or the sandbox closed")
                if (free := self._longest_free()) is not None:
                    self._start_ahead()
                    return free
                if self._failures:
                    raise self._failures.pop()
                if self._waiting >= self._starting:
                    self._start_another()
                self._waiting += 1
                self._changed.wait(_LOOK_S)
                self._waiting -= 1

    def give_back(self, member: T) -> None:
        """Take a member that is free again, or dead. It is the next one to be taken."""
        with self._changed:
            if member.dead or self._closed:
                self._all.remove(member)
            else:
                self._free.insert(0, member)
            self._changed.notify()

    def close(self) -> None:
        """End all members; jobs that use one find it dead. Safe to call again."""
        with self._changed:
            self._closed = True
            ending, self._free = list(self._all), []
            self._changed.notify_all()
        for member in ending:
            member.end()
        self._starter.shutdown()

    def _longest_free(self) -> T | None:
        while self._free:
            member = self._free.pop(0)
            if not member.dead:
                return member
            member.end()
            self._all.remove(member)
        return None

    def _start_ahead(self) -> None:
        for _ in range(self._wanted - len(self._free) - self._starting):
            self._start_another()
        self._wanted = min(self._wanted + 1, self._ahead)

    def _start_another(self) -> None:
        """Where there is room. Its end is seen under the same lock."""
        if not self._closed and len(self._all) + self._starting < self._at_most:
            self._starting += 1
            self._starter.submit(self._start_one)

    def _start_one(self) -> None:
        outcome: T | SandboxError = SandboxBroken("a process could not be started")
        try:
            outcome = self._start()
        except SandboxError as error:
            outcome = error
        finally:
            self._started(outcome)

    def _started(self, outcome: T | SandboxError) -> None:
        with self._changed:
            closed = self._closed
            self._starting -= 1
            if not isinstance(outcome, SandboxError):
                if not closed:
                    self._all.append(outcome)
                    self._free.append(outcome)
            elif self._waiting:  # of what nobody waits for the next try tells
                self._failures.append(outcome)
            self._changed.notify()
        if closed and not isinstance(outcome, SandboxError):
            outcome.end()

"""A bounded number of processes that are kept for the next job."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from codeens_sandbox_backends.errors import SandboxBroken, SandboxError

_LOOK_S = 0.1
"""How often who waits for a process looks whether its job is still wanted."""


class Keepable(Protocol):
    """A process that can be used again until it is dead."""

    @property
    def dead(self) -> bool: ...

    def end(self) -> None:
        """End it; safe to call again."""
        ...


K = TypeVar("K", bound=Keepable)


class Pool(Generic[K]):
    """Starts processes when none is free, up to a bound; beyond it, who wants one waits."""

    def __init__(self, start: Callable[[], K], at_most: int) -> None:
        self._start = start
        self._at_most = at_most
        self._free: list[K] = []
        self._all: list[K] = []
        self._starting = 0
        self._waiting = 0
        self._failures: list[SandboxError] = []
        self._closed = False
        self._changed = threading.Condition()
        # Bubblewrap ends with the thread that started it, and the threads of jobs come and go.
        self._starter = ThreadPoolExecutor(at_most, "codeens warm workers")

    def prepare(self) -> None:
        """Have one started, unless there is one: it will be wanted soon."""
        with self._changed:
            if not self._free and not self._starting:
                self._start_another()

    def take(self, cancelled: Callable[[], bool]) -> K:
        """Return a process for the caller alone, until it is given back.

        Raises:
            SandboxBroken: it could not be started, the pool is closed, or `cancelled` says so.
        """
        with self._changed:
            while True:
                if self._closed or cancelled():
                    raise SandboxBroken("the job was cancelled, or the sandbox closed")
                if self._free:
                    return self._free.pop()
                if self._failures:
                    raise self._failures.pop()
                if self._waiting >= self._starting:
                    self._start_another()
                self._waiting += 1
                self._changed.wait(_LOOK_S)
                self._waiting -= 1

    def give_back(self, kept: K) -> None:
        """The process is free again, or dead."""
        with self._changed:
            if kept.dead or self._closed:
                self._all.remove(kept)
            else:
                self._free.append(kept)
            self._changed.notify()

    def close(self) -> None:
        """End all processes; the jobs that use one find it dead."""
        with self._changed:
            self._closed = True
            ending, self._free = list(self._all), []
            self._changed.notify_all()
        for kept in ending:
            kept.end()
        self._starter.shutdown()

    def _start_another(self) -> None:
        """Where there is room. Its end is seen under the same lock."""
        if not self._closed and len(self._all) + self._starting < self._at_most:
            self._starting += 1
            self._starter.submit(self._start_one)

    def _start_one(self) -> None:
        outcome: K | SandboxError = SandboxBroken("a process could not be started")
        try:
            outcome = self._start()
        except SandboxError as error:
            outcome = error
        finally:
            self._started(outcome)

    def _started(self, outcome: K | SandboxError) -> None:
        with self._changed:
            closed = self._closed
            self._starting -= 1
            if isinstance(outcome, SandboxError):
                self._failures.append(outcome)
            elif not closed:
                self._all.append(outcome)
                self._free.append(outcome)
            self._changed.notify()
        if closed and not isinstance(outcome, SandboxError):
            outcome.end()

"""A bounded number of processes that are kept for the next job."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from codeens_sandbox_backends.errors import SandboxBroken

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
        self._closed = False
        self._changed = threading.Condition()
        # Bubblewrap ends with the thread that started it, and the threads of jobs come and go.
        self._starter = ThreadPoolExecutor(1, "codeens warm players")

    def take(self, cancelled: Callable[[], bool]) -> K:
        """A process for the caller alone, until it is given back.

        Raises:
            SandboxBroken: it could not be started, the pool is closed, or `cancelled` says so.
        """
        with self._changed:
            while True:
                if self._closed or cancelled():
                    raise SandboxBroken("the job was cancelled, or the sandbox closed")
                if self._free:
                    return self._free.pop()
                if len(self._all) + self._starting < self._at_most:
                    self._starting += 1
                    break
                self._changed.wait(_LOOK_S)
        try:
            started = self._starter.submit(self._start).result()
        except RuntimeError as error:  # of an executor that was shut down meanwhile
            raise SandboxBroken("the sandbox is closed") from error
        finally:
            with self._changed:
                self._starting -= 1
        with self._changed:
            self._all.append(started)
            if not self._closed:
                return started
        started.end()
        raise SandboxBroken("the sandbox is closed")

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

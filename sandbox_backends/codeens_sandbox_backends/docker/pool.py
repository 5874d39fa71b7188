"""Containers that are started before they are needed: starting one takes hundreds of milliseconds, ordering none."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

from codeens_sandbox_backends.docker.container import Container
from codeens_sandbox_backends.docker.options import Bounds
from codeens_sandbox_backends.errors import SandboxBroken

_STARTS_AT_ONCE = 2
WAITING_AT_MOST = max(2, min(8, os.cpu_count() or 1))


class Pool:
    """Keeps containers with the usual bounds in wait; as many as were asked for so far, up to a bound."""

    def __init__(self, start: Callable[[Bounds], Container], usual: Bounds) -> None:
        self._start = start
        self._usual = usual
        self._threads = ThreadPoolExecutor(_STARTS_AT_ONCE, "codeens docker")
        self._lock = threading.RLock()
        self._waiting: deque[Future[Container]] = deque()
        self._wanted = 1
        self._closed = False

    def prepare(self) -> None:
        """Start the first one, and wait until it waits. Raises what kept it from starting."""
        first = self._begin(self._usual)
        self._waiting.append(first)
        first.result()

    def take(self, bounds: Bounds) -> Container:
        """Return a container for one order: the one that waited longest, or a new one if the bounds are unusual.

        Raises:
            SandboxBroken: none could be started, or the pool is closed.
        """
        if bounds == self._usual:
            for _ in range(WAITING_AT_MOST):
                try:
                    container = _made(self._longest_waiting())
                except SandboxBroken:  # perhaps long ago: what is tried now tells
                    break
                if container.is_waiting():
                    return container
                container.discard()
        return _made(self._begin(bounds))

    def give_back(self, bounds: Bounds, container: Container) -> None:
        """Take a container that waits for another order; it is the next one that gets one."""
        with self._lock:
            if bounds == self._usual and not self._closed:
                again: Future[Container] = Future()
                again.set_result(container)
                self._waiting.appendleft(again)
                return
        container.discard()

    def close(self) -> None:
        """End what waits; what is being started ends too. Safe to call twice."""
        with self._lock:
            self._closed = True
            waiting = tuple(self._waiting)
            self._waiting.clear()
        for future in waiting:
            future.cancel()
        self._threads.shutdown()
        for future in waiting:
            if not future.cancelled() and future.exception() is None:
                future.result().discard()

    def _longest_waiting(self) -> Future[Container]:
        """Another one begins to wait in its place."""
        with self._lock:
            future = self._waiting.popleft() if self._waiting else self._begin(self._usual)
            while len(self._waiting) < self._wanted:
                self._waiting.append(self._begin(self._usual))
            self._wanted = min(self._wanted + 1, WAITING_AT_MOST)
            return future

    def _begin(self, bounds: Bounds) -> Future[Container]:
        with self._lock:
            if self._closed:
                raise SandboxBroken("the sandbox is closed")
            return self._threads.submit(self._start, bounds)


def _made(future: Future[Container]) -> Container:
    try:
        return future.result()
    except CancelledError:
        raise SandboxBroken("the sandbox was closed") from None

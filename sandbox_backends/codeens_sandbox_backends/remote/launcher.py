"""Starts the workers of one job, in a sandbox that is theirs alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

from anyio.from_thread import BlockingPortal

from codeens_sandbox_backends.base import Limits
from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.remote.connection import Connection
from codeens_sandbox_backends.remote.lines import Lines
from codeens_sandbox_backends.remote.pool import Pool, Ready
from codeens_sandbox_backends.remote.process import RemoteProcess
from codeens_sandbox_backends.remote.setup import Setup

T = TypeVar("T")


class JobLauncher:
    """Its methods may be called from any thread but that of the pool's event loop."""

    def __init__(self, portal: BlockingPortal, pool: Pool, ready: Ready, setup: Setup) -> None:
        self._portal = portal
        self._pool = pool
        self._ready = ready
        self._setup = setup
        self._first: Lines | None = ready.relays[0]
        self._lock = threading.Lock()
        self._given_up = False
        self._tasks: list[Future[Any]] = []
        self._workers: list[RemoteProcess] = []

    def launch(self, role: WorkerKind, limits: Limits) -> RemoteProcess:
        """Start a worker; see `conduct.launch.Launcher`."""
        lines, self._first = self._first, None
        if lines is None:
            lines = self._done(self._spawn(lambda: self._pool.another_relay(self._ready)))
        ours, theirs = socket.socketpair()
        connection = Connection(lines, theirs)
        order = self._setup.order(role, limits, self._ready.greeting)
        try:
            served = self._spawn(lambda: connection.serve(order))
        except BaseException:
            ours.close()
            theirs.close()
            raise
        worker = RemoteProcess(ours, connection, served, self._portal.start_task_soon)
        self._workers.append(worker)
        return worker

    def give_up(self) -> None:
        """Have every `launch` and every worker end at once: the sandbox is to be deleted."""
        with self._lock:
            self._given_up = True
            tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()

    def close(self) -> None:
        """Let go of workers; whose sandbox it is has it deleted, and its relays with it."""
        for worker in self._workers:
            worker.channel.close()

    def _spawn(self, run: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        with self._lock:
            if self._given_up:
                raise SandboxBroken("the job was given up")
            try:
                task = self._portal.start_task_soon(run)
            except RuntimeError:
                raise SandboxBroken("the sandbox is closed") from None
            self._tasks.append(task)
            return task

    def _done(self, task: Future[T]) -> T:
        try:
            return task.result()
        except CancelledError:
            raise SandboxBroken("the job was given up") from None

"""Starts the workers of one job, in a sandbox that is theirs alone."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import Any, TypeVar

from anyio.from_thread import BlockingPortal

from codeens_sandbox_backends.driver.launcher import ExitStatus, WorkerKind, exit_status_of
from codeens_sandbox_backends.errors import SandboxBroken, SandboxError
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.remote.connection import Connection, Said
from codeens_sandbox_backends.remote.pool import Ready, ServicePool
from codeens_sandbox_backends.remote.relay import RelayLines
from codeens_sandbox_backends.remote.setup import Setup

T = TypeVar("T")


class JobLauncher:
    """Its methods may be called from any thread but that of the pool's event loop."""

    def __init__(self, portal: BlockingPortal, pool: ServicePool, ready: Ready, setup: Setup) -> None:
        self._portal = portal
        self._pool = pool
        self._ready = ready
        self._setup = setup
        self._first: RelayLines | None = ready.relays[0]
        self._lock = threading.Lock()
        self._given_up = False
        self._tasks: list[Future[Any]] = []
        self._workers: list[RemoteProcess] = []

    def launch(self, kind: WorkerKind, limits: Limits) -> RemoteProcess:
        """Start a worker; see `driver.launcher.Launcher`."""
        lines, self._first = self._first, None
        if lines is None:
            lines = self._done(self._spawn(lambda: self._pool.another_relay(self._ready)))
        ours, theirs = socket.socketpair()
        connection = Connection(lines, theirs)
        order = self._setup.order(kind, limits, self._ready.handshake)
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


_KILL_GRACE_S = 20.0
"""The way there and back included."""
_KILLED = exit_status_of(-signal.SIGKILL)


class RemoteProcess:
    """A worker. `kill` may be called from any thread; `wait` from one."""

    def __init__(
        self,
        channel: socket.socket,
        connection: Connection,
        served: Future[Said],
        spawn: Callable[[Callable[[], Coroutine[Any, Any, None]]], object],
    ) -> None:
        """`served` is what comes of `connection`; `spawn` starts a task in its loop."""
        self.channel = channel
        self._connection = connection
        self._served = served
        self._spawn = spawn
        self._lock = threading.Lock()
        self._killed = False
        self._ending: ExitStatus | None = None

    def kill(self) -> None:
        """End every process of this worker at once. Thread-safe; does nothing the second time."""
        with self._lock:
            if self._killed or self._served.done():
                return
            self._killed = True
        with suppress(RuntimeError):  # the loop is gone, and everything with it
            self._spawn(self._have_killed)

    def wait(self, timeout: float) -> ExitStatus:
        """Close the channel, wait `timeout` seconds for the end, kill what is left, and tell how it ended.

        Raises:
            SandboxBroken: the sandbox, or the connection to it, failed.
        """
        if self._ending is None:
            self.channel.close()
            self._ending = _KILLED  # should what follows fail, it is not tried again
            self._ending = self._seen_off(timeout)
        return self._ending

    def _seen_off(self, timeout: float) -> ExitStatus:
        try:
            try:
                return _exit_status_of(self._served.result(timeout))
            except NotYet:
                self.kill()
                return _exit_status_of(self._served.result(_KILL_GRACE_S))
        except CancelledError:
            raise SandboxBroken("the job was given up, and its sandbox with it") from None
        except NotYet:
            self._served.cancel()
            raise SandboxBroken("a worker in a remote sandbox could not be ended") from None

    async def _have_killed(self) -> None:
        with suppress(SandboxError):  # who waits for the end is told
            await self._connection.kill()


def _exit_status_of(said: Said) -> ExitStatus:
    report = said.report
    return exit_status_of(
        os.waitstatus_to_exitcode(report.status),
        out_of_memory=report.over_memory,
        output=(said.stdout, said.stderr, report.dropped_bytes),
        cpu_s=report.cpu_s,
        peak_rss_bytes=report.peak_rss_bytes,
    )

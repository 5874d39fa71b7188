"""Runs jobs on workers of one launcher: each in a thread of its own, and none of its processes outlives it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Protocol, overload

import anyio
from anyio import to_thread

from codeens_sandbox_backends.base import (
    CallsJob,
    CallsResult,
    CheckJob,
    CheckResult,
    IsolationLevel,
    Job,
    JobResult,
    Limits,
    StdioJob,
    StdioResult,
    SuiteJob,
    SuiteResult,
    TimingJob,
    TimingResult,
)
from codeens_sandbox_backends.driver.launcher import Launcher, WorkerKind, WorkerProcess
from codeens_sandbox_backends.driver.prefetch import CallPrefetch
from codeens_sandbox_backends.driver.run_job import run_job
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.local.warm.launcher import WarmLauncher, WarmWorkers, settles

_END_TIMEOUT_S = 20.0
"""How long a cancelled job may take to notice that its workers are dead."""
_JOBS_AT_MOST = 64


class ClosableLauncher(Launcher, Protocol):
    """A launcher that holds something of the machine until it is closed."""

    def close(self) -> None: ...


class LocalSandbox:
    """An open sandbox on this machine."""

    def __init__(
        self,
        launcher: ClosableLauncher,
        *,
        isolation: IsolationLevel,
        limits: Limits,
        jobs_at_most: int = _JOBS_AT_MOST,
        warm: WarmWorkers | None = None,
        prefetch: CallPrefetch | None = None,
    ) -> None:
        """Run up to `jobs_at_most` jobs at once; further ones wait. `warm` workers get the jobs that they do for.

        `prefetch`: what is known of calls from jobs of other sandboxes.
        """
        self._launcher = launcher
        self._warm = warm
        self._foreseen = prefetch or CallPrefetch()
        self._tier = isolation
        self._limits = limits
        self._threads = anyio.CapacityLimiter(jobs_at_most)
        self._running: set[_Running] = set()
        self._closed = False

    @property
    def isolation(self) -> IsolationLevel:
        return self._tier

    @overload
    async def run(self, job: CallsJob) -> CallsResult: ...
    @overload
    async def run(self, job: TimingJob) -> TimingResult: ...
    @overload
    async def run(self, job: SuiteJob) -> SuiteResult: ...
    @overload
    async def run(self, job: CheckJob) -> CheckResult: ...
    @overload
    async def run(self, job: StdioJob) -> StdioResult: ...
    async def run(self, job: Job) -> JobResult:
        """Run one job in fresh processes; several may run at once. Cancelling ends its processes before it returns.

        Raises:
            SandboxBroken: the sandbox is closed, or stopped working.
        """
        if self._closed:
            raise SandboxBroken("the sandbox is closed")
        limits = job.limits or self._limits
        result = await self._run_warm(self._warm, job, limits) if self._warm else None
        return result or await self._run(_Running(lambda _: self._launcher), job, limits)

    async def _run_warm(self, warm: WarmWorkers, job: Job, limits: Limits) -> JobResult | None:
        """None when only fresh processes in a sandbox of their own can tell what the job does."""
        if not warm.fits(job, limits):
            return None
        launchers: list[WarmLauncher] = []

        def launcher(cancelled: Callable[[], bool]) -> Launcher:
            launchers.append(warm.launcher(job, cancelled))
            return launchers[0]

        try:
            result = await self._run(_Running(launcher), job, limits)
        except SandboxBroken:
            if self._closed:
                raise
            return None
        return result if settles(result) and not launchers[0].fell_short else None

    async def _run(self, running: _Running, job: Job, limits: Limits) -> JobResult:
        self._running.add(running)
        try:
            return await to_thread.run_sync(
                running.drive, job, limits, self._foreseen, abandon_on_cancel=True, limiter=self._threads
            )
        finally:
            await running.end()
            self._running.discard(running)

    async def aclose(self) -> None:
        """End every process of this sandbox. Safe to call twice."""
        self._closed = True
        for running in tuple(self._running):
            await running.end()
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self._close, limiter=anyio.CapacityLimiter(1))

    def _close(self) -> None:
        if self._warm:
            self._warm.close()
        self._launcher.close()


class _Running:
    """One job's workers. It is the launcher that the driver sees."""

    def __init__(self, launcher: Callable[[Callable[[], bool]], Launcher]) -> None:
        """`launcher` is called with what tells whether the job was cancelled."""
        self._launcher = launcher(lambda: self._ended)
        self._workers: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self._ended = False
        self._begun = False
        self._idle = threading.Event()

    def drive(self, job: Job, limits: Limits, prefetch: CallPrefetch) -> JobResult:
        """Run the job in this thread, and see its workers off. Workers die with the thread that launched them."""
        with self._lock:
            if self._ended:
                raise SandboxBroken("the job was cancelled before it began")
            self._begun = True
        try:
            return run_job(self, job, limits, prefetch)
        finally:
            try:
                self._kill_all()
                for worker in self._workers:
                    worker.wait(0)
            finally:
                self._idle.set()

    def launch(self, role: WorkerKind, limits: Limits) -> WorkerProcess:
        """Start a worker that ends with this job."""
        with self._lock:
            if self._ended:
                raise SandboxBroken("the job was cancelled")
        worker = self._launcher.launch(role, limits)
        with self._lock:
            self._workers.append(worker)
            late = self._ended
        if late:
            worker.kill()
        return worker

    async def end(self) -> None:
        """Kill the workers, and wait, within bounds, until the job's thread has seen them off."""
        if not self._idle.is_set():
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(self._end, limiter=anyio.CapacityLimiter(1))

    def _end(self) -> None:
        self._kill_all()
        with self._lock:
            begun = self._begun
        if begun:
            self._idle.wait(_END_TIMEOUT_S)

    def _kill_all(self) -> None:
        with self._lock:
            self._ended = True
            workers = tuple(self._workers)
        for worker in workers:
            with contextlib.suppress(OSError):
                worker.kill()

"""The sandbox of every backend: runs jobs on workers of one launcher, each job in a thread of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import anyio
from anyio import to_thread

from codeens_sandbox_backends.base import IsolationLevel
from codeens_sandbox_backends.driver.calls import run_calls
from codeens_sandbox_backends.driver.check import run_check
from codeens_sandbox_backends.driver.launcher import Launcher, WorkerKind, WorkerProcess
from codeens_sandbox_backends.driver.prefetch import CallPrefetch
from codeens_sandbox_backends.driver.race import run_race
from codeens_sandbox_backends.driver.stdio import run_stdio
from codeens_sandbox_backends.driver.suite import run_suite
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.jobs import CallsJob, CheckJob, Job, Limits, StdioJob, SuiteJob
from codeens_sandbox_backends.races import RaceJob

R = TypeVar("R")
_END_TIMEOUT_S = 20.0
"""How long a cancelled job may take to notice that its workers are dead: four times what killed processes may take."""
_JOBS_AT_MOST = 64
"""Far more than executors ask for; a thread that waits for a worker costs little."""


class ClosableLauncher(Launcher, Protocol):
    """A launcher that holds something of the machine until it is closed."""

    def close(self) -> None: ...


class SharedLauncher(Launcher, Protocol):
    """Launches, for one job, workers that share processes with those of other jobs."""

    def settles(self, result: object) -> bool:
        """Return whether the job's result is what it would be on workers of its own."""
        ...


class SharedWorkers(Protocol):
    """Workers that are quicker to have than fresh ones, and cannot do everything that these can."""

    def fits(self, job: Job[Any], limits: Limits) -> bool:
        """Return whether they can be tried for a job."""
        ...

    def launcher(self, job: Job[Any], cancelled: Callable[[], bool]) -> SharedLauncher:
        """Return a launcher for one job; `cancelled` tells whether it is still wanted."""
        ...

    def foresee(self, job: Job[Any]) -> None:
        """Get ready for what will follow a job that is run on workers of its own now."""
        ...

    def learn(self, job: Job[Any], result: object) -> None:
        """Take notice of a job that was run on workers of its own."""
        ...

    def close(self) -> None:
        """End every process."""
        ...


class WorkerSandbox:
    """An open sandbox: jobs are driven from here, wherever the launcher's workers run."""

    def __init__(
        self,
        launcher: ClosableLauncher,
        *,
        isolation: IsolationLevel,
        limits: Limits,
        jobs_at_most: int = _JOBS_AT_MOST,
        shared: SharedWorkers | None = None,
        prefetch: CallPrefetch | None = None,
    ) -> None:
        """Take over a launcher; closing the sandbox closes it.

        Args:
            launcher: Starts the workers, each for one job.
            isolation: What these keep apart.
            limits: Of jobs that bring none.
            jobs_at_most: How many run at once; further ones wait.
            shared: Tried first, for jobs that they fit.
            prefetch: What is known of calls from jobs of other sandboxes.
        """
        self._launcher = launcher
        self._shared = shared
        self._prefetch = prefetch or CallPrefetch()
        self._isolation = isolation
        self._limits = limits
        self._threads = anyio.CapacityLimiter(jobs_at_most)
        self._running: set[_RunningJob] = set()
        self._closed = False

    @property
    def isolation(self) -> IsolationLevel:
        return self._isolation

    async def run(self, job: Job[R]) -> R:
        """Run one job; several may run at once. Cancelling ends its processes before it returns.

        Raises:
            SandboxBroken: the sandbox is closed, or stopped working.
        """
        if self._closed:
            raise SandboxBroken("the sandbox is closed")
        limits = job.limits or self._limits
        result = await self._run_shared(self._shared, job, limits) if self._shared else None
        if result is None:
            if self._shared:
                self._shared.foresee(job)
            result = await self._run(_RunningJob(lambda _: self._launcher), job, limits)
            if self._shared:
                self._shared.learn(job, result)
        return result

    async def _run_shared(self, shared: SharedWorkers, job: Job[R], limits: Limits) -> R | None:
        """Return None when only fresh processes in a sandbox of their own can tell what the job does."""
        if not shared.fits(job, limits):
            return None
        launchers: list[SharedLauncher] = []

        def launcher(cancelled: Callable[[], bool]) -> Launcher:
            launchers.append(shared.launcher(job, cancelled))
            return launchers[0]

        try:
            result = await self._run(_RunningJob(launcher), job, limits)
        except SandboxBroken:
            if self._closed:
                raise
            return None
        return result if launchers[0].settles(result) else None

    async def _run(self, running: _RunningJob, job: Job[R], limits: Limits) -> R:
        self._running.add(running)

        def drive() -> R:
            return running.drive(job, limits, self._prefetch)

        try:
            return await to_thread.run_sync(drive, abandon_on_cancel=True, limiter=self._threads)
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
        if self._shared:
            self._shared.close()
        self._launcher.close()


class _RunningJob:
    """One job and its workers: the launcher that the driver sees."""

    def __init__(self, launcher: Callable[[Callable[[], bool]], Launcher]) -> None:
        """`launcher` is given a function that tells whether the job was cancelled."""
        self._launcher = launcher(lambda: self._ended)
        self._workers: list[WorkerProcess] = []
        self._lock = threading.Lock()
        self._ended = False
        self._begun = False
        self._idle = threading.Event()

    def drive(self, job: Job[R], limits: Limits, prefetch: CallPrefetch) -> R:
        """Run the job in this thread, and end its workers. Workers die with the thread that launched them."""
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

    def launch(self, kind: WorkerKind, limits: Limits) -> WorkerProcess:
        """Start a worker that ends with this job."""
        with self._lock:
            if self._ended:
                raise SandboxBroken("the job was cancelled")
        worker = self._launcher.launch(kind, limits)
        with self._lock:
            self._workers.append(worker)
            late = self._ended
        if late:
            worker.kill()
        return worker

    async def end(self) -> None:
        """Kill the workers, and wait, within bounds, until the job's thread has taken their exit status."""
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


def run_job(launcher: Launcher, job: Job[R], limits: Limits, prefetch: CallPrefetch | None = None) -> R:
    """Run a job on fresh workers and wait for its end.

    Blocks; meant for a worker thread. Killing the workers makes it return or raise soon.

    Args:
        launcher: Starts the workers.
        job: What to run.
        limits: Of a job that brings none.
        prefetch: Kept from job to job by who wants the calls of a check to be made in one batch.

    Raises:
        SandboxError: The sandbox failed; never because of what the code did.
    """
    result: R = _run_any(launcher, job, job.limits or limits, prefetch)
    return result


def _run_any(launcher: Launcher, job: Job[Any], limits: Limits, prefetch: CallPrefetch | None) -> Any:
    """Run a job; that each kind has its own type of result is beyond what type checkers follow."""
    match job:
        case CallsJob():
            return run_calls(launcher, job, limits)
        case RaceJob():
            return run_race(launcher, job, limits)
        case CheckJob():
            return run_check(launcher, job, limits, prefetch)
        case StdioJob():
            return run_stdio(launcher, job, limits)
        case SuiteJob():
            return run_suite(launcher, job, limits)
        case _:
            message = f"no kind of job: {type(job).__name__}"
            raise TypeError(message)

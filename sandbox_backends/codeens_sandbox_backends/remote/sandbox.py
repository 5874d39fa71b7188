"""A sandbox whose jobs run in sandboxes of a service, each in one of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, suppress
from typing import Any, TypeAlias, TypeVar, cast

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup
from anyio.from_thread import BlockingPortal, start_blocking_portal

from codeens_sandbox_backends.base import IsolationLevel, SandboxSpec
from codeens_sandbox_backends.driver.prefetch import CallPrefetch
from codeens_sandbox_backends.driver.sandbox import WorkerSandbox
from codeens_sandbox_backends.errors import SandboxBroken, SandboxError, SandboxUnavailable
from codeens_sandbox_backends.jobs import Job, Limits
from codeens_sandbox_backends.races import RaceJob
from codeens_sandbox_backends.remote.calls import Calls
from codeens_sandbox_backends.remote.launcher import JobLauncher
from codeens_sandbox_backends.remote.pool import Lease, ServicePool
from codeens_sandbox_backends.remote.service import Service
from codeens_sandbox_backends.remote.setup import ServiceOptions, Setup, setup_of

R = TypeVar("R")
T = TypeVar("T")
Connect: TypeAlias = Callable[[TaskGroup], Awaitable[Service]]
"""Makes a service, in the event loop that all its calls are made in; the tasks are there until it is closed."""
_WAITING_AT_MOST = 1024
_SPARE_S = 180.0
"""For a job's start and end, on top of what its limits give it."""
_END_S = 90.0


async def open_remote(
    connect: Connect, spec: SandboxSpec, *, isolation: IsolationLevel, options: ServiceOptions
) -> RemoteSandbox:
    """Open a sandbox: the first one of the service is there when this returns. Orphans are removed before.

    Raises:
        SandboxUnavailable: the service refuses, or its sandboxes cannot run workers as they should.
        SandboxBroken: the service does not work now.
    """
    setup = await to_thread.run_sync(setup_of, spec, options)
    sandbox = RemoteSandbox(setup, isolation)
    try:
        await sandbox.start(connect)
    except BaseException:
        await sandbox.aclose()
        raise
    return sandbox


class RemoteSandbox:
    """Its calls of the service are made in an event loop, and a thread, of its own."""

    def __init__(self, setup: Setup, isolation: IsolationLevel) -> None:
        self._setup = setup
        self._isolation = isolation
        self._prefetch = CallPrefetch()
        self._threads = anyio.CapacityLimiter(_WAITING_AT_MOST)
        self._held = ExitStack()
        self._portal: BlockingPortal | None = None
        self._pool: ServicePool | None = None
        self._jobs: set[JobLauncher] = set()
        self._closed = False

    @property
    def isolation(self) -> IsolationLevel:
        return self._isolation

    async def start(self, connect: Connect) -> None:
        """Make the first sandbox. See `open_remote`."""
        portal = await to_thread.run_sync(self._held.enter_context, start_blocking_portal("asyncio"))
        self._portal = portal
        begun: Future[ServicePool] = Future()
        begun.set_running_or_notify_cancel()
        served = portal.start_task_soon(self._serve, connect, begun)
        try:
            self._pool = await self._result_of(begun)
        except anyio.get_cancelled_exc_class():
            served.cancel()
            raise

    async def _serve(self, connect: Connect, begun: Future[ServicePool]) -> None:
        """The task that all else is done for. What fails at the start is passed on; later there is nothing to fail."""
        try:
            async with anyio.create_task_group() as tasks:
                service = await connect(tasks)
                try:
                    pool = ServicePool(Calls(service), self._setup)
                    await pool.serve(lambda: begun.set_result(pool))
                finally:
                    with anyio.CancelScope(shield=True), anyio.move_on_after(_END_S):
                        await service.aclose()
                    tasks.cancel_scope.cancel()
        except BaseException as error:
            if not begun.done():
                begun.set_exception(_sandbox_error(error))
            raise

    async def run(self, job: Job[R]) -> R:
        """Run one job in a sandbox that is deleted afterwards; once more in another one when that failed.

        Cancelling deletes it before it returns.

        Raises:
            SandboxError: the sandbox is closed, or the service failed.
        """
        try:
            return await self._run_once(job)
        except SandboxUnavailable:
            raise
        except SandboxBroken:
            if self._closed:
                raise
        return await self._run_once(job, fresh=True)

    async def aclose(self) -> None:
        """End every job and delete every sandbox. Safe to call twice."""
        self._closed = True
        for job in tuple(self._jobs):
            job.give_up()
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self._close, limiter=self._threads)

    def _close(self) -> None:
        if self._portal and self._pool:
            with suppress(RuntimeError):  # it is closed already
                self._portal.call(self._pool.close)
        self._held.close()

    async def _run_once(self, job: Job[R], *, fresh: bool = False) -> R:
        portal, pool = self._portal, self._pool
        if self._closed or portal is None or pool is None:
            raise SandboxBroken("the sandbox is closed")
        lease = Lease()
        ended_well = False
        try:
            needed_s = _needed_s(job, self._setup.spec.limits)
            await self._result_of(portal.start_task_soon(lambda: pool.take(lease, needed_s, fresh=fresh)))
            if lease.ready is None:
                raise SandboxBroken("the sandbox is closed")
            result = await self._drive(JobLauncher(portal, pool, lease.ready, self._setup), job)
            ended_well = True
            return result
        finally:
            with anyio.CancelScope(shield=True), suppress(RuntimeError):  # it may be closed meanwhile
                if ended_well:
                    portal.start_task_soon(pool.give_back, lease)
                else:
                    await self._result_of(portal.start_task_soon(pool.end, lease))

    async def _drive(self, launcher: JobLauncher, job: Job[R]) -> R:
        self._jobs.add(launcher)
        limits = self._setup.spec.limits
        workers = WorkerSandbox(launcher, isolation=self._isolation, limits=limits, prefetch=self._prefetch)
        results: list[R] = []
        failures: list[BaseException] = []
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_give_up_when_cancelled, launcher)
                results.append(await workers.run(job))
                tasks.cancel_scope.cancel()
        except* SandboxError as errors:
            failures += errors.exceptions
        finally:
            self._jobs.discard(launcher)
            launcher.close()
        if failures:
            raise failures[0]
        return results[0]

    async def _result_of(self, future: Future[T]) -> T:
        """Wait for what is done in the other loop; cancelling cancels it."""
        try:
            return await to_thread.run_sync(future.result, abandon_on_cancel=True, limiter=self._threads)
        except CancelledError:
            raise SandboxBroken("the sandbox is closed") from None
        except anyio.get_cancelled_exc_class():
            future.cancel()
            raise


def _sandbox_error(error: BaseException) -> SandboxError:
    """Return what an error means for who opens a sandbox; groups are of the task that it came from."""
    if isinstance(error, BaseExceptionGroup):
        return _sandbox_error(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    return error if isinstance(error, SandboxError) else SandboxBroken(f"a remote sandbox did not open: {error!r}")


async def _give_up_when_cancelled(launcher: JobLauncher) -> None:
    """Does nothing to a job that has ended: its workers have ended."""
    try:
        await anyio.sleep_forever()
    finally:
        launcher.give_up()


def _needed_s(job: Job[Any], usual: Limits) -> float:
    """Return the seconds that a job may take at the most, and more."""
    limits = job.limits or usual
    racing = job.budget_s if isinstance(job, RaceJob) else 0.0
    return 2 * limits.wall_s + racing + _SPARE_S

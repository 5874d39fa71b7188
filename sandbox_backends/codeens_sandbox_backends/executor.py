"""Run jobs in a sandbox with bounded concurrency; reopen it once if it breaks; give timing jobs the machine alone."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

import anyio

from codeens_sandbox_backends.base import Backend, IsolationLevel, NodeState, Sandbox, SandboxSpec
from codeens_sandbox_backends.errors import SandboxBroken, SandboxUnavailable
from codeens_sandbox_backends.jobs import CallsJob, Job
from codeens_sandbox_backends.programs import CallInput, ModuleSource, Program, Returned

R = TypeVar("R")


class Turns:
    """Bounds what runs at once, in one sandbox or in several together."""

    def __init__(self, parallel: int) -> None:
        self.parallel = parallel
        """How many jobs run at once; further ones wait, the first to come first."""
        self.at_work: int = 0
        """Jobs that run now."""
        self.waiting: int = 0
        """Jobs that wait for a turn."""
        self._slots = anyio.Semaphore(parallel, fast_acquire=True)
        self._quiet = anyio.Lock()

    @asynccontextmanager
    async def taken(self, *, exclusive: bool) -> AsyncGenerator[None]:
        """Wait for a turn; an exclusive one is had while there is no other."""
        self.waiting += 1
        has_turn = False
        try:
            async with self._taken(exclusive=exclusive):
                self.waiting, self.at_work, has_turn = self.waiting - 1, self.at_work + 1, True
                yield
        finally:
            if has_turn:
                self.at_work -= 1
            else:
                self.waiting -= 1

    @asynccontextmanager
    async def _taken(self, *, exclusive: bool) -> AsyncGenerator[None]:
        if not exclusive:
            async with self._slots:
                yield
            return
        async with self._quiet, AsyncExitStack() as taken:
            for _ in range(self.parallel):
                await taken.enter_async_context(self._slots)
            yield


class Executor:
    """A sandbox like any other, with bounded concurrency, that a new one takes the place of when it breaks."""

    def __init__(self, backend: Backend, spec: SandboxSpec, sandbox: Sandbox, turns: Turns) -> None:
        self._backend = backend
        self._spec = spec
        self._sandbox = sandbox
        self.turns = turns
        self.opened: datetime = datetime.now(UTC)
        self.jobs: int = 0
        """Jobs that were begun."""
        self.busy_s: float = 0.0
        """Seconds of all jobs that have ended, also where several ran at once."""
        self._reopening = anyio.Lock()

    @property
    def parallel(self) -> int:
        """How many jobs run at once."""
        return self.turns.parallel

    @property
    def nodes(self) -> tuple[NodeState, ...]:
        """How the machines are doing that the sandbox is on; none where it is on one."""
        found: tuple[NodeState, ...] = getattr(self._sandbox, "nodes", ())
        return found

    @property
    def isolation(self) -> IsolationLevel:
        return self._sandbox.isolation

    @property
    def python(self) -> str:
        """Path of the interpreter."""
        return self._spec.python

    @property
    def label(self) -> str:
        """The backend and what it isolates, for verdicts."""
        return f"{self._backend.name}: {self._sandbox.isolation.label}"

    async def run(self, job: Job[R]) -> R:
        """Run a job; an exclusive one while no other job of this executor runs.

        Raises:
            SandboxError: the sandbox failed, and a new one failed as well.
        """
        # A sandbox of many machines sees to it itself that nothing else runs on the one that times.
        elsewhere = getattr(self._sandbox, "places_exclusive", False)
        async with self.turns.taken(exclusive=job.exclusive and not elsewhere):
            self.jobs += 1
            began = anyio.current_time()
            try:
                return await self._run(job)
            finally:
                self.busy_s += anyio.current_time() - began

    async def aclose(self) -> None:
        """End every process of the sandbox that is open now. Safe to call twice."""
        await self._sandbox.aclose()

    async def _run(self, job: Job[R]) -> R:
        used = self._sandbox
        try:
            return await used.run(job)
        except SandboxUnavailable:
            raise
        except SandboxBroken:
            await self._reopen(used)
            return await self._sandbox.run(job)

    async def _reopen(self, broken: Sandbox) -> None:
        async with self._reopening:
            if self._sandbox is broken:
                self._sandbox = await self._backend.open(self._spec)
                await broken.aclose()


@asynccontextmanager
async def open_executor(backend: Backend, spec: SandboxSpec, turns: int | Turns) -> AsyncGenerator[Executor]:
    """Open an executor on a fresh sandbox; leaving the block ends every process of it, also when cancelled.

    Args:
        backend: what isolates.
        spec: what the sandbox must offer.
        turns: how many jobs run at once; or what bounds those of several executors together.

    Raises:
        SandboxUnavailable: the backend cannot isolate here, or what should be the interpreter is none.
    """
    executor = Executor(backend, spec, await backend.open(spec), Turns(turns) if isinstance(turns, int) else turns)
    try:
        if spec.python != sys.executable:
            await _try_interpreter(executor, backend.name, spec.python)
        yield executor
    finally:
        with anyio.CancelScope(shield=True):
            await executor.aclose()


_ONE = Program(module="one", qualname="f", modules=(ModuleSource(name="one", source="def f():\n    return 1\n"),))


async def _try_interpreter(sandbox: Sandbox, backend: str, python: str) -> None:
    """See that an interpreter that the settings or the workspace name runs Python: else every candidate would fail."""
    fix = "Set `python` to a Python of version 3.9 or newer, or leave it out"
    try:
        result = await sandbox.run(CallsJob(program=_ONE, inputs=(CallInput(),)))
    except SandboxBroken as error:
        raise SandboxUnavailable(backend, f"the interpreter {python} does not run in it ({error})", fix) from error
    if result.outcomes != (Returned(value=1),):
        raise SandboxUnavailable(backend, f"the interpreter {python} does not run a function as Python does", fix)

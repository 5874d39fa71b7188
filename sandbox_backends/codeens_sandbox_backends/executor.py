"""Runs work on sandboxes: bounded, retried once in a new sandbox, and alone on the machine while it is timed."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio

from codeens_sandbox_backends.base import (
    Backend,
    CallInput,
    CallsJob,
    ModuleSource,
    Program,
    Returned,
    Sandbox,
    SandboxSpec,
)
from codeens_sandbox_backends.errors import SandboxBroken, SandboxUnavailable

T = TypeVar("T")


class Executor:
    """A sandbox of one backend, opened again when it breaks, shared by at most `parallel` jobs."""

    def __init__(self, backend: Backend, spec: SandboxSpec, sandbox: Sandbox, parallel: int) -> None:
        self._backend = backend
        self._spec = spec
        self._sandbox = sandbox
        self._parallel = parallel
        self._slots = anyio.Semaphore(parallel, fast_acquire=True)
        self._quiet = anyio.Lock()
        self._reopening = anyio.Lock()

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox that is open now."""
        return self._sandbox

    @property
    def label(self) -> str:
        """The backend and what it isolates, for verdicts."""
        return f"{self._backend.name}: {self._sandbox.isolation.label}"

    async def run(self, work: Callable[[Sandbox], Awaitable[T]]) -> T:
        """Do work beside other work.

        Raises:
            SandboxError: the sandbox failed, and a new one failed as well.
        """
        async with self._slots:
            return await self._twice(work)

    async def run_alone(self, work: Callable[[Sandbox], Awaitable[T]]) -> T:
        """Do work while no other job of this executor runs: what is timed must not be disturbed.

        Raises:
            SandboxError: the sandbox failed, and a new one failed as well.
        """
        async with self._quiet:
            taken = 0
            try:
                for _ in range(self._parallel):
                    await self._slots.acquire()
                    taken += 1
                return await self._twice(work)
            finally:
                for _ in range(taken):
                    self._slots.release()

    async def _twice(self, work: Callable[[Sandbox], Awaitable[T]]) -> T:
        used = self._sandbox
        try:
            return await work(used)
        except SandboxUnavailable:
            raise
        except SandboxBroken:
            await self._reopen(used)
            return await work(self._sandbox)

    async def _reopen(self, broken: Sandbox) -> None:
        async with self._reopening:
            if self._sandbox is broken:
                self._sandbox = await self._backend.open(self._spec)
                await broken.aclose()


@asynccontextmanager
async def open_executor(backend: Backend, spec: SandboxSpec, parallel: int) -> AsyncGenerator[Executor]:
    """An executor on a fresh sandbox; leaving the block ends every process of it, also when cancelled.

    Raises:
        SandboxUnavailable: the backend cannot isolate here, or what should be the interpreter is none.
    """
    executor = Executor(backend, spec, await backend.open(spec), parallel)
    try:
        if spec.python != sys.executable:
            await _try_interpreter(executor.sandbox, backend.name, spec.python)
        yield executor
    finally:
        with anyio.CancelScope(shield=True):
            await executor.sandbox.aclose()


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

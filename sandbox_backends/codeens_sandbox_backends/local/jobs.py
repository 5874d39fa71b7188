"""Runs jobs on players of one launcher: each in a thread of its own, and none of its processes outlives it."""

from __future__ import annotations

import contextlib
import threading
from typing import Protocol, overload

import anyio
from anyio import to_thread

from codeens_sandbox_backends.base import (
    CallsJob,
    CallsResult,
    CheckJob,
    CheckResult,
    Job,
    JobResult,
    Limits,
    RaceJob,
    RaceResult,
    StdioJob,
    StdioResult,
    SuiteJob,
    SuiteResult,
    Tier,
)
from codeens_sandbox_backends.conduct.launch import Launcher, PlayerProcess, Role
from codeens_sandbox_backends.conduct.run_job import run_job
from codeens_sandbox_backends.errors import SandboxBroken

_END_TIMEOUT_S = 20.0
"""How long a cancelled job may take to notice that its players are dead."""
_JOBS_AT_MOST = 64


class ClosableLauncher(Launcher, Protocol):
    """A launcher that holds something of the machine until it is closed."""

    def close(self) -> None: ...


class LocalSandbox:
    """An open sandbox on this machine."""

    def __init__(self, launcher: ClosableLauncher, *, tier: Tier, limits: Limits) -> None:
        self._launcher = launcher
        self._tier = tier
        self._limits = limits
        self._threads = anyio.CapacityLimiter(_JOBS_AT_MOST)
        self._running: set[_Running] = set()
        self._closed = False

    @property
    def tier(self) -> Tier:
        return self._tier

    @overload
    async def run(self, job: CallsJob) -> CallsResult: ...
    @overload
    async def run(self, job: RaceJob) -> RaceResult: ...
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
        running = _Running(self._launcher)
        self._running.add(running)
        try:
            return await to_thread.run_sync(
                running.conduct, job, job.limits or self._limits, abandon_on_cancel=True, limiter=self._threads
            )
        finally:
            await running.end()
            self._running.discard(running)

    async def aclose(self) -> None:
        """End every process of this sandbox. Safe to call twice."""
        self._closed = True
        for running in tuple(self._running):
            await running.end()
        self._launcher.close()


class _Running:
    """One job's players. It is the launcher that the conductor sees."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._players: list[PlayerProcess] = []
        self._lock = threading.Lock()
        self._ended = False
        self._begun = False
        self._idle = threading.Event()

    def conduct(self, job: Job, limits: Limits) -> JobResult:
        """Run the job in this thread, and see its players off. Players die with the thread that launched them."""
        with self._lock:
            if self._ended:
                raise SandboxBroken("the job was cancelled before it began")
            self._begun = True
        try:
            return run_job(self, job, limits)
        finally:
            try:
                self._kill_all()
                for player in self._players:
                    player.wait(0)
            finally:
                self._idle.set()

    def launch(self, role: Role, limits: Limits) -> PlayerProcess:
        """Start a player that ends with this job."""
        with self._lock:
            if self._ended:
                raise SandboxBroken("the job was cancelled")
        player = self._launcher.launch(role, limits)
        with self._lock:
            self._players.append(player)
            late = self._ended
        if late:
            player.kill()
        return player

    async def end(self) -> None:
        """Kill the players, and wait, within bounds, until the job's thread has seen them off."""
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
            players = tuple(self._players)
        for player in players:
            with contextlib.suppress(OSError):
                player.kill()

"""Time limits that follow what the task's own reference solution takes, so that a hang costs little.

A candidate first gets a tight bound of processor time. Only where it uses that up is the reference looked at, and the
bound is final when it is a large multiple of what the reference takes. Wall time says little on a busy machine: who
waits, or is kept waiting, past its tight bound is run again with all the time that the task allows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol, overload

import anyio
from msgspec import structs

from codeens_sandbox_backends.base import CallsJob, CallsResult, CheckJob, CheckResult, Limits, Sandbox, TimedOut

FLOOR_S = 0.3
"""Least processor time: about a hundred times what a call of a small function and its process take together."""
FACTOR = 20.0
"""Times the reference's processor time: another order of growth fails it, what is merely slow does not."""
_WALL_PER_CPU = 4.0
_WALL_SPARE_S = 1.0
"""A tight bound of wall time must not end what is only waiting for its turn on a busy machine."""

_Job = CallsJob | CheckJob
_Result = CallsResult | CheckResult


class Runs(Protocol):
    """A way to run the jobs of one program. `key` says which of the task's demands a job is for."""

    @overload
    async def run(self, key: Hashable, job: CallsJob, sandbox: Sandbox) -> CallsResult: ...
    @overload
    async def run(self, key: Hashable, job: CheckJob, sandbox: Sandbox) -> CheckResult: ...


class FullTime:
    """Gives each job all the time allowed, and remembers what processor time it took."""

    def __init__(self) -> None:
        self.cpu_s: dict[Hashable, float | None] = {}

    @overload
    async def run(self, key: Hashable, job: CallsJob, sandbox: Sandbox) -> CallsResult: ...
    @overload
    async def run(self, key: Hashable, job: CheckJob, sandbox: Sandbox) -> CheckResult: ...
    async def run(self, key: Hashable, job: _Job, sandbox: Sandbox) -> _Result:
        """Run a job.

        Raises:
            SandboxError: the sandbox failed; nothing is known of the program.
        """
        result = await sandbox.run(job)
        self.cpu_s[key] = result.usage.cpu_s
        return result


class Pace:
    """Gives each job what the reference's job of the same key makes appear enough."""

    def __init__(self, limits: Limits, reference: Callable[[], Awaitable[FullTime]]) -> None:
        """`limits` bound a job that brings none; `reference` runs the reference, and is called once, if at all."""
        self._limits = limits
        self._run_reference = reference
        self._reference: FullTime | None = None
        self._finding_out = anyio.Lock()

    @overload
    async def run(self, key: Hashable, job: CallsJob, sandbox: Sandbox) -> CallsResult: ...
    @overload
    async def run(self, key: Hashable, job: CheckJob, sandbox: Sandbox) -> CheckResult: ...
    async def run(self, key: Hashable, job: _Job, sandbox: Sandbox) -> _Result:
        """Run a job, again with more time where what it got may have been too little.

        Raises:
            SandboxError: the sandbox failed; nothing is known of the program.
        """
        full = job.limits or self._limits
        result = await sandbox.run(_with(job, _tight(full, FLOOR_S)))
        hit = _limits_hit(result)
        if "cpu" in hit:
            reference_s = (await self._known_reference()).cpu_s.get(key)
            enough_s = full.cpu_s if reference_s is None else FACTOR * reference_s
            if enough_s > FLOOR_S:
                result = await sandbox.run(_with(job, _tight(full, enough_s)))
                hit = _limits_hit(result)
        return await sandbox.run(_with(job, full)) if hit & {"wall", "call"} else result

    async def _known_reference(self) -> FullTime:
        async with self._finding_out:
            if self._reference is None:
                self._reference = await self._run_reference()
            return self._reference


def _with(job: _Job, limits: Limits) -> _Job:
    return structs.replace(job, limits=limits)


def _tight(full: Limits, cpu_s: float) -> Limits:
    wall_s = min(full.wall_s, _WALL_PER_CPU * cpu_s + _WALL_SPARE_S)
    return structs.replace(full, cpu_s=min(full.cpu_s, cpu_s), wall_s=wall_s, call_s=min(full.call_s, wall_s))


def _limits_hit(result: _Result) -> set[str]:
    outcomes = (result.failure,) if isinstance(result, CheckResult) else result.outcomes
    return {outcome.limit for outcome in outcomes if isinstance(outcome, TimedOut)}

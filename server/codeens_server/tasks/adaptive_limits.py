"""Time limits that follow what the task's own reference solution takes, so that a hang costs little.

A candidate first gets a tight bound of processor time. Only where it uses that up is the reference looked at, and the
bound is final when it is a large multiple of what the reference takes. Two say nothing of the program's own speed, and
get all the time that the task allows: wall time, since who waits may be kept waiting by a busy machine, and the loading
of modules that are not Python's own, some of which take seconds.

Where the task itself states no time, a reference that is slow, here and now, gives everybody a few times as long as it
took: on a slow or busy machine the usual limits would refuse what is right.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Protocol, TypeAlias, TypeVar

import anyio
from msgspec import structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import (
    CallsJob,
    CallsResult,
    CheckJob,
    CheckResult,
    Job,
    Limits,
    StdioJob,
    StdioResult,
    Usage,
)
from codeens_sandbox_backends.programs import TimedOut
from codeens_server.syntax.parsing import parse

FLOOR_S = 0.3
"""Least processor time: about a hundred times what a call of a small function and its process take together."""
FACTOR = 20.0
"""Times the reference's processor time: another order of growth fails it, what is merely slow does not."""
ROOM = 4.0
"""Times what the reference took that a job without limits of its own gets at the least."""
_PATIENCE = 6.0
"""Times the usual limits that a reference gets which did not end within them: it is right until it is shown wrong."""
_WALL_PER_CPU = 4.0
_WALL_SPARE_S = 1.0
"""A tight bound of wall time must not end what is only waiting for its turn on a busy machine."""

_LIMITS = Limits()
_Result: TypeAlias = CallsResult | CheckResult | StdioResult
R = TypeVar("R", bound=_Result)


class TaskRuns(Protocol):
    """A way to run the jobs of one program. `key` says which of the task's demands a job is for."""

    @property
    def limits(self) -> Limits:
        """The user's, for a job that brings none and for what a task has no bound for."""
        ...

    async def run(self, key: Hashable, job: Job[R], sandbox: Sandbox) -> R:
        """Run a job.

        Raises:
            SandboxError: the sandbox failed; nothing is known of the program.
        """
        ...

    async def reference_result(self, key: Hashable) -> CallsResult | None:
        """Return what the reference's job of that key answered; None where there is no reference.

        Raises:
            SandboxError: the sandbox failed.
        """
        ...


class FullTime:
    """Gives each job all the time allowed, and remembers what it used.

    With `keeps` what its calls answered too: its program is the reference, whose time no limit but the task's own ends.
    """

    def __init__(self, limits: Limits = _LIMITS, *, keeps: bool = False) -> None:
        self.limits = limits
        self.used: dict[Hashable, Usage] = {}
        self._keeps = keeps
        self._results: dict[Hashable, CallsResult] = {}

    async def run(self, key: Hashable, job: Job[R], sandbox: Sandbox) -> R:
        """Run a job.

        Raises:
            SandboxError: the sandbox failed; nothing is known of the program.
        """
        result = await sandbox.run(job)
        if self._keeps and job.limits is None and _limits_hit(result):
            result = await sandbox.run(_with(job, _longer(self.limits, _PATIENCE)))
        self.used[key] = _used(result)
        if self._keeps and isinstance(result, CallsResult):
            self._results[key] = result
        return result

    async def reference_result(self, key: Hashable) -> CallsResult | None:
        """Return what the job of that key answered, where it is the reference's."""
        return self._results.get(key)


class Pace:
    """Gives each job what the reference's job of the same key makes appear enough."""

    def __init__(self, limits: Limits, reference: Callable[[], Awaitable[FullTime]]) -> None:
        """`limits` bound a job that brings none; `reference` runs the reference, and is called once, if at all."""
        self.limits = limits
        self._run_reference = reference
        self._reference: FullTime | None = None
        self._finding_out = anyio.Lock()

    async def run(self, key: Hashable, job: Job[R], sandbox: Sandbox) -> R:
        """Run a job, again with more time where what it got may have been too little.

        Raises:
            SandboxError: the sandbox failed; nothing is known of the program.
        """
        full = job.limits or self.limits
        result = await sandbox.run(_with(job, _tight(full, FLOOR_S)))
        hit = _limits_hit(result)
        if hit and job.limits is None:
            full = _with_room(full, (await self._known_reference()).used.get(key))
        if "cpu" in hit:
            enough_s = await self._enough_s(key, job, full)
            if enough_s > FLOOR_S:
                result = await sandbox.run(_with(job, _tight(full, enough_s)))
                hit = _limits_hit(result)
        return await sandbox.run(_with(job, full)) if hit & {"wall", "call"} else result

    async def reference_result(self, key: Hashable) -> CallsResult | None:
        """Return what the reference's job of that key answered.

        Raises:
            SandboxError: the sandbox failed.
        """
        return await (await self._known_reference()).reference_result(key)

    async def _enough_s(self, key: Hashable, job: Job[Any], full: Limits) -> float:
        if _loads_others(job):
            return full.cpu_s
        used = (await self._known_reference()).used.get(key)
        return full.cpu_s if used is None or used.cpu_s is None else FACTOR * used.cpu_s

    async def _known_reference(self) -> FullTime:
        async with self._finding_out:
            if self._reference is None:
                self._reference = await self._run_reference()
            return self._reference


def _with(job: Job[R], limits: Limits) -> Job[R]:
    return structs.replace(job, limits=limits)


def _tight(full: Limits, cpu_s: float) -> Limits:
    wall_s = min(full.wall_s, _WALL_PER_CPU * cpu_s + _WALL_SPARE_S)
    return structs.replace(full, cpu_s=min(full.cpu_s, cpu_s), wall_s=wall_s, call_s=min(full.call_s, wall_s))


def _limits_hit(result: _Result) -> set[str]:
    if isinstance(result, CheckResult):
        outcomes = (result.failure,)
    elif isinstance(result, CallsResult):
        outcomes = result.outcomes
    else:
        outcomes = tuple(run.ending for run in result.runs)
    return {outcome.limit for outcome in outcomes if isinstance(outcome, TimedOut)}


def _longer(limits: Limits, times: float) -> Limits:
    return structs.replace(
        limits, cpu_s=times * limits.cpu_s, wall_s=times * limits.wall_s, call_s=times * limits.call_s
    )


def _with_room(full: Limits, used: Usage | None) -> Limits:
    if used is None:
        return full
    cpu_s = ROOM * (used.wall_s if used.cpu_s is None else used.cpu_s)
    return structs.replace(
        full,
        cpu_s=max(full.cpu_s, cpu_s),
        wall_s=max(full.wall_s, ROOM * used.wall_s, cpu_s + _WALL_SPARE_S),
        call_s=max(full.call_s, cpu_s),
    )


def _used(result: _Result) -> Usage:
    """Of what one bound is for: each run of a script has its own."""
    if isinstance(result, StdioResult):
        return max((run.usage for run in result.runs), key=lambda usage: usage.cpu_s or 0.0, default=Usage(wall_s=0.0))
    return result.usage


def _loads_others(job: Job[Any]) -> bool:
    """Whether a program imports what is not Python's own."""
    sources = [job.source] if isinstance(job, StdioJob) else []
    if isinstance(job, (CallsJob, CheckJob)):
        sources = [module.source for module in job.program.modules]
    names = {name.partition(".")[0] for source in sources for name in _imported(source)}
    return not names <= sys.stdlib_module_names


def _imported(source: str) -> list[str]:
    module = parse(source)
    names: list[str] = []
    for node in ast.walk(module) if isinstance(module, ast.Module) else ():
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return names

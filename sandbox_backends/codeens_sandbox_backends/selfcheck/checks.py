"""What a check is, and the runner that holds a sandbox to many of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeAlias

import anyio
from msgspec import Struct

from codeens_sandbox_backends.base import IsolationLevel, Sandbox
from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.selfcheck.outside import Outside

Kind: TypeAlias = Literal["escape", "cheat", "control"]
NOT_TRIED = "not tried, because it would be done: the backend does not keep files apart"
_TIMEOUT_S = 90.0
_AT_ONCE = 2


class Room(Struct, frozen=True, kw_only=True):
    """Where a check is made: an open sandbox, and what was set up outside of it."""

    sandbox: Sandbox
    outside: Outside


class Check(Struct, frozen=True, kw_only=True):
    """One thing that must hold."""

    name: str
    kind: Kind
    run: Callable[[Room], Awaitable[str]]
    """Returns why it does not hold, empty when it does."""
    alone: bool = False
    """It is about time: nothing may run beside it."""


class CheckResult(Struct, frozen=True, kw_only=True):
    """What came of a check."""

    name: str
    kind: Kind
    ok: bool
    why: str = ""


class Report(Struct, frozen=True, kw_only=True):
    """What came of all checks of one backend."""

    backend: str
    isolation: IsolationLevel
    checks: tuple[CheckResult, ...]

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return all(check.ok for check in self.checks)


async def run_checks(
    room: Room, checks: Sequence[Check], say: Callable[[CheckResult], None]
) -> tuple[CheckResult, ...]:
    """Make all checks, a few at once, and those about time one by one at the end. In the order of `checks`.

    `say` is called with each result as soon as it is known. A sandbox that fails, or a check that does not come to an
    end, is a check that does not hold.
    """
    results: dict[int, CheckResult] = {}
    slots = anyio.CapacityLimiter(_AT_ONCE)

    async def one(index: int, check: Check) -> None:
        async with slots:
            results[index] = await _result(room, check)
            say(results[index])

    async with anyio.create_task_group() as tasks:
        for index, check in enumerate(checks):
            if not check.alone:
                tasks.start_soon(one, index, check)
    for index, check in enumerate(checks):
        if check.alone:
            await one(index, check)
    return tuple(results[index] for index in range(len(checks)))


async def _result(room: Room, check: Check) -> CheckResult:
    why = f"it did not come to an end within {_TIMEOUT_S:g} seconds"
    try:
        with anyio.move_on_after(_TIMEOUT_S):
            why = await check.run(room)
    except* SandboxError as errors:
        why = f"the sandbox failed: {errors.exceptions[0]}"
    return CheckResult(name=check.name, kind=check.kind, ok=not why, why=why)

"""What a check is, and the runner that holds a sandbox to many of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal, TypeAlias, get_args

import anyio
from msgspec import Struct

from codeens_sandbox_backends.base import Backend, IsolationLevel, Sandbox, SandboxSpec
from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.selfcheck.outside import OutsideWorld

CheckKind: TypeAlias = Literal["contract", "escape", "cheat", "race", "control"]
CHECK_KINDS: tuple[CheckKind, ...] = get_args(CheckKind)
NOT_TRIED = "not tried, because it would be done: the backend does not keep files apart"
_TIMEOUT_S = 240.0
_AT_ONCE = 2


class CheckContext(Struct, frozen=True, kw_only=True):
    """Where a check is made: an open sandbox, and what was set up outside of it."""

    sandbox: Sandbox
    outside: OutsideWorld
    open: Callable[[], Awaitable[Sandbox]]
    """Open another sandbox of the same kind, for what the shared one would not survive; the caller closes it."""


class Unmet(Exception):
    """A check may raise it in place of telling why it does not hold."""


class SelfCheck(Struct, frozen=True, kw_only=True):
    """One thing that must hold."""

    name: str
    kind: CheckKind
    run: Callable[[CheckContext], Awaitable[str]]
    """Returns why it does not hold, empty when it does."""
    alone: bool = False
    """It is about time: nothing may run beside it."""


class SelfCheckResult(Struct, frozen=True, kw_only=True):
    """What came of a check."""

    name: str
    kind: CheckKind
    ok: bool
    why: str = ""


class SelfCheckReport(Struct, frozen=True, kw_only=True):
    """What came of all checks of one backend."""

    backend: str
    isolation: IsolationLevel
    checks: tuple[SelfCheckResult, ...]

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return all(check.ok for check in self.checks)


@asynccontextmanager
async def open_context(backend: Backend, spec: SandboxSpec, outside: OutsideWorld) -> AsyncGenerator[CheckContext]:
    """Open a sandbox for checks; leaving the block closes it.

    Raises:
        SandboxUnavailable: the backend cannot isolate here.
    """
    sandbox = await backend.open(spec)
    try:
        yield CheckContext(sandbox=sandbox, outside=outside, open=partial(backend.open, spec))
    finally:
        with anyio.CancelScope(shield=True):
            await sandbox.aclose()


async def run_checks(
    context: CheckContext, checks: Sequence[SelfCheck], say: Callable[[SelfCheckResult], None]
) -> tuple[SelfCheckResult, ...]:
    """Make all checks, a few at once, and those about time one by one at the end. In the order of `checks`.

    `say` is called with each result as soon as it is known. A sandbox that fails, or a check that does not come to an
    end, is a check that does not hold.
    """
    results: dict[int, SelfCheckResult] = {}
    slots = anyio.CapacityLimiter(_AT_ONCE)

    async def one(index: int, check: SelfCheck) -> None:
        async with slots:
            results[index] = await _result(context, check)
            say(results[index])

    async with anyio.create_task_group() as tasks:
        for index, check in enumerate(checks):
            if not check.alone:
                tasks.start_soon(one, index, check)
    for index, check in enumerate(checks):
        if check.alone:
            await one(index, check)
    return tuple(results[index] for index in range(len(checks)))


async def _result(context: CheckContext, check: SelfCheck) -> SelfCheckResult:
    why = f"it did not come to an end within {_TIMEOUT_S:g} seconds"
    try:
        with anyio.move_on_after(_TIMEOUT_S):
            why = await check.run(context)
    except* SandboxError as errors:
        why = f"the sandbox failed: {errors.exceptions[0]}"
    except* Unmet as errors:
        why = str(errors.exceptions[0])
    return SelfCheckResult(name=check.name, kind=check.kind, ok=not why, why=why)

"""Which of several changed versions of the original the evidence would reject, as it rejects candidates."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
from msgspec import Struct, structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import Program
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.target import Target
from codeens_server.judging.replay import does_the_same
from codeens_server.judging.suite import passes_once, required

_FIRST = 16
"""Cases that most changes are noticed by; the others are for those that were not."""
_AT_ONCE = 4
_SLOWER = 10.0
"""A version that needs as many times as long as the original, and `_PATIENCE_S` more, is noticed by that."""
_PATIENCE_S = 0.5


class Notice(Struct):
    """One changed version, and whether it was noticed; None: it was not tried on all that it was to be tried on."""

    program: Program
    noticed: bool | None = None


async def notice_by_cases(
    notices: Sequence[Notice], original: Program, cases: Sequence[Case], sandbox: Sandbox
) -> None:
    """Try the versions that were not noticed yet on cases, and write down which are; cancelled, the rest is not known.

    Raises:
        SandboxError: the sandbox failed.
    """
    open_ones = [notice for notice in notices if not notice.noticed]
    if not cases:
        for notice in open_ones:
            notice.noticed = False
    if not open_ones or not cases:
        return
    limits = await _limits(original, cases, sandbox)
    step = max(1, len(cases) // _FIRST)
    first = tuple(cases[::step])
    at_once = anyio.CapacityLimiter(_AT_ONCE)

    async def try_one(notice: Notice) -> None:
        async with at_once:
            notice.noticed = None
            for some in (first, tuple(cases)) if step > 1 else (first,):
                if not await does_the_same(notice.program, some, sandbox, limits):
                    notice.noticed = True
                    return
            notice.noticed = False

    async with anyio.create_task_group() as group:
        for notice in open_ones:
            group.start_soon(try_one, notice)


async def notice_by_tests(notices: Sequence[Notice], target: Target, evidence: Evidence, sandbox: Sandbox) -> None:
    """Run the user's tests on the versions that no case noticed; see `notice_by_cases`.

    Raises:
        SandboxError: the sandbox failed.
    """
    if not required(evidence.tests, evidence.mode):
        return
    open_ones = [notice for notice in notices if notice.noticed is False]
    for notice in open_ones:
        notice.noticed = None
    for notice in open_ones:
        notice.noticed = not await passes_once(target.root, notice.program, evidence, sandbox)


async def _limits(original: Program, cases: Sequence[Case], sandbox: Sandbox) -> Limits:
    """Return limits that follow what the original needs for all cases here and now."""
    ran = await sandbox.run(CallsJob(program=original, inputs=tuple(case.input for case in cases)))
    seconds = _PATIENCE_S + _SLOWER * ran.usage.wall_s
    usual = Limits()
    return structs.replace(
        usual, wall_s=min(usual.wall_s, seconds), cpu_s=min(usual.cpu_s, seconds), call_s=min(usual.call_s, seconds)
    )

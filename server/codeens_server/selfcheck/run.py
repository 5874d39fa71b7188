"""Holds one backend to everything."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from codeens_sandbox_backends.base import Backend
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.selfcheck.checks import (
    CHECK_KINDS,
    CheckKind,
    SelfCheck,
    SelfCheckReport,
    SelfCheckResult,
    open_context,
    run_checks,
)
from codeens_sandbox_backends.selfcheck.contract import CONTRACT
from codeens_sandbox_backends.selfcheck.escapes import ESCAPES
from codeens_sandbox_backends.selfcheck.limits import LIMITS
from codeens_sandbox_backends.selfcheck.outside import OutsideWorld
from codeens_server.config.settings import Settings
from codeens_server.selfcheck import ahead, judged, memory, suited, timing
from codeens_server.selfcheck.project import Project, open_project
from codeens_server.workspace.environment import sandbox_spec

_LIMITS = Limits(wall_s=60.0, call_s=2.0)


def all_checks(project: Project) -> tuple[SelfCheck, ...]:
    """Every check there is, by kind."""
    return (
        *CONTRACT,
        *ESCAPES,
        *LIMITS,
        *judged.cheats(),
        *ahead.cheats(),
        *suited.cheats(project),
        *timing.cheats(),
        *memory.cheats(),
        *judged.controls(),
        suited.control(project),
        timing.control(),
    )


async def self_check(
    backend: Backend,
    *,
    python: str | None,
    say: Callable[[SelfCheckResult], None],
    kinds: Collection[CheckKind] = CHECK_KINDS,
) -> SelfCheckReport:
    """Hold a backend to the contract, attempts to get out, cheats, races and controls, through its public door.

    Args:
        backend: Where.
        python: The interpreter that runs the code inside; by default the one that runs codeens.
        say: Called with each result as soon as it is known.
        kinds: Of checks; others are not made.

    Raises:
        SandboxUnavailable: the backend cannot isolate here.
    """
    with OutsideWorld() as outside:
        async with open_project() as project:
            spec = sandbox_spec(project.target, Settings(python=python, limits=_LIMITS))
            readable = (*spec.readable, str(outside.workspace))
            async with open_context(backend, msgspec.structs.replace(spec, readable=readable), outside) as context:
                asked = [check for check in all_checks(project) if check.kind in kinds]
                results = await run_checks(context, asked, say)
    return SelfCheckReport(backend=backend.name, isolation=context.sandbox.isolation, checks=results)

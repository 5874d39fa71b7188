"""Where something lets cheats pass, that is found. That none passes where nothing does: tests/e2e/test_selfcheck.py."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec
import pytest

from codeens_sandbox_backends.base import IsolationLevel, Sandbox
from codeens_sandbox_backends.jobs import CallsResult, Limits
from codeens_sandbox_backends.programs import Returned
from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.selfcheck.checks import CheckContext, SelfCheck, SelfCheckResult, open_context, run_checks
from codeens_sandbox_backends.selfcheck.outside import OutsideWorld
from codeens_server.config.settings import Settings
from codeens_server.selfcheck import ahead, judged, suited
from codeens_server.selfcheck.project import Project, open_project
from codeens_server.selfcheck.run import all_checks
from codeens_server.workspace.environment import sandbox_spec
from tests.sandbox_backends.machine import why_not

pytestmark = pytest.mark.anyio
_LIMITS = Limits(wall_s=20.0, call_s=2.0)


@asynccontextmanager
async def opened(name: str, *, hide: bool = True) -> AsyncGenerator[tuple[CheckContext, Project]]:
    if reason := why_not(name):
        pytest.skip(reason)
    with OutsideWorld() as outside:
        async with open_project() as project:
            spec = sandbox_spec(project.target, Settings(limits=_LIMITS))
            wanted = spec if hide else msgspec.structs.replace(spec, hidden=())
            async with open_context(get_backend(name), wanted, outside) as context:
                yield context, project


async def failed(context: CheckContext, checks: Sequence[SelfCheck]) -> dict[str, str]:
    results = await run_checks(context, checks, _nobody_listens)
    return {result.name: result.why for result in results if not result.ok}


def _nobody_listens(_: SelfCheckResult) -> None:
    pass


async def test_the_original_is_found_where_it_is_not_hidden() -> None:
    async with opened("local", hide=False) as (context, project):
        found = await failed(context, suited.cheats(project))
    assert sorted(name for name in found if "original" in name) == [
        "in a workspace: the original found in copies of its file",
        "in a workspace: the original found in the compiled module",
        "in a workspace: the original found in the history",
        "in a workspace: the original read from its file",
    ]


async def test_a_backend_whose_jobs_share_files_is_caught() -> None:
    checks = [check for check in judged.cheats() if "earlier job" in check.name]
    async with opened("unsafe") as (context, _):
        found = await failed(context, checks)
    assert found["files that an earlier job left"] == "wrong code was accepted (cases)"


async def test_what_is_nearly_right_and_what_reads_ahead_is_refused() -> None:
    checks = [*ahead.cheats(), *(check for check in judged.cheats() if check.name.startswith("nearly right"))]
    async with opened("local") as (context, _):
        assert await failed(context, checks) == {}
    assert len(checks) >= 9


class _Obliging:
    """A sandbox that says of every call that it returned nothing."""

    def __init__(self, inner: Sandbox) -> None:
        self._inner = inner

    @property
    def isolation(self) -> IsolationLevel:
        return self._inner.isolation

    async def run(self, job: Any) -> Any:
        result = cast("object", await self._inner.run(job))
        if not isinstance(result, CallsResult):
            return result
        nothing = tuple(Returned(value=None) for _ in result.outcomes)
        return msgspec.structs.replace(result, outcomes=nothing, loaded=True)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def test_a_backend_that_makes_answers_up_is_caught_by_the_controls() -> None:
    async with opened("unsafe") as (context, project):
        liar = msgspec.structs.replace(context, sandbox=_Obliging(context.sandbox))
        found = await failed(liar, [judged.controls()[0], suited.control(project)])
    assert set(found.values()) == {"right code was not accepted", "right code was not accepted: failed"}


async def test_all_that_is_promised_is_among_the_checks() -> None:
    async with open_project() as project:
        checks = all_checks(project)
    names = [check.name for check in checks]
    assert len(set(names)) == len(names)
    assert sum(check.kind == "cheat" for check in checks) >= 30
    assert sum(check.kind == "race" for check in checks) >= 10
    assert sum(check.kind == "escape" for check in checks) >= 40
    assert {check.name.partition(":")[0] for check in checks if check.kind == "control"} == {
        "calls",
        "tests",
        "scripts",
        "tests of a workspace",
        "a race",
        "memory",
    }

"""`selfcheck` at the remote services: through the fakes, which run each job for real. Six minutes each."""

from __future__ import annotations

import pytest

from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.selfcheck.checks import CheckResult
from codeens_server.selfcheck.run import self_check

pytestmark = [pytest.mark.anyio, pytest.mark.long, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("name", ["e2b", "daytona"])
async def test_selfcheck_holds(name: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(name)
    told: list[CheckResult] = []
    report = await self_check(get_backend(name), python=None, say=told.append)
    assert {check.name: check.why for check in report.checks if not check.ok} == {}
    assert sorted(check.name for check in told) == sorted(check.name for check in report.checks)
    assert {check.kind for check in report.checks} == {"escape", "cheat", "control"}

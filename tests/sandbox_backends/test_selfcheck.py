"""What the attempts to get out find: nothing where there are walls, and every gap where there are none."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.selfcheck.checks import Check, CheckResult, Report, Room, run_checks
from codeens_sandbox_backends.selfcheck.escapes import ESCAPES
from codeens_sandbox_backends.selfcheck.limits import LIMITS
from codeens_sandbox_backends.selfcheck.outside import Outside
from tests.sandbox_backends.machine import why_not

pytestmark = pytest.mark.anyio

LEAKS = {
    "read a file of the home folder",
    "read /etc/shadow and other files of the system",
    "create files outside",
    "change a file of the home folder",
    "change a file of the workspace",
    "follow links out of the workspace",
    "TCP",
    "listen for TCP",
    "UDP",
    "unix socket",
    "abstract socket",
    "see a process outside",
    "see the judge",
    "signal the judge, its parent",
    "read arguments of other processes",
    "shared memory",
    "what an earlier job left",
    "a job that runs beside",
    "terminals",
    "signal a process outside",
}
"""What works for whoever runs without isolation, also where the user has no special rights."""


@asynccontextmanager
async def room(name: str) -> AsyncGenerator[Room]:
    if reason := why_not(name):
        pytest.skip(reason)
    with Outside() as outside:
        spec = SandboxSpec(python=sys.executable, readable=(str(outside.workspace),))
        sandbox = await get_backend(name).open(spec)
        try:
            yield Room(sandbox=sandbox, outside=outside)
        finally:
            await sandbox.aclose()


async def failures(name: str, checks: Sequence[Check]) -> dict[str, str]:
    async with room(name) as place:
        results = await run_checks(place, checks, lambda _: None)
    assert [result.name for result in results] == [check.name for check in checks]
    return {result.name: result.why for result in results if not result.ok}


@pytest.mark.parametrize("name", ["local", "sandlock"])
async def test_nothing_gets_out_of_an_isolating_backend(name: str) -> None:
    assert await failures(name, ESCAPES) == {}


async def test_no_limit_of_the_local_backend_is_exceeded() -> None:
    assert await failures("local", LIMITS) == {}


async def test_every_gap_of_a_backend_without_walls_is_found() -> None:
    found = await failures("unsafe", ESCAPES)
    assert set(found) >= LEAKS
    assert all(found.values())


async def test_results_are_told_as_they_come_and_a_failing_sandbox_is_a_failed_check() -> None:
    async def broken(_: Room) -> str:
        raise SandboxBroken("gone")

    async def sound(_: Room) -> str:
        return ""

    told: list[CheckResult] = []
    checks = [Check(name="a", kind="control", run=broken), Check(name="b", kind="cheat", run=sound, alone=True)]
    async with room("unsafe") as place:
        results = await run_checks(place, checks, told.append)
        report = Report(backend="unsafe", isolation=place.sandbox.isolation, checks=results)
    assert [(result.name, result.ok, result.why) for result in results] == [
        ("a", False, "the sandbox failed: gone"),
        ("b", True, ""),
    ]
    assert told == list(results)
    assert not report.ok

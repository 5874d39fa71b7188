"""The list of checks that is shipped, on every backend that is at hand: what must hold does, and every gap is found.

With warm workers, as an ordinary user and in containers the whole list is run by tests/e2e/test_selfcheck.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from _pytest.mark import ParameterSet

from codeens_sandbox_backends.base import Backend, SandboxSpec
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.local.backend import LocalBackend
from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.selfcheck.checks import (
    CheckContext,
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
from tests.sandbox_backends.machine import why_not

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(600)]

LISTS = {"contract": CONTRACT, "escapes": ESCAPES, "limits": LIMITS}
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
    "privileges and setuid programs",
    "terminals",
    "signal a process outside",
}
"""What works for whoever runs without isolation, also where the user has no special rights."""
KNOWN = {
    "sandlock": {"more files"},
    "unsafe": {"cancelling ends daemons", "a fork bomb in the shell", "more files"},
    "live": {
        "cancelling ends all processes of the job",
        "cancelling ends daemons",
        "closing ends running jobs",
    },
}
"""What does not hold, as docs/sandboxes.md says: disks that are not the job's own, daemons outside of namespaces, and
processes of a service that cannot be seen from here."""
SERVICES = {"e2b": "E2B_API_KEY", "daytona": "DAYTONA_API_KEY"}


def _scene(name: str) -> ParameterSet:
    """A backend whose checks take long, or many sandboxes; a machine has one cluster of Ray at a time."""
    alone = [pytest.mark.xdist_group("ray_cluster")] if name == "ray" else []
    return pytest.param(name, marks=[pytest.mark.scene, *alone])


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Backend:
    """One that can be used here. `cold` is `local` without warm workers, `live-…` the real service."""
    name: str = request.param
    if name == "cold":
        _need(why_not("local"))
        return LocalBackend(warm=False)
    if name.startswith("live-"):
        service = name.removeprefix("live-")
        _need("" if os.environ.get(SERVICES[service]) else f"no {SERVICES[service]}")
        return get_backend(service)
    _need(why_not(name))
    if name in SERVICES:
        request.getfixturevalue(name)
    if name == "ray":
        request.getfixturevalue("ray_cluster")
    return get_backend(name)


def _need(reason: str) -> None:
    if reason:
        pytest.skip(f"not run: {reason}")


@asynccontextmanager
async def opened(backend: Backend) -> AsyncGenerator[CheckContext]:
    with OutsideWorld() as outside:
        spec = SandboxSpec(python=sys.executable, readable=(str(outside.workspace),))
        async with open_context(backend, spec, outside) as context:
            yield context


async def failures(backend: Backend, checks: Sequence[SelfCheck]) -> dict[str, str]:
    async with opened(backend) as context:
        results = await run_checks(context, checks, lambda _: None)
    assert [result.name for result in results] == [check.name for check in checks]
    return {result.name: result.why for result in results if not result.ok}


@pytest.mark.parametrize("area", LISTS)
@pytest.mark.parametrize(
    "backend", [_scene(name) for name in ("cold", "sandlock", "e2b", "daytona", "ray")], indirect=True
)
async def test_a_backend_holds(backend: Backend, area: str) -> None:
    known = KNOWN.get(backend.name, set[str]())
    found = await failures(backend, LISTS[area])
    assert {name: why for name, why in found.items() if name not in known} == {}


@pytest.mark.live
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("area", LISTS)
@pytest.mark.parametrize("backend", ["live-e2b", "live-daytona"], indirect=True)
async def test_a_live_service_holds(backend: Backend, area: str) -> None:
    found = await failures(backend, LISTS[area])
    assert {name: why for name, why in found.items() if name not in KNOWN["live"]} == {}


@pytest.mark.parametrize("backend", [_scene("unsafe")], indirect=True)
async def test_the_contract_and_limits_hold_without_walls(backend: Backend) -> None:
    found = await failures(backend, [*CONTRACT, *LIMITS])
    assert {name: why for name, why in found.items() if name not in KNOWN["unsafe"]} == {}


@pytest.mark.parametrize("backend", ["unsafe"], indirect=True)
async def test_every_gap_of_a_backend_without_walls_is_found(backend: Backend) -> None:
    found = await failures(backend, ESCAPES)
    assert set(found) >= LEAKS
    assert all(found.values())


@pytest.mark.parametrize(
    "backend", ["local", "sandlock", "unsafe", *map(_scene, ("docker", "e2b", "daytona"))], indirect=True
)
async def test_the_probe_says_what_the_checks_say(backend: Backend, request: pytest.FixtureRequest) -> None:
    if backend.name == "docker":
        request.getfixturevalue("daemon")
    readiness = await backend.probe()
    assert (readiness.usable, readiness.name, readiness.why) == (True, backend.name, "")
    isolation = readiness.isolation
    isolating = backend.name != "unsafe"
    assert (isolation.filesystem, isolation.network, isolation.processes) == (isolating, isolating, isolating)
    assert isolation.kernel is (backend.name == "e2b")
    assert ("NOT ISOLATED" in isolation.label) is not isolating


@pytest.mark.parametrize("backend", ["unsafe"], indirect=True)
async def test_results_are_told_as_they_come_and_a_failing_sandbox_is_a_failed_check(backend: Backend) -> None:
    async def broken(_: CheckContext) -> str:
        raise SandboxBroken("gone")

    async def sound(_: CheckContext) -> str:
        return ""

    told: list[SelfCheckResult] = []
    checks = [
        SelfCheck(name="a", kind="control", run=broken),
        SelfCheck(name="b", kind="cheat", run=sound, alone=True),
    ]
    async with opened(backend) as context:
        results = await run_checks(context, checks, told.append)
        report = SelfCheckReport(backend="unsafe", isolation=context.sandbox.isolation, checks=results)
    assert [(result.name, result.ok, result.why) for result in results] == [
        ("a", False, "the sandbox failed: gone"),
        ("b", True, ""),
    ]
    assert told == list(results)
    assert not report.ok

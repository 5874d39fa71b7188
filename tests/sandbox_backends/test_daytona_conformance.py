"""What every backend must do, at Daytona: through the fake always, live where it is asked for and there is a key."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.registry import get_backend
from tests.sandbox_backends import conformance

pytestmark = pytest.mark.anyio
CHECKS = (*conformance.EVERY, *conformance.CONTAINING, *conformance.ISOLATED, *conformance.OWN_DISK)
SEEN_FROM_HERE = {
    conformance.cancelling_ends_all_processes_of_the_job,
    conformance.cancelling_ends_daemons,
    conformance.closing_ends_running_jobs,
}
"""They wait until a process of the sandbox is seen among this machine's: the fake's are."""
PLACES = ("fake", pytest.param("live", marks=pytest.mark.live))


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    """Where the sandboxes are."""
    if request.param == "fake":
        request.getfixturevalue("daytona")
    elif not os.environ.get("DAYTONA_API_KEY"):
        pytest.skip("not run: no DAYTONA_API_KEY")
    elif "live" not in (request.config.getoption("markexpr") or ""):
        pytest.skip("not run: live tests are asked for with -m live")
    return request.param


@asynccontextmanager
async def opened() -> AsyncGenerator[Sandbox]:
    sandbox = await get_backend("daytona").open(SandboxSpec(python=sys.executable))
    try:
        yield sandbox
    finally:
        await sandbox.aclose()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_daytona(place: str, check: conformance.Check) -> None:
    if place == "live" and check in SEEN_FROM_HERE:
        pytest.skip("processes of the live service cannot be seen from here")
    async with opened() as sandbox:
        await check(sandbox)


@pytest.mark.parametrize("check", conformance.ISOLATED_FROM_FILES, ids=lambda check: check.__name__)
async def test_daytona_keeps_files_apart(
    place: str, check: Callable[[Sandbox, Path], Awaitable[None]], tmp_path: Path
) -> None:
    async with opened() as sandbox:
        await check(sandbox, tmp_path)


async def test_the_probe_of_daytona_says_what_the_checks_say(place: str) -> None:
    readiness = await get_backend("daytona").probe()
    assert (readiness.usable, readiness.name, readiness.why) == (True, "daytona", "")
    isolation = readiness.isolation
    assert (isolation.filesystem, isolation.network, isolation.processes, isolation.kernel) == (
        True,
        True,
        True,
        False,
    )

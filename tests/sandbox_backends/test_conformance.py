"""Every backend of this machine passes the same checks."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest

from codeens_sandbox_backends.base import Backend, Sandbox, SandboxSpec
from codeens_sandbox_backends.registry import get_backend
from tests.sandbox_backends import conformance
from tests.sandbox_backends.machine import has_control_groups, why_not

DOCKER = pytest.param("docker", marks=pytest.mark.scene)
BACKENDS = ("local", "sandlock", DOCKER, "unsafe")
ISOLATING = ("local", "sandlock", DOCKER)
WITH_OWN_DISK = ("local", DOCKER)


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> Backend:
    reason = why_not(request.param)
    if reason:
        pytest.skip(reason)
    if request.param == "docker":
        request.getfixturevalue("daemon")
    return _backend(request.param)


@cache
def _backend(name: str) -> Backend:
    """One for all tests: it tries its isolation only before its first use."""
    return get_backend(name)


@asynccontextmanager
async def opened(backend: Backend) -> AsyncGenerator[Sandbox]:
    sandbox = await backend.open(SandboxSpec(python=sys.executable))
    try:
        yield sandbox
    finally:
        await sandbox.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize("backend", BACKENDS, indirect=True)
@pytest.mark.parametrize("check", conformance.EVERY, ids=lambda check: check.__name__)
async def test_every_backend(backend: Backend, check: conformance.Check) -> None:
    async with opened(backend) as sandbox:
        await check(sandbox)


@pytest.mark.anyio
@pytest.mark.parametrize("backend", BACKENDS, indirect=True)
@pytest.mark.parametrize("check", conformance.CONTAINING, ids=lambda check: check.__name__)
async def test_a_containing_backend(backend: Backend, check: conformance.Check) -> None:
    if backend.name == "unsafe" and not has_control_groups():
        pytest.skip("without control groups a process can leave its group and with it `unsafe`")
    async with opened(backend) as sandbox:
        await check(sandbox)


@pytest.mark.anyio
@pytest.mark.parametrize("backend", ISOLATING, indirect=True)
@pytest.mark.parametrize("check", conformance.ISOLATED, ids=lambda check: check.__name__)
async def test_an_isolating_backend(backend: Backend, check: conformance.Check) -> None:
    async with opened(backend) as sandbox:
        await check(sandbox)


@pytest.mark.anyio
@pytest.mark.parametrize("backend", WITH_OWN_DISK, indirect=True)
@pytest.mark.parametrize("check", conformance.OWN_DISK, ids=lambda check: check.__name__)
async def test_a_backend_with_a_disk_of_its_own(backend: Backend, check: conformance.Check) -> None:
    async with opened(backend) as sandbox:
        await check(sandbox)


@pytest.mark.anyio
@pytest.mark.parametrize("backend", ISOLATING, indirect=True)
@pytest.mark.parametrize("check", conformance.ISOLATED_FROM_FILES, ids=lambda check: check.__name__)
async def test_an_isolating_backend_keeps_files_apart(
    backend: Backend, check: Callable[[Sandbox, Path], Awaitable[None]], tmp_path: Path
) -> None:
    async with opened(backend) as sandbox:
        await check(sandbox, tmp_path)


@pytest.mark.anyio
@pytest.mark.parametrize("backend", BACKENDS, indirect=True)
async def test_the_probe_says_what_the_checks_say(backend: Backend) -> None:
    readiness = await backend.probe()
    assert (readiness.usable, readiness.name, readiness.why) == (True, backend.name, "")
    isolating = backend.name != "unsafe"
    tier = readiness.tier
    assert (tier.filesystem, tier.network, tier.processes, tier.kernel) == (isolating, isolating, isolating, False)
    assert ("NOT ISOLATED" in tier.label) is not isolating

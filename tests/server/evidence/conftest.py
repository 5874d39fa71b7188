"""A real sandbox for the tests that run code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from msgspec.structs import replace

from codeens_sandbox_backends.base import Backend, Sandbox
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import Settings
from codeens_server.domain.evidence import Evidence
from codeens_server.evidence.gather import EvidencePlan, gather
from codeens_server.workspace.environment import sandbox_spec
from codeens_server.workspace.find import find_target
from tests.server.evidence.workspaces import write

Gather: TypeAlias = Callable[..., Awaitable[Evidence]]


@pytest.fixture(scope="session")
def backend() -> Backend:
    """Probed once in a session."""
    return get_backend("local")


@pytest.fixture
async def evidence_of(tmp_path: Path, backend: Backend, anyio_backend: str) -> AsyncIterator[Gather]:
    """Gathers the evidence of `mod.py::name` in a workspace of the given files, with few generated inputs."""
    opened: list[Sandbox] = []
    said: list[str] = []

    async def say(message: str) -> None:
        said.append(message)

    async def run(files: dict[str, str], name: str = "f", *, max_inputs: int = 16, **request: Any) -> Evidence:
        write(tmp_path, files)
        target = find_target(f"mod.py::{name}", cwd=tmp_path)
        settings = Settings(max_inputs=max_inputs)
        try:
            sandbox = await backend.open(sandbox_spec(target, settings))
        except SandboxUnavailable as missing:
            pytest.skip(str(missing))
        opened.append(sandbox)
        # A busy machine is not what the tests are about.
        limits = replace(settings.limits, wall_s=60.0)
        plan = EvidencePlan(max_inputs=max_inputs, timeout_s=settings.timeout_s, limits=limits, **request)
        evidence = await gather(target, plan, sandbox=sandbox, say=say)
        assert said
        return evidence

    yield run
    for sandbox in opened:
        await sandbox.aclose()

"""Opens the local sandbox for a test, and skips it where this machine has none."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import cache

import pytest

from codeens_sandbox_backends.base import Backend, Sandbox
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.registry import get_backend
from codeens_server.config.settings import Settings
from codeens_server.domain.target import Candidate, Replacement, Target
from codeens_server.workspace.environment import sandbox_spec
from tests.sandbox_backends.machine import why_not

LIMITS = Limits(call_s=1.0, wall_s=20.0)


@cache
def _local() -> Backend:
    return get_backend("local")


@asynccontextmanager
async def local_sandbox(target: Target) -> AsyncGenerator[Sandbox]:
    """An open local sandbox in which the target's workspace can be read."""
    if why := why_not("local"):
        pytest.skip(why)
    sandbox = await _local().open(sandbox_spec(target, Settings(limits=LIMITS)))
    try:
        yield sandbox
    finally:
        await sandbox.aclose()


def candidate_of(function: str, *, imports: tuple[str, ...] = (), helpers: tuple[str, ...] = ()) -> Candidate:
    """A candidate as it would come from a model."""
    return Candidate(
        id="c1",
        model="m",
        variant="baseline",
        source=function,
        replacement=Replacement(function=function, imports=imports, helpers=helpers),
        digest="d",
    )

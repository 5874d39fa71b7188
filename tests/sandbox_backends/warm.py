"""What tests of warm workers share: sandboxes with and without them, and a count of workers by how they came to be."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from codeens_sandbox_backends.base import Sandbox, SandboxSpec
from codeens_sandbox_backends.driver.launcher import WorkerKind, WorkerProcess
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.local.backend import LocalBackend
from codeens_sandbox_backends.local.bwrap import BwrapLauncher
from codeens_sandbox_backends.local.warm.launcher import WarmLauncher
from tests.sandbox_backends.machine import why_not

MARKS = [
    pytest.mark.anyio,
    pytest.mark.skipif(bool(why_not("local")), reason=why_not("local") or "bubblewrap works"),
]


@asynccontextmanager
async def opened(*, warm: bool = True) -> AsyncGenerator[Sandbox]:
    sandbox = await LocalBackend(warm=warm).open(SandboxSpec(python=sys.executable))
    try:
        yield sandbox
    finally:
        await sandbox.aclose()


class Launches:
    """Counts workers by the path that they were started on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.warm = 0
        self.cold: list[WorkerKind] = []
        warm, cold = WarmLauncher.launch, BwrapLauncher.launch

        def launch_warm(launcher: WarmLauncher, kind: WorkerKind, limits: Limits) -> WorkerProcess:
            self.warm += kind == "calls"
            return warm(launcher, kind, limits)

        def launch_cold(launcher: BwrapLauncher, kind: WorkerKind, limits: Limits) -> WorkerProcess:
            self.cold.append(kind)
            return cold(launcher, kind, limits)

        monkeypatch.setattr(WarmLauncher, "launch", launch_warm)
        monkeypatch.setattr(BwrapLauncher, "launch", launch_cold)

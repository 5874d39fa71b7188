"""When codeens itself is killed, nothing that it started stays."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import anyio
import pytest

from codeens_sandbox_backends.docker.container import remove_orphans
from codeens_sandbox_backends.docker.engine import DockerClient
from codeens_sandbox_backends.selfcheck.outside import processes_with
from tests.sandbox_backends.daemon import Daemon
from tests.sandbox_backends.machine import why_not
from tests.sandbox_backends.tools import SLEEPERS, until

_JOB = """
import os, sys, anyio
from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import CallInput, ModuleSource, Program
from codeens_sandbox_backends.registry import get_backend

source = sys.stdin.read()

async def main():
    sandbox = await get_backend(sys.argv[1]).open(SandboxSpec(python=sys.executable))
    program = Program(module="subject", qualname="f", modules=(ModuleSource(name="subject", source=source),))
    limits = Limits(wall_s=600, call_s=600, cpu_s=600)
    await sandbox.run(CallsJob(program=program, inputs=(CallInput(args=(sys.argv[2][::-1],)),), limits=limits))

anyio.run(main)
"""
_SOURCE = f"""{SLEEPERS}
def f(marker):
    sleeper(marker)
    sleeper(marker, daemon=True)
    os.execv("/bin/sleep", [marker, "600"])
"""
_STARTED = 3


@pytest.mark.parametrize("name", ["local", "sandlock", "docker"])
def test_no_process_survives_the_death_of_codeens(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    reason = why_not(name)
    if reason:
        pytest.skip(reason)
    daemon: Daemon | None = request.getfixturevalue("daemon") if name == "docker" else None
    marker = uuid.uuid4().hex
    script = tmp_path / "job.py"
    script.write_text(_JOB, encoding="utf-8")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, str(script), name, marker[::-1]], env=environment, stdin=subprocess.PIPE
    ) as codeens:
        try:
            assert codeens.stdin is not None
            codeens.stdin.write(_SOURCE.encode())
            codeens.stdin.close()
            anyio.run(until, lambda: len(processes_with(marker)) >= _STARTED or codeens.poll() is not None)
            assert codeens.returncode is None
        finally:
            codeens.kill()
    anyio.run(until, lambda: processes_with(marker) == [])
    if daemon is not None:
        anyio.run(until, lambda: _left_after_reaping(daemon) == [])


def _left_after_reaping(daemon: Daemon) -> list[str]:
    """A container that was just being made is not yet tied to its owner's life."""
    engine = DockerClient()
    try:
        remove_orphans(engine)
    finally:
        engine.close()
    return daemon.containers()

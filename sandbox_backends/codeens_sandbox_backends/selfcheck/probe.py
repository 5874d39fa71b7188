"""Tries, in a real sandbox, what its isolation says cannot be done."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio

from codeens_sandbox_backends.base import IsolationLevel, Readiness, Sandbox, SandboxSpec
from codeens_sandbox_backends.errors import SandboxBroken, SandboxError, SandboxUnavailable
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import CallInput, ModuleSource, Program, Returned
from codeens_sandbox_backends.selfcheck.outside import started_at

_LIMITS = Limits(wall_s=30.0, call_s=20.0)
_TIMEOUT_S = 30.0
_SCRIPT = Path(__file__).parent / "attempts" / "leaks.py"


async def probe(name: str, isolation: IsolationLevel, open_: Callable[[SandboxSpec], Awaitable[Sandbox]]) -> Readiness:
    """Open a sandbox, let code in it try to get out, and hold the result against `isolation`."""
    try:
        with anyio.fail_after(_TIMEOUT_S):
            leaks = await _try(open_)
    except SandboxUnavailable as error:
        return Readiness(name=name, usable=False, isolation=isolation, why=error.why, fix=error.fix)
    except (SandboxError, TimeoutError) as error:
        return Readiness(name=name, usable=False, isolation=isolation, why=str(error) or "it did not answer in time")
    promised = {
        "files": isolation.filesystem,
        "network": isolation.network,
        "processes": isolation.processes,
    }
    broken = [leak for leak in leaks if promised[leak]]
    if broken:
        return Readiness(
            name=name,
            usable=False,
            isolation=isolation,
            why=f"code inside could reach what it must not: {', '.join(broken)}",
        )
    return Readiness(name=name, usable=True, isolation=isolation)


async def _try(open_: Callable[[SandboxSpec], Awaitable[Sandbox]]) -> list[str]:
    """Return what leaked, by its name in the isolation: `files`, `network`, `processes`."""
    sandbox = await open_(SandboxSpec(python=sys.executable, limits=_LIMITS))
    try:
        with (
            tempfile.TemporaryDirectory(prefix="codeens-probe-") as folder,
            socket.create_server(("127.0.0.1", 0)) as listener,
        ):
            canary = Path(folder) / "canary"
            canary.write_text("secret", encoding="utf-8")
            secrets = [str(canary), "/etc/shadow", *_some_home_file()]
            port: int = listener.getsockname()[1]
            arguments = (["list", *secrets], str(canary), port, os.getpid(), started_at(os.getpid()))
            result = await sandbox.run(CallsJob(program=_program(), inputs=(CallInput(args=arguments),)))
    finally:
        await sandbox.aclose()
    outcome = result.outcomes[0]
    if not isinstance(outcome, Returned) or not isinstance(outcome.value, str):
        raise SandboxBroken(f"a function that should have answered did not: {outcome}")
    return outcome.value.split()


def _program() -> Program:
    source = _SCRIPT.read_text(encoding="utf-8")
    return Program(
        module=_SCRIPT.stem, qualname="leaks", modules=(ModuleSource(name=_SCRIPT.stem, source=source),), sys_path=()
    )


def _some_home_file() -> list[str]:
    """Return a file of the home folder that this user can read, if there is one."""
    try:
        files = sorted(path for path in Path.home().iterdir() if path.is_file() and os.access(path, os.R_OK))
    except (OSError, RuntimeError):
        return []
    return [str(path) for path in files[:1]]

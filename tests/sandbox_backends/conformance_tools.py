"""Short ways to run a job in an open sandbox, and to see what it left behind on this machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from codeens_sandbox_backends.base import (
    CallInput,
    CallsJob,
    CallsResult,
    Encoded,
    Limits,
    ModuleSource,
    Program,
    Returned,
    Sandbox,
)

Check = Callable[[Sandbox], Awaitable[None]]
"""One thing that every backend must do."""
SLEEPERS = """
import os
def sleeper(marker, daemon=False):
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            if daemon:
                os.setsid()
                if os.fork():
                    os._exit(0)
            os.execv("/bin/sleep", [marker, "600"])
        finally:
            os.write(writing, b"failed")
            os._exit(1)
    os.close(writing)
    started = os.read(reading, 1) == b""
    os.close(reading)
    return started
"""
"""Source of a function that leaves a process behind, and returns when that runs; a daemon has its own session."""


async def call(
    sandbox: Sandbox, source: str, *inputs: tuple[Encoded, ...], limits: Limits | None = None
) -> CallsResult:
    """Run `f` of a module with this source, once with each input's arguments."""
    program = Program(module="subject", qualname="f", modules=(ModuleSource(name="subject", source=source),))
    arguments = tuple(CallInput(args=args) for args in inputs or ((),))
    return await sandbox.run(CallsJob(program=program, inputs=arguments, limits=limits))


async def answer(sandbox: Sandbox, source: str, *args: Encoded) -> Encoded:
    """The value of one call that must return."""
    outcome = (await call(sandbox, source, args)).outcomes[0]
    assert isinstance(outcome, Returned), outcome
    return outcome.value


def processes_with(marker: str) -> list[int]:
    """Processes of this machine that have the marker in their command line."""
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and marker.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds; fails when it does not within half a minute."""
    for _ in range(3000):
        if condition():
            return
        await anyio.sleep(0.01)
    pytest.fail("it did not become true")

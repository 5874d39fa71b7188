"""Short ways to run code in an open sandbox, and to wait for what it does on this machine."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.programs import Encoded, Returned
from codeens_sandbox_backends.selfcheck.contract import call

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


async def answer(sandbox: Sandbox, source: str, *args: Encoded) -> Encoded:
    """The value of one call that must return."""
    outcome = (await call(sandbox, source, args)).outcomes[0]
    assert isinstance(outcome, Returned), outcome
    return outcome.value


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    while not condition():  # noqa: ASYNC110  # what is waited for tells nobody
        await anyio.sleep(0.01)

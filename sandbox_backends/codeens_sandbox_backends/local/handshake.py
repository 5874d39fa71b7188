"""Waits until a process that is kept says that it is up."""

from __future__ import annotations

import msgspec

from codeens_sandbox_backends.driver.launcher import WorkerProcess
from codeens_sandbox_backends.driver.wire import Up
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.reading import decoded
from codeens_sandbox_backends.worker.frames import FrameReader, FrameTooLong

_START_S = 30.0
_LONGEST = 1000


def await_handshake(process: WorkerProcess) -> None:
    """Take the greeting off the channel of a process that has just been started.

    Raises:
        SandboxBroken: there is none; the process is ended, and the message holds what it said.
    """
    process.channel.settimeout(_START_S)
    try:
        decoded(FrameReader(process.channel.recv).next(_LONGEST), Up)
    except (EOFError, OSError, FrameTooLong, msgspec.MsgspecError) as error:
        process.kill()
        said = process.wait(0).stderr.decode("utf-8", "replace")[-2000:].strip()
        raise SandboxBroken(f"a process that is kept did not start. It said: {said or 'nothing'}") from error

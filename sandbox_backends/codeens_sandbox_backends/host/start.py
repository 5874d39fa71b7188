"""Starts the command of a worker and waits until it says that its limits are set."""

from __future__ import annotations

import os
import selectors
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.host.limits import Rlimit

START_TIMEOUT_S = 20.0
_CREDENTIALS = struct.Struct("3i")
_TELLS_SENDERS = sys.platform == "linux"
"""Elsewhere nothing wraps the worker: it is the process that was started."""


class StartedProcess(NamedTuple):
    """A worker that has set its limits and waits for `release`."""

    popen: subprocess.Popen[bytes]
    channel: socket.socket
    pid: int
    """Of the interpreter itself, not of what it is wrapped in."""

    def release(self) -> None:
        """Let it serve its channel."""
        self.channel.sendall(GO)

    def discard(self) -> str:
        """End it: it could not be prepared. Tells the end of what it wrote to stderr."""
        return _discard(self.popen, self.channel)


def start(
    command: list[str], *, env: Mapping[str, str], cwd: str, pass_fds: Sequence[int] = (), session: bool = False
) -> StartedProcess:
    """Run `command` with one end of a socket pair as its standard input, and pipes as its output.

    Raises:
        SandboxBroken: it ended, or kept silent for 20 seconds; the message holds what it said on stderr.
    """
    ours, theirs = socket.socketpair()
    if _TELLS_SENDERS:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    with theirs:
        try:
            popen = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(env),
                cwd=cwd,
                pass_fds=pass_fds,
                start_new_session=session,
                bufsize=0,
            )
        except OSError as error:
            ours.close()
            raise SandboxBroken(f"{command[0]} could not be started: {error}") from error
    pid = _first_byte(ours, popen.pid)
    if pid is None:
        raise SandboxBroken(f"a sandboxed process did not start: {_discard(popen, ours)}")
    if _TELLS_SENDERS:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
    return StartedProcess(popen, ours, pid)


def _first_byte(channel: socket.socket, started: int) -> int | None:
    """Wait for the worker's first byte; Linux tells whose it is, numbered as this process sees it."""
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        if not selector.select(START_TIMEOUT_S):
            return None
    if not _TELLS_SENDERS:
        return started if channel.recv(1) == READY else None
    try:
        data, extra, _, _ = channel.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size))
    except OSError:
        return None
    for level, kind, payload in extra:
        if data == READY and level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            pid: int = _CREDENTIALS.unpack_from(payload)[0]
            return pid
    return None


def _discard(popen: subprocess.Popen[bytes], channel: socket.socket) -> str:
    """Kill the command, and tell the end of what it wrote to stderr."""
    channel.close()
    popen.kill()
    popen.wait()
    said = b""
    for pipe in (popen.stdout, popen.stderr):
        if pipe is not None:
            os.set_blocking(pipe.fileno(), False)
            said = pipe.read() or b""
            pipe.close()
    return said.decode("utf-8", "replace").strip()[-2000:] or f"it ended with {popen.returncode} and said nothing"


INTERPRETER_FLAGS = ("-I", "-S", "-B")
"""Isolated; site-packages only when the text below asks for them, since their `.pth` files are foreign code."""

READY = b"r"
"""Sent by the worker when its limits are set. It then waits for GO, so that it can be put into a control group."""
GO = b"g"

_TEXT = """\
import os, resource, sys
for name, soft, hard in {rlimits!r}:
    number = getattr(resource, name)
    most = resource.getrlimit(number)[1]
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(number, (soft, hard))
channel = os.dup(0)
nothing = os.open(os.devnull, os.O_RDONLY)
os.dup2(nothing, 0)
os.close(nothing)
os.write(channel, {ready!r})
if os.read(channel, 1) != {go!r}:
    os._exit(1)
import site
site.main()
sys.path.insert(0, {folder!r})
from codeens_worker.{kind} import main
main(channel)
"""


def bootstrap(kind: WorkerKind | Literal["zygote", "suite_zygote"], folder: str, limits: tuple[Rlimit, ...]) -> str:
    """Return source for `python -c`; `folder` holds the package `codeens_worker`. The channel is its standard input."""
    plain = [tuple(limit) for limit in limits]
    return _TEXT.format(rlimits=plain, ready=READY, go=GO, folder=folder, kind=kind)

"""What stands for a microVM: namespaces of its own, with a root that holds this machine's programs and nothing else.

Its root is this machine's root where that runs the tests, as a microVM's may become any user; else root by name only.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

import anyio
from anyio import to_thread
from anyio.abc import Process

from tests.sandbox_backends.machine import why_not

_SHOWN = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
_ISOLATION = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--hostname", "microvm")
_ENVIRONMENT = {"PATH": f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
_USERS = "root:x:0:0::/root:/bin/bash\nuser:x:1000:1000::/home/user:/bin/bash\n"


def why_no_machines() -> str:
    """Why there can be none here; empty when there can."""
    return why_not("local")


class FakeMachine:
    """Programs that run in it are this user's processes; whoever is root in it can do there what root can do."""

    def __init__(self, first: subprocess.Popen[bytes], number: int) -> None:
        self._first = first
        self._number = number

    @property
    def is_running(self) -> bool:
        return self._first.poll() is None

    async def run(self, command: Sequence[str], environment: Mapping[str, str], cwd: str) -> Process:
        """Start a program in it, as root."""
        enter = [*_entering(self._number), f"--wd={cwd}", "--", *command]
        return await anyio.open_process(
            enter, stdin=subprocess.PIPE, env={**_ENVIRONMENT, **environment}, start_new_session=True
        )

    async def write(self, path: str, content: bytes) -> None:
        """Put a file there."""
        text = 'mkdir -p "$(dirname "$0")" && cat > "$0"'
        command = [*_entering(self._number), "--", "/bin/sh", "-c", text, path]
        await to_thread.run_sync(lambda: subprocess.run(command, input=content, env=_ENVIRONMENT, check=True))

    def kill_programs(self) -> None:
        """Kill all that runs in it, but not the machine."""
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
                inside = (folder / "ns/pid").readlink() == Path(f"/proc/{self._number}/ns/pid").readlink()
            except OSError:
                continue
            if inside and parent not in (self._number, self._first.pid):
                os.kill(int(folder.name), signal.SIGKILL)

    async def end(self) -> None:
        """Kill everything in it. Safe to call twice."""
        if self.is_running:
            with suppress(ProcessLookupError):  # it may be ending
                os.kill(self._number, signal.SIGKILL)  # all others go with the first process of a namespace
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self._first.wait)


def start_machine() -> FakeMachine:
    """Start one; it dies with this thread."""
    shown = [option for path in _SHOWN if Path(path).exists() for option in _as_it_is(path)]
    if not sys.base_prefix.startswith("/usr"):
        shown += ["--ro-bind", sys.base_prefix, sys.base_prefix]
    reading, writing = os.pipe()
    users = os.memfd_create("passwd")
    os.write(users, _USERS.encode("ascii"))
    os.lseek(users, 0, os.SEEK_SET)
    rights = ["--cap-add", "ALL"] if os.geteuid() == 0 else ["--unshare-user", "--uid", "0", "--gid", "0"]
    command = [
        *("setpriv", "--pdeathsig", "KILL", "bwrap"),
        *_ISOLATION,
        *rights,
        *("--clearenv", "--info-fd", str(writing), *shown, "--file", str(users), "/etc/passwd"),
        *("--proc", "/proc", "--dev", "/dev", "--dir", "/tmp", "--dir", "/root", "--chdir", "/"),
        *("/bin/sh", "-c", "echo; exec sleep infinity"),
    ]
    with os.fdopen(reading, "rb") as told:
        first = subprocess.Popen(command, pass_fds=(writing, users), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        os.close(writing)
        os.close(users)
        number = re.search(rb'"child-pid": (\d+)', told.read())
    with cast("IO[bytes]", first.stdout) as said:
        is_up = said.readline() == b"\n"  # before that its root is this machine's
    if number is None or not is_up:
        raise RuntimeError("a fake machine did not start")
    return FakeMachine(first, int(number[1]))


def _as_it_is(path: str) -> list[str]:
    if Path(path).is_symlink():
        return ["--symlink", str(Path(path).readlink()), path]
    return ["--ro-bind", path, path]


def _entering(number: int) -> list[str]:
    users = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
    return ["nsenter", f"--target={number}", "--mount", "--pid", "--net", "--ipc", "--uts", *users]

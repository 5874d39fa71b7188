"""A machine of a fake service: its own files, processes and network, under bubblewrap.

What it shows of the real machine is `/usr` and the interpreter that runs the tests, read-only. Its user is root inside,
who may do there what a privileged container allows, and nobody outside.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import anyio

from codeens_sandbox_backends.local.staging import NOBODY, Staging, stage
from tests.sandbox_backends.fake_machine import agent
from tests.sandbox_backends.machine import why_not

HOME = "/root"
SHELLS = ("/usr/bin/zsh", "/usr/bin/bash", "/usr/bin/sh")
_DISK = 256 << 20
_PACKET = 1 << 16
_END_S = 100.0
_PREFIX = os.path.realpath(sys.base_prefix)
_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")


def why_no_machines() -> str:
    """Why there can be none here; empty when there can."""
    return why_not("local")


def shell() -> str:
    """What commands are run by: the first that is installed, as the vendor says."""
    return next(path for path in SHELLS if Path(path).exists())


class Image:
    """What machines are started from. Close it when done."""

    def __init__(self) -> None:
        self._agent = Path(tempfile.mkdtemp(prefix="codeens-machine-")) / "agent.py"
        shutil.copy(agent.__file__, self._agent)
        self._agent.parent.chmod(0o755)
        self._agent.chmod(0o644)
        private = (_PREFIX, str(self._agent))
        self._staging: Staging | None = stage(private) if os.geteuid() == 0 else None
        self._places = self._staging.places if self._staging else {path: path for path in private}

    def close(self) -> None:
        if self._staging:
            self._staging.close()
        shutil.rmtree(self._agent.parent)

    def command(self, hostname: str, env: dict[str, str], control: int, *, network: bool) -> list[str]:
        """What starts a machine whose first process is told by the descriptor `control` what to do."""
        own = {
            "HOME": HOME,
            "USER": "root",
            "PATH": f"{_PREFIX}/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
        }
        variables = [option for name, value in (own | env).items() for option in ("--setenv", name, value)]
        links = [("--symlink", f"usr/{name}", f"/{name}") for name in _LINKS if Path("/usr", name).is_dir()]
        scratch = [("--size", str(_DISK), "--tmpfs", place) for place in ("/tmp", "/var/tmp", HOME, "/dev/shm")]
        shown = () if _PREFIX.startswith("/usr") else ("--ro-bind", self._places[_PREFIX], _PREFIX)
        return [
            *self._as_nobody(),
            *("bwrap", "--unshare-all", "--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL"),
            *(("--share-net",) if network else ()),
            *("--hostname", hostname, "--die-with-parent", "--new-session", "--as-pid-1"),
            *("--clearenv", *variables, "--proc", "/proc", "--dev", "/dev", *chain(*scratch)),
            *("--ro-bind", "/usr", "/usr", *chain(*links), *shown),
            *("--ro-bind", self._places[str(self._agent)], "/agent.py", "--chdir", HOME, "--"),
            *(f"{_PREFIX}/bin/python3", "-I", "-S", "/agent.py", str(control)),
        ]

    def _as_nobody(self) -> tuple[str, ...]:
        if self._staging is None:
            return ()
        namespace = f"/proc/{os.getpid()}/fd/{self._staging.namespace}"
        return ("nsenter", f"--mount={namespace}", f"--setuid={NOBODY}", f"--setgid={NOBODY}", "--")


class Program:
    """What runs in a machine."""

    def __init__(self, number: int, stop: Callable[[], None]) -> None:
        self.number = number
        self.kill = stop
        """End it, and what it started."""
        self.ended = anyio.Event()
        self.exit_code = 0


class Machine:
    """A running one. Close it when done."""

    def __init__(self, image: Image, hostname: str, env: dict[str, str], *, network: bool) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = image.command(hostname, env, theirs.fileno(), network=network)
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),), start_new_session=True
            )
        self._control.setblocking(False)
        self._orders = 0
        self._programs: dict[int, Program] = {}
        self._answers: dict[int, tuple[dict[str, Any], list[int]]] = {}
        self._answered: dict[int, anyio.Event] = {}

    async def serve(self) -> None:
        """Take what the first process says, until it is gone."""
        while True:
            await anyio.wait_readable(self._control)
            try:
                packet, descriptors, _, _ = socket.recv_fds(self._control, _PACKET, 1)
            except ConnectionError:
                packet, descriptors = b"", []
            if not packet:
                break
            said = json.loads(packet)
            if "ended" in said:
                program = self._programs.pop(said["id"])
                program.exit_code = said["ended"]
                program.ended.set()
            else:
                self._answers[said["id"]] = said, descriptors
                self._answered[said["id"]].set()
        self._control.close()
        for event in (*self._answered.values(), *(program.ended for program in self._programs.values())):
            event.set()

    async def write(self, path: str, content: bytes) -> None:
        """Raises `OSError` when that cannot be written."""
        descriptor = os.memfd_create("upload")
        with os.fdopen(descriptor, "w+b") as file:
            file.write(content)
            file.flush()
            os.lseek(descriptor, 0, os.SEEK_SET)
            await self._ordered({"do": "write", "path": str(Path(HOME, path))}, descriptor)

    async def run(self, argv: list[str], cwd: str, env: dict[str, str], standard: tuple[int, int, int]) -> Program:
        """Start a program with these descriptors as its standard input, output and error."""
        order = {"do": "run", "argv": argv, "cwd": cwd, "env": env}
        return (await self._started(order, *standard))[0]

    async def terminal(self, cwd: str, env: dict[str, str], size: tuple[int, int]) -> tuple[Program, int]:
        """Start an interactive shell on a new terminal; with the descriptor of its master, which is the caller's."""
        order = {"do": "terminal", "argv": [shell(), "-i", "-l"], "cwd": cwd, "env": env, "size": size}
        program, descriptors = await self._started(order)
        os.set_blocking(descriptors[0], False)
        return program, descriptors[0]

    def close(self) -> None:
        """End it with all its processes, and wait until they are gone."""
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)  # its first process ends, and with that all are killed
        try:
            self._process.wait(_END_S)
        finally:
            self._process.kill()

    async def _started(self, order: dict[str, Any], *descriptors: int) -> tuple[Program, list[int]]:
        number = self._orders + 1
        program = Program(number, lambda: self._send({"id": 0, "do": "kill", "of": number}))
        self._programs[number] = program
        return program, await self._ordered(order, *descriptors)

    async def _ordered(self, order: dict[str, Any], *descriptors: int) -> list[int]:
        self._orders += 1
        number = self._orders
        self._answered[number] = anyio.Event()
        self._send({"id": number, **order}, *descriptors)
        await self._answered[number].wait()
        del self._answered[number]
        answer, given = self._answers.pop(number, ({"error": "the machine is gone"}, []))
        if answer["error"]:
            self._programs.pop(number, None)
            raise OSError(answer["error"])
        return given

    def _send(self, order: dict[str, Any], *descriptors: int) -> None:
        with suppress(OSError):  # it is gone
            socket.send_fds(self._control, [json.dumps(order).encode()], descriptors)

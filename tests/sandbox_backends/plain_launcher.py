"""A launcher without isolation, for tests of the worker and the driver with our own harmless code."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import codeens_sandbox_backends.worker
from codeens_sandbox_backends.driver.launcher import DirectWorker, ExitStatus, WorkerKind
from codeens_sandbox_backends.host.clocks import HostClocks
from codeens_sandbox_backends.jobs import Limits

WORKER = Path(codeens_sandbox_backends.worker.__file__).parent
_BOOT = "import sys; sys.path.insert(0, {folder!r}); from codeens_worker.{kind} import main; main({fd})"
_WRITTEN_OFF_S = 20.0


def _scratch() -> IO[bytes]:
    return tempfile.TemporaryFile()


@dataclass
class PlainProcess:
    """A worker as a plain subprocess whose output goes to temporary files."""

    popen: subprocess.Popen[bytes]
    channel: socket.socket
    stdout: IO[bytes]
    stderr: IO[bytes]
    ending: ExitStatus | None = None

    def kill(self) -> None:
        self.popen.kill()

    def wait(self, timeout: float) -> ExitStatus:
        if self.ending is None:
            self.channel.close()
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait(_WRITTEN_OFF_S)
            self.ending = self._end()
        return self.ending

    def _end(self) -> ExitStatus:
        output: list[bytes] = []
        for file in (self.stdout, self.stderr):
            file.seek(0)
            output.append(file.read())
            file.close()
        code = self.popen.returncode
        return ExitStatus(
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            stdout=output[0],
            stderr=output[1],
        )


@dataclass
class DirectProcess(PlainProcess, DirectWorker):
    """The same, with descriptors passed to it and its clocks read from here."""

    def clocks(self, pid: int) -> HostClocks:
        return HostClocks(pid)


@dataclass
class PlainLauncher:
    """Use as a context manager: on leaving it every worker must have been seen off by the driver."""

    python: str = sys.executable
    direct: bool = False
    started: list[PlainProcess] = field(default_factory=list[PlainProcess])
    folder: str = field(default_factory=lambda: tempfile.mkdtemp(prefix="codeens-test-"))

    def __enter__(self) -> PlainLauncher:
        Path(self.folder, "codeens_worker").symlink_to(WORKER)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        left = [process for process in self.started if process.ending is None]
        for process in left:
            process.wait(0)
        shutil.rmtree(self.folder)
        assert kind is not None or not left, "the driver left a worker behind"

    def launch(self, kind: WorkerKind, limits: Limits) -> PlainProcess:
        ours, theirs = socket.socketpair()
        stdout, stderr = _scratch(), _scratch()
        fd = theirs.fileno()
        popen = subprocess.Popen(
            [self.python, "-I", "-c", _BOOT.format(folder=self.folder, kind=kind, fd=fd)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            pass_fds=[fd],
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        )
        theirs.close()
        cpu = max(1, round(limits.cpu_s))
        resource.prlimit(popen.pid, resource.RLIMIT_CPU, (cpu, cpu + 1))
        process = (DirectProcess if self.direct else PlainProcess)(popen, ours, stdout, stderr)
        self.started.append(process)
        return process

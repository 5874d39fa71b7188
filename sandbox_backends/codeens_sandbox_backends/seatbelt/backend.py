"""Workers under sandbox-exec, the mechanism that macOS's own services are confined by."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from anyio import to_thread

from codeens_sandbox_backends.base import IsolationLevel, Readiness, SandboxSpec
from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.driver.sandbox import WorkerSandbox
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.host.layout import interpreter_folders
from codeens_sandbox_backends.host.limits import rlimits
from codeens_sandbox_backends.host.start import INTERPRETER_FLAGS, bootstrap, start
from codeens_sandbox_backends.host.worker_code import worker_folder
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.seatbelt.process import GroupProcess
from codeens_sandbox_backends.seatbelt.profile import profile
from codeens_sandbox_backends.selfcheck.probe import probe

NAME = "seatbelt"
TOOL = "/usr/bin/sandbox-exec"
"""By its place: a program of that name elsewhere could be anything."""
ISOLATION_LEVEL = IsolationLevel(
    filesystem=True,
    network=True,
    processes=False,
    kernel=False,
    label="sandbox-exec: files and network by rules; a process that leaves its group can outlive its job",
)


class SeatbeltBackend:
    """For macOS. Its rules are tested; it has never been run there."""

    name = NAME

    async def probe(self) -> Readiness:
        """Try the isolation in a real sandbox."""
        return await probe(self.name, ISOLATION_LEVEL, self.open)

    async def open(self, spec: SandboxSpec) -> WorkerSandbox:
        """Open a sandbox.

        Raises:
            SandboxUnavailable: this is no macOS, or the interpreter cannot be shown without a home folder.
        """
        launcher = await to_thread.run_sync(SeatbeltLauncher, spec)
        return WorkerSandbox(launcher, isolation=ISOLATION_LEVEL, limits=spec.limits)


class SeatbeltLauncher:
    """Starts workers, each with a folder of its own. Close it when done."""

    def __init__(self, spec: SandboxSpec, tool: str = TOOL) -> None:
        """Raises `SandboxUnavailable` where there is no sandbox-exec."""
        if not os.access(tool, os.X_OK):
            raise SandboxUnavailable(NAME, f"{tool} is not there", "Use macOS, or the sandbox `local` on Linux")
        self._tool = tool
        self._python = spec.python
        folders = _real([*interpreter_folders(spec.python, NAME)])
        code = worker_folder()
        self._folder = os.path.realpath(tempfile.mkdtemp(prefix="codeens-"))
        (Path(self._folder) / "codeens_worker").symlink_to(code)
        self._runnable = folders
        self._readable = [*folders, *_real([*spec.readable, code]), f"{self._folder}/codeens_worker"]
        self._hidden = _real(spec.hidden)

    def close(self) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def launch(self, kind: WorkerKind, limits: Limits) -> GroupProcess:
        """Start a worker; see `driver.launcher.Launcher`."""
        own = tempfile.mkdtemp(dir=self._folder)
        text = bootstrap(kind, self._folder, rlimits(limits, processes=None))
        started = start(
            [self._tool, "-p", self._rules(kind, own), self._python, *INTERPRETER_FLAGS, "-c", text],
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "USER": "nobody", "HOME": own, "TMPDIR": own},
            cwd=own,
            session=True,
        )
        process = GroupProcess(started, limits, clean_up=lambda: shutil.rmtree(own, ignore_errors=True))
        with suppress(OSError):  # when it is gone, its channel tells
            started.release()
        return process

    def _rules(self, kind: WorkerKind, own: str) -> str:
        hidden = () if kind == "suite" else self._hidden
        try:
            return profile(readable=self._readable, runnable=self._runnable, hidden=hidden, writable=own)
        except ValueError as error:
            raise SandboxUnavailable(NAME, str(error), "Rename that folder") from error


def _real(paths: list[str] | tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys(os.path.realpath(path) for path in paths))

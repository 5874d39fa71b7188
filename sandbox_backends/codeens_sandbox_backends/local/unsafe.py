"""No isolation at all: a plain process with limits. For code that one would run anyway."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

from codeens_sandbox_backends.base import IsolationLevel, Readiness, SandboxSpec
from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.driver.sandbox import WorkerSandbox
from codeens_sandbox_backends.host.limits import process_bound, rlimits
from codeens_sandbox_backends.host.process import LocalProcess, prepared
from codeens_sandbox_backends.host.start import INTERPRETER_FLAGS, bootstrap, start
from codeens_sandbox_backends.host.worker_code import worker_folder
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.selfcheck.probe import probe

ISOLATION_LEVEL = IsolationLevel(filesystem=False, network=False, processes=False, kernel=False, label="NOT ISOLATED")


class UnsafeBackend:
    """Must be asked for by name; every result says so."""

    name = "unsafe"

    async def probe(self) -> Readiness:
        """Try whether a worker starts and answers here. What it can reach is not held against it."""
        return await probe(self.name, ISOLATION_LEVEL, self.open)

    async def open(self, spec: SandboxSpec) -> WorkerSandbox:
        """Open a sandbox that keeps nothing apart."""
        return WorkerSandbox(UnsafeLauncher(spec.python), isolation=ISOLATION_LEVEL, limits=spec.limits)


class UnsafeLauncher:
    """Starts workers as plain processes in a temporary folder."""

    def __init__(self, python: str) -> None:
        self._python = python
        self._folder = tempfile.mkdtemp(prefix="codeens-")
        (Path(self._folder) / "codeens_worker").symlink_to(worker_folder())

    def close(self) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def launch(self, kind: WorkerKind, limits: Limits) -> LocalProcess:
        """Start a worker; see `driver.launcher.Launcher`."""
        own = tempfile.mkdtemp(dir=self._folder)
        text = bootstrap(
            kind, self._folder, rlimits(limits, processes=process_bound(limits, uid=os.geteuid(), own_namespace=False))
        )
        # Dies with this thread where that tool is there; only the worker itself does, not what it started.
        tool = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
        started = start(
            [*tool, self._python, *INTERPRETER_FLAGS, "-c", text],
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": own, "TMPDIR": own},
            cwd=own,
            session=True,
        )

        def kill_group() -> None:
            try:
                os.killpg(started.popen.pid, signal.SIGKILL)
            except ProcessLookupError:
                return

        return prepared(
            started,
            limits,
            root=started.popen.pid,
            wrapped=False,
            kill_rest=kill_group,
            clean_up=lambda: shutil.rmtree(own, ignore_errors=True),
        )

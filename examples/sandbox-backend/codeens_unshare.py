"""A backend of another distribution: workers with a network and process numbers of their own, by unshare(1).

Files are not kept apart, and its isolation says so. What it takes: a launcher that starts workers, an isolation level,
and an entry point.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from codeens_sandbox_backends import worker
from codeens_sandbox_backends.base import IsolationLevel, Readiness, SandboxSpec
from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.driver.sandbox import WorkerSandbox
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.host.limits import rlimits
from codeens_sandbox_backends.host.process import LocalProcess, prepared
from codeens_sandbox_backends.host.start import INTERPRETER_FLAGS, bootstrap, start
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.selfcheck.probe import probe

ISOLATION_LEVEL = IsolationLevel(
    filesystem=False, network=True, processes=True, kernel=False, label="unshare: files are NOT kept apart"
)
_APART = ("--user", "--map-root-user", "--net", "--ipc", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child")


class UnshareBackend:
    """Needs util-linux, and user namespaces."""

    name = "unshare"

    async def probe(self) -> Readiness:
        """Try it in a real sandbox."""
        return await probe(self.name, ISOLATION_LEVEL, self.open)

    async def open(self, spec: SandboxSpec) -> WorkerSandbox:
        """Open a sandbox.

        Raises:
            SandboxUnavailable: there is no unshare.
        """
        if shutil.which("unshare") is None:
            raise SandboxUnavailable(self.name, "unshare is not installed", "Install util-linux")
        return WorkerSandbox(UnshareLauncher(spec.python), isolation=ISOLATION_LEVEL, limits=spec.limits)


class UnshareLauncher:
    """Starts each worker in namespaces of its own."""

    def __init__(self, python: str) -> None:
        self._python = python
        self._folder = tempfile.mkdtemp(prefix="codeens-unshare-")
        (Path(self._folder) / "codeens_worker").symlink_to(Path(worker.__file__).parent)

    def close(self) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def launch(self, kind: WorkerKind, limits: Limits) -> LocalProcess:
        """Start a worker; see `driver.launcher.Launcher`."""
        own = tempfile.mkdtemp(dir=self._folder)
        text = bootstrap(kind, self._folder, rlimits(limits, processes=None))
        started = start(
            ["unshare", *_APART, self._python, *INTERPRETER_FLAGS, "-c", text],
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": own, "TMPDIR": own},
            cwd=own,
            session=True,
        )
        # The worker is the first process of its namespace: with it, the kernel ends all others.
        return prepared(
            started,
            limits,
            root=started.pid,
            wrapped=True,
            clean_up=lambda: shutil.rmtree(own, ignore_errors=True),
        )

"""No isolation at all: a plain process with limits. For code that one would run anyway."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

from codeens_sandbox_backends import player
from codeens_sandbox_backends.base import Limits, Readiness, SandboxSpec, Tier
from codeens_sandbox_backends.conduct.launch import Role
from codeens_sandbox_backends.local.bootstrap import INTERPRETER_FLAGS, bootstrap
from codeens_sandbox_backends.local.jobs import LocalSandbox
from codeens_sandbox_backends.local.limits import process_bound, rlimits
from codeens_sandbox_backends.local.prepare import prepared
from codeens_sandbox_backends.local.probe import probe
from codeens_sandbox_backends.local.process import LocalProcess
from codeens_sandbox_backends.local.start import start

TIER = Tier(filesystem=False, network=False, processes=False, kernel=False, label="NOT ISOLATED")


class UnsafeBackend:
    """Must be asked for by name; every result says so."""

    name = "unsafe"

    async def probe(self) -> Readiness:
        """Whether a player starts and answers here. What it can reach is not held against it."""
        return await probe(self.name, TIER, self.open)

    async def open(self, spec: SandboxSpec) -> LocalSandbox:
        """Open a sandbox that keeps nothing apart."""
        return LocalSandbox(UnsafeLauncher(spec.python), tier=TIER, limits=spec.limits)


class UnsafeLauncher:
    """Starts players as plain processes in a temporary folder."""

    def __init__(self, python: str) -> None:
        self._python = python
        self._folder = tempfile.mkdtemp(prefix="codeens-")
        (Path(self._folder) / "codeens_player").symlink_to(Path(player.__file__).parent)

    def close(self) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def launch(self, role: Role, limits: Limits) -> LocalProcess:
        """Start a player; see `conduct.launch.Launcher`."""
        own = tempfile.mkdtemp(dir=self._folder)
        text = bootstrap(
            role, self._folder, rlimits(limits, processes=process_bound(limits, uid=os.geteuid(), own_namespace=False))
        )
        # Dies with this thread where that tool is there; only the player itself does, not what it started.
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

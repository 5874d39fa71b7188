"""A backend of another distribution: players with a network and process numbers of their own, by unshare(1).

Files are not kept apart, and its tier says so. What it takes: a launcher that starts players, a tier, an entry point.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from codeens_sandbox_backends import player
from codeens_sandbox_backends.base import Limits, Readiness, SandboxSpec, Tier
from codeens_sandbox_backends.conduct.launch import Role
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.local.bootstrap import INTERPRETER_FLAGS, bootstrap
from codeens_sandbox_backends.local.jobs import LocalSandbox
from codeens_sandbox_backends.local.limits import rlimits
from codeens_sandbox_backends.local.prepare import prepared
from codeens_sandbox_backends.local.probe import probe
from codeens_sandbox_backends.local.process import LocalProcess
from codeens_sandbox_backends.local.start import start

TIER = Tier(filesystem=False, network=True, processes=True, kernel=False, label="unshare: files are NOT kept apart")
_APART = ("--user", "--map-root-user", "--net", "--ipc", "--pid", "--fork", "--mount", "--mount-proc", "--kill-child")


class UnshareBackend:
    """Needs util-linux, and user namespaces."""

    name = "unshare"

    async def probe(self) -> Readiness:
        """Try it in a real sandbox."""
        return await probe(self.name, TIER, self.open)

    async def open(self, spec: SandboxSpec) -> LocalSandbox:
        """Open a sandbox.

        Raises:
            SandboxUnavailable: there is no unshare.
        """
        if shutil.which("unshare") is None:
            raise SandboxUnavailable(self.name, "unshare is not installed", "Install util-linux")
        return LocalSandbox(UnshareLauncher(spec.python), tier=TIER, limits=spec.limits)


class UnshareLauncher:
    """Starts each player in namespaces of its own."""

    def __init__(self, python: str) -> None:
        self._python = python
        self._folder = tempfile.mkdtemp(prefix="codeens-unshare-")
        (Path(self._folder) / "codeens_player").symlink_to(Path(player.__file__).parent)

    def close(self) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def launch(self, role: Role, limits: Limits) -> LocalProcess:
        """Start a player; see `conduct.launch.Launcher`."""
        own = tempfile.mkdtemp(dir=self._folder)
        text = bootstrap(role, self._folder, rlimits(limits, processes=None))
        started = start(
            ["unshare", *_APART, self._python, *INTERPRETER_FLAGS, "-c", text],
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": own, "TMPDIR": own},
            cwd=own,
            session=True,
        )
        # The player is the first process of its namespace: with it, the kernel ends all others.
        return prepared(
            started,
            limits,
            root=started.pid,
            wrapped=True,
            clean_up=lambda: shutil.rmtree(own, ignore_errors=True),
        )

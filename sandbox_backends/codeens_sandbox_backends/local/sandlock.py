"""Workers under sandlock: Landlock and a system call filter, without namespaces. For machines without bubblewrap."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from anyio import to_thread

from codeens_sandbox_backends.base import IsolationLevel, Readiness, SandboxSpec
from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.driver.sandbox import WorkerSandbox
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.extras import installing_extra
from codeens_sandbox_backends.host.layout import layout_of
from codeens_sandbox_backends.host.limits import ADDRESS_SPACE_FACTOR, rlimits
from codeens_sandbox_backends.host.process import LocalProcess, prepared
from codeens_sandbox_backends.host.start import INTERPRETER_FLAGS, bootstrap, start
from codeens_sandbox_backends.host.worker_code import worker_folder
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.selfcheck.probe import probe

ISOLATION_LEVEL = IsolationLevel(
    filesystem=True,
    network=True,
    processes=True,
    kernel=False,
    label="sandlock: Landlock rules, no network, system call filter",
)
_HOST = str(Path(__file__).with_name("sandlock_host.py"))
KILLED = 250
"""What the host process ends with when its worker was killed: by us, or by sandlock for its memory."""
_METADATA_CALLS = ("fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat", "utimensat", "setxattr", "lsetxattr")
"""Landlock does not cover what they change, anywhere in the file system."""
_OLD_METADATA_CALLS = ("chmod", "chown", "lchown", "utime", "utimes", "futimesat")
"""The same, from before the architectures' numbers became common."""


class SandlockBackend:
    """Needs the optional package `sandlock` and Linux 6.12."""

    name = "sandlock"

    async def probe(self) -> Readiness:
        """Try the isolation in a real sandbox."""
        return await probe(self.name, ISOLATION_LEVEL, self.open)

    async def open(self, spec: SandboxSpec) -> WorkerSandbox:
        """Open a sandbox.

        Raises:
            SandboxUnavailable: the package, or what it needs, is not there.
        """
        launcher = await to_thread.run_sync(SandlockLauncher, spec)
        return WorkerSandbox(launcher, isolation=ISOLATION_LEVEL, limits=spec.limits)


class SandlockLauncher:
    """Starts workers, each with a host process that holds its sandbox and ends it when codeens ends."""

    def __init__(self, spec: SandboxSpec) -> None:
        """Raises `SandboxUnavailable` when this machine or this spec does not allow it."""
        if importlib.util.find_spec("sandlock") is None:
            raise SandboxUnavailable("sandlock", "sandlock is not installed", installing_extra("sandlock"))
        self._as_user = _without_capabilities()
        layout = layout_of(spec, backend="sandlock")
        self._python = spec.python
        self._folder = os.path.realpath(tempfile.mkdtemp(prefix="codeens-"))
        source = worker_folder()
        self._code = Path(self._folder) / "code"
        self._code.mkdir()
        (self._code / "codeens_worker").symlink_to(source)
        self._hidden = [os.path.realpath(path) for path in spec.hidden if Path(path).exists()]
        self._readable = [*layout.system, *layout.private, str(self._code), source, "/proc", "/dev/urandom"]

    def close(self) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def launch(self, kind: WorkerKind, limits: Limits) -> LocalProcess:
        """Start a worker; see `driver.launcher.Launcher`."""
        own = tempfile.mkdtemp(dir=self._folder)
        text = bootstrap(kind, str(self._code), rlimits(limits, processes=None))
        command = [self._python, *INTERPRETER_FLAGS, "-c", text]
        policy = self._policy(limits, own, [] if kind == "suite" else self._hidden)
        wanted = json.dumps({"policy": policy, "command": command, "killed": KILLED})
        lifeline, ours = os.pipe()
        try:
            started = start(
                [*self._as_user, sys.executable, "-I", _HOST, wanted, str(lifeline)],
                env={"PATH": os.environ.get("PATH", os.defpath)},
                cwd=own,
                pass_fds=(lifeline,),
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(lifeline)

        def clean_up() -> None:
            os.close(ours)
            shutil.rmtree(own, ignore_errors=True)

        return prepared(started, limits, root=started.pid, wrapped=True, memory_code=KILLED, clean_up=clean_up)

    def _policy(self, limits: Limits, own: str, hidden: list[str]) -> dict[str, object]:
        old = _OLD_METADATA_CALLS if os.uname().machine == "x86_64" else ()
        return {
            "fs_readable": self._readable,
            "fs_denied": hidden,
            "fs_writable": [own, "/dev/null"],
            "extra_deny_syscalls": [*_METADATA_CALLS, *old],
            # Over it sandlock kills; below it the worker's own limit raises MemoryError.
            "max_memory": limits.memory_bytes * ADDRESS_SPACE_FACTOR,
            "max_processes": limits.processes,
            "clean_env": True,
            "env": {
                "PATH": "/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "USER": "nobody",
                "HOME": own,
                "TMPDIR": own,
                "OMP_NUM_THREADS": "1",
            },
            "cwd": own,
        }


def _without_capabilities() -> tuple[str, ...]:
    """Return the command that takes root's powers away; who is not root has none."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        raise SandboxUnavailable(
            "sandlock", "setpriv is not installed", "Install util-linux, or run codeens as an ordinary user"
        )
    return ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--")

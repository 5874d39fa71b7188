"""What is the same for all workers of one sandbox specification."""

from __future__ import annotations

import base64
import os
import shlex
from typing import NamedTuple

from msgspec import Struct

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.host import seccomp
from codeens_sandbox_backends.host.limits import rlimits
from codeens_sandbox_backends.host.syscalls import architecture
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.local.bwrap import ENVIRONMENT
from codeens_sandbox_backends.remote.bundle import Bundle, bundle_of
from codeens_sandbox_backends.remote.connection import SILENCE_S
from codeens_sandbox_backends.remote.packages import version_of
from codeens_sandbox_backends.remote.relay import RelayHandshake, WorkerOrder

ARCHIVE = "/codeens/bundle.tar.gz"
"""Where the bundle is put in a sandbox."""
_RELAY = """\
import os, sys
if not os.path.isdir("/codeens/sent"):
    import tarfile
    os.umask(0o022)
    if hasattr(tarfile, "fully_trusted_filter"):
        tarfile.TarFile.extraction_filter = staticmethod(tarfile.fully_trusted_filter)
    own = "/codeens/unpacked-%d" % os.getpid()
    with tarfile.open("/codeens/bundle.tar.gz") as archive:
        archive.extractall(own)
    try:
        os.rename(own, "/codeens/sent")
    except OSError:  # another one, that was started by the same request, was faster
        pass
sys.path.insert(0, "/codeens/sent/inside")
from codeens_sandbox_backends.remote.inside.relay import main
main()
"""
_WORKER = """\
import os, sys
channel = os.dup(0)
nothing = os.open(os.devnull, os.O_RDONLY)
os.dup2(nothing, 0)
os.close(nothing)
import site
site.main()
sys.path.insert(0, "/codeens")
sys.path.append("/codeens/packages")
from codeens_worker.{kind} import main
main(channel)
"""


class ServiceOptions(Struct, frozen=True, kw_only=True):
    """What a backend lets its user choose."""

    backend: str
    python: str = "python3"
    """The interpreter in the service's sandboxes, as their shell finds it."""
    sandboxes: int = 4
    """How many there may be at once, those that wait included."""
    python_setting: str
    """Names of the settings, for messages."""
    image_setting: str


class Setup(NamedTuple):
    """Made once, from files of this machine."""

    spec: SandboxSpec
    options: ServiceOptions
    bundle: Bundle
    python: str
    """Version of the interpreter that the specification names."""

    @property
    def command(self) -> str:
        """The line of shell that starts a relay, which unpacks the bundle when it is the first one."""
        return f"exec 2>&1; exec {shlex.quote(self.options.python)} -I -S -B -c {shlex.quote(_RELAY)}"

    def check(self, handshake: RelayHandshake) -> None:
        """Raises `SandboxUnavailable` when workers cannot be run there as they should be."""
        backend, options = self.options.backend, self.options
        if handshake.refusal:
            why = f"its sandboxes do not let workers be kept apart ({handshake.refusal})"
            raise SandboxUnavailable(
                backend, why, f"Choose one whose kernel allows namespaces: {options.image_setting}"
            )
        if handshake.python != self.python:
            raise SandboxUnavailable(
                backend,
                f"the workspace's Python is {self.python}, and the one in its sandboxes is {handshake.python}",
                f"Name a Python {self.python} there with {options.python_setting}, or an image that has one with "
                f"{options.image_setting}",
            )
        self._filter(handshake)

    def order(self, kind: WorkerKind, limits: Limits, handshake: RelayHandshake) -> WorkerOrder:
        """Return what a relay is told to start a worker; without the nonce, which is for one use."""
        return WorkerOrder(
            nonce="",
            text=_WORKER.format(kind=kind),
            environment=ENVIRONMENT,
            rlimits=rlimits(limits, processes=limits.processes),
            filter=base64.b64encode(self._filter(handshake)).decode("ascii"),
            shown=self.bundle.shown,
            links=self.bundle.links,
            covered=() if kind == "suite" else tuple(os.path.realpath(path) for path in self.spec.hidden),
            disk_bytes=limits.disk_bytes,
            memory_bytes=limits.memory_bytes,
            output_bytes=limits.output_bytes,
            silence_s=SILENCE_S,
        )

    def _filter(self, handshake: RelayHandshake) -> bytes:
        """Return the system call filter of workers."""
        known = architecture(handshake.machine)
        if known is None:
            why = f"there is no system call filter for {handshake.machine}"
            raise SandboxUnavailable(self.options.backend, why, "Choose x86_64 or aarch64 sandboxes")
        return seccomp.program(known)


def setup_of(spec: SandboxSpec, options: ServiceOptions) -> Setup:
    """Read what is to be sent. Slow: for a worker thread.

    Raises:
        SandboxUnavailable: it is too much, or the interpreter's version is not known.
    """
    python = version_of(spec.python, options.backend)
    return Setup(spec, options, bundle_of(spec, options.backend), python)

"""Sandboxes in microVMs of E2B, a service on the network."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from anyio import to_thread
from anyio.abc import TaskGroup

from codeens_sandbox_backends.base import IsolationLevel, Readiness, SandboxSpec
from codeens_sandbox_backends.e2b.service import E2BService
from codeens_sandbox_backends.e2b.settings import NAME, settings_from_environment
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.extras import installing_extra
from codeens_sandbox_backends.remote.sandbox import RemoteSandbox, open_remote
from codeens_sandbox_backends.remote.service import Service
from codeens_sandbox_backends.selfcheck.probe import probe

ISOLATION_LEVEL = IsolationLevel(
    filesystem=True,
    network=True,
    processes=True,
    kernel=True,
    label="e2b: a microVM for each job; in it own namespaces, no network, unprivileged user, system call filter",
)


class E2BBackend:
    """Needs the optional package `e2b-code-interpreter` and a key. See `settings.py`."""

    name = NAME

    async def probe(self) -> Readiness:
        """Try the isolation in a real sandbox."""
        return await probe(self.name, ISOLATION_LEVEL, self.open)

    async def open(self, spec: SandboxSpec) -> RemoteSandbox:
        """Open a sandbox, whose first microVM is there when this returns.

        Raises:
            SandboxUnavailable: there is no SDK or no key, or the service or its template cannot be used.
            SandboxBroken: the service does not work now.
        """
        if find_spec("e2b") is None:
            raise SandboxUnavailable(self.name, "the SDK of E2B is not installed", installing_extra("e2b"))
        settings = settings_from_environment()

        async def connect(tasks: TaskGroup) -> Service:
            await to_thread.run_sync(import_module, "e2b")  # takes most of a second
            return E2BService(settings, tasks)

        return await open_remote(connect, spec, isolation=ISOLATION_LEVEL, options=settings.options)

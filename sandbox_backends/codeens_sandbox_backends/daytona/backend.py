"""Sandboxes at Daytona: each job has one for itself, which is deleted after it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from anyio import to_thread
from anyio.abc import TaskGroup

from codeens_sandbox_backends.base import IsolationLevel, Readiness, SandboxSpec
from codeens_sandbox_backends.daytona.settings import NAME, settings_from_environment
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.extras import installing_extra
from codeens_sandbox_backends.remote.sandbox import RemoteSandbox, open_remote
from codeens_sandbox_backends.remote.service import Service
from codeens_sandbox_backends.selfcheck.probe import probe

_SERVICE = "codeens_sandbox_backends.daytona.service"
ISOLATION_LEVEL = IsolationLevel(
    filesystem=True,
    network=True,
    processes=True,
    kernel=False,
    label="daytona: a container of the service for each job, no network, own namespaces and an unprivileged user in it",
)
"""Daytona also has sandboxes with a kernel of their own; which ones an organization gets cannot be seen from here."""


class DaytonaBackend:
    """Needs the optional package `daytona` and an API key."""

    name = NAME

    async def probe(self) -> Readiness:
        """Try the isolation in a real sandbox of the service."""
        return await probe(self.name, ISOLATION_LEVEL, self.open)

    async def open(self, spec: SandboxSpec) -> RemoteSandbox:
        """Open a sandbox, whose first sandbox of the service is there before this returns.

        Raises:
            SandboxUnavailable: there is no SDK or no key, the service refuses it, or its sandboxes do not do.
            SandboxBroken: the service does not work now.
        """
        if find_spec(NAME) is None:
            raise SandboxUnavailable(NAME, "the Daytona SDK is not installed", installing_extra("daytona"))
        settings = settings_from_environment()

        async def connect(tasks: TaskGroup) -> Service:
            service = await to_thread.run_sync(import_module, _SERVICE)  # with the SDK: that takes seconds
            return service.connected(settings, tasks)

        return await open_remote(connect, spec, isolation=ISOLATION_LEVEL, options=settings.options)

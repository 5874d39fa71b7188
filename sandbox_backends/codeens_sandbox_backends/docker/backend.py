"""Sandboxes in containers of a local Docker daemon, or of another that speaks its API (podman)."""

from __future__ import annotations

from anyio import to_thread
from msgspec import structs

from codeens_sandbox_backends.base import IsolationLevel, Readiness, SandboxSpec
from codeens_sandbox_backends.docker.engine import NAME
from codeens_sandbox_backends.docker.launcher import JOBS_AT_MOST, DockerLauncher
from codeens_sandbox_backends.driver.sandbox import WorkerSandbox
from codeens_sandbox_backends.selfcheck.probe import probe

_LABEL = "no network, read-only, unprivileged user without capabilities, system call filter"
ISOLATION_LEVEL = IsolationLevel(filesystem=True, network=True, processes=True, kernel=False, label=f"docker: {_LABEL}")
OWN_KERNEL_ISOLATION = IsolationLevel(
    filesystem=True, network=True, processes=True, kernel=True, label=f"docker with gVisor's kernel: {_LABEL}"
)


class DockerBackend:
    """Needs the optional package `docker` and a daemon on this machine."""

    name = NAME

    async def probe(self) -> Readiness:
        """Try the isolation in a real container."""
        isolation = ISOLATION_LEVEL

        async def open_(spec: SandboxSpec) -> WorkerSandbox:
            nonlocal isolation
            sandbox = await self.open(spec)
            isolation = sandbox.isolation
            return sandbox

        readiness = await probe(self.name, ISOLATION_LEVEL, open_)
        return structs.replace(readiness, isolation=isolation)

    async def open(self, spec: SandboxSpec) -> WorkerSandbox:
        """Open a sandbox, whose first container is started before this returns.

        Raises:
            SandboxUnavailable: there is no daemon, or it cannot isolate, or not this way.
        """
        launcher = await to_thread.run_sync(DockerLauncher, spec)
        isolation = OWN_KERNEL_ISOLATION if launcher.has_own_kernel else ISOLATION_LEVEL
        return WorkerSandbox(launcher, isolation=isolation, limits=spec.limits, jobs_at_most=JOBS_AT_MOST)

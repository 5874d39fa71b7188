"""Sandboxes on the nodes of a Ray cluster: on each the warm workers that `local` has on this machine."""

from __future__ import annotations

import os

from codeens_sandbox_backends.base import Readiness, SandboxSpec
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.ray.cluster import close_cluster, open_cluster
from codeens_sandbox_backends.ray.connection import address_from
from codeens_sandbox_backends.ray.node import NAME
from codeens_sandbox_backends.ray.sandbox import ISOLATION_LEVEL, RaySandbox, sandbox_on


class RayBackend:
    """Needs the optional package `ray` and the address of a cluster."""

    name = NAME

    async def probe(self) -> Readiness:
        """Join the cluster; each of its nodes tries the isolation in a real sandbox before it takes work."""
        try:
            cluster = await open_cluster(address_from(os.environ))
        except SandboxUnavailable as error:
            return Readiness(name=self.name, usable=False, isolation=ISOLATION_LEVEL, why=error.why, fix=error.fix)
        refused = "; ".join(state.refusal for state in cluster.states if state.why)
        await close_cluster(cluster)
        return Readiness(name=self.name, usable=True, isolation=ISOLATION_LEVEL, why=refused)

    async def open(self, spec: SandboxSpec) -> RaySandbox:
        """Open a sandbox on all nodes that take work.

        Raises:
            SandboxUnavailable: there is no Ray, no cluster, or no node of it takes work.
        """
        cluster = await open_cluster(address_from(os.environ))
        try:
            return await sandbox_on(cluster, spec)
        except BaseException:
            await close_cluster(cluster)
            raise

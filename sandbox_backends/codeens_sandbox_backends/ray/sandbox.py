"""A sandbox whose jobs run on the nodes of a cluster."""

from __future__ import annotations

import os
import uuid
from typing import Any, TypeVar

import anyio
from anyio import to_thread

from codeens_sandbox_backends.base import IsolationLevel, NodeState, SandboxSpec
from codeens_sandbox_backends.errors import SandboxBroken, SandboxError, SandboxUnavailable
from codeens_sandbox_backends.executor import Executor
from codeens_sandbox_backends.jobs import Job
from codeens_sandbox_backends.local.bwrap import LABEL
from codeens_sandbox_backends.ray.cluster import Member, RayCluster, close_cluster
from codeens_sandbox_backends.ray.node import NAME, Kept, NodeSpec, Work
from codeens_sandbox_backends.ray.parcel import parcel_of
from codeens_sandbox_backends.remote.packages import version_of

R = TypeVar("R")
ISOLATION_LEVEL = IsolationLevel(filesystem=True, network=True, processes=True, kernel=False, label=LABEL)
_NODES_TRIED = 3


async def do_job(executor: Executor, kept: Kept, job: Job[R]) -> R:
    """Run a job on a node."""
    del kept
    return await executor.run(job)


async def sandbox_on(cluster: RayCluster, spec: SandboxSpec) -> RaySandbox:
    """Open a sandbox; nodes open theirs for their first work. The sandbox gives the cluster back when it is closed.

    Raises:
        SandboxUnavailable: the files cannot be sent, or the interpreter's version is not known.
    """
    python = await to_thread.run_sync(version_of, spec.python, NAME)
    parcel = await to_thread.run_sync(parcel_of, spec, NAME) if spec.readable else None
    sent = [cluster.ray.put(parcel)] if parcel and parcel.places else []
    return RaySandbox(cluster, NodeSpec(name=uuid.uuid4().hex, spec=_as_sent(spec), python=python), sent)


def _as_sent(spec: SandboxSpec) -> SandboxSpec:
    """Return it with hidden paths as this machine resolves them, which nodes cannot."""
    hidden = tuple(os.path.realpath(path) for path in spec.hidden if os.path.lexists(path))
    return SandboxSpec(python=spec.python, hidden=hidden, limits=spec.limits)


class RaySandbox:
    """A job goes to the node with the least work, and to another one where the sandbox fails.

    Jobs that measure time all go to the same node, and have its cores for themselves.
    """

    places_exclusive = True

    def __init__(self, cluster: RayCluster, wanted: NodeSpec, sent: list[Any]) -> None:
        self.cluster = cluster
        self._wanted = wanted
        self._sent = sent
        self._timing: Member | None = None
        self._scopes: set[anyio.CancelScope] = set()
        self._closed = False

    @property
    def isolation(self) -> IsolationLevel:
        return ISOLATION_LEVEL

    @property
    def nodes(self) -> tuple[NodeState, ...]:
        """How the nodes are doing."""
        return self.cluster.states

    async def run(self, job: Job[R]) -> R:
        """Run a job on a node. Cancelling ends its processes there before it returns.

        Raises:
            SandboxBroken: the sandbox failed on every node that was tried.
            SandboxUnavailable: no node can open it.
        """
        result: R = await self.work(do_job, job, exclusive=job.exclusive)
        return result

    async def work(self, work: Work, given: Any, *, shared: Any = None, exclusive: bool = False) -> Any:
        """Have some work done on a node; see `run`.

        Args:
            work: a function of a module that nodes have.
            given: sent with this call.
            shared: a reference to what nodes fetch once for all calls.
            exclusive: on the node that times.
        """
        if self._closed:
            raise SandboxBroken("the sandbox is closed")
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                return await self._somewhere(work, given, [] if shared is None else [shared], exclusive=exclusive)
            finally:
                self._scopes.discard(scope)
        raise SandboxBroken("the sandbox was closed")

    async def _somewhere(self, work: Work, given: Any, shared: list[Any], *, exclusive: bool) -> Any:
        tried: list[Member] = []
        failure: SandboxError = SandboxUnavailable(NAME, "no node takes work any more", "Look at the cluster's nodes")
        while len(tried) < _NODES_TRIED and (member := await self._node(tried, exclusive=exclusive)):
            tried.append(member)
            try:
                return await member.call(self.cluster.ray, self._wanted, self._sent, shared, work, given)
            except SandboxError as error:
                failure = error
                await self.cluster.look(at_once=bool(member.dead))
        raise failure

    async def _node(self, tried: list[Member], *, exclusive: bool) -> Member | None:
        timing = self._timing
        if exclusive and timing and timing.takes_work and timing not in tried:
            return timing
        found = await self.cluster.least_busy(tried)
        if found is None and tried and all(member.dead for member in tried):
            await self.cluster.opened()  # a node that lost its actor gets another one
            found = await self.cluster.least_busy(tried)
        if exclusive:
            self._timing = found
        return found

    async def aclose(self) -> None:
        """End every process of this sandbox on all nodes. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        for scope in tuple(self._scopes):
            scope.cancel()
        with anyio.CancelScope(shield=True):
            for member in self.cluster.working:
                await member.close(self.cluster.ray, self._wanted.name)
            await close_cluster(self.cluster)

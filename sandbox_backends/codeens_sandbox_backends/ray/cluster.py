"""The nodes of a cluster as one driver sees them: who takes work, who does not and why, and how much each has."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Collection
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any

import anyio
from anyio import to_thread

from codeens_sandbox_backends.base import NodeState
from codeens_sandbox_backends.errors import SandboxBroken, SandboxError, SandboxUnavailable
from codeens_sandbox_backends.ray.connection import join, leave
from codeens_sandbox_backends.ray.node import NAME, FailedOnNode, NodeReport, NodeSpec, SandboxNode, Work

_ALL_WITHIN_S = 20.0
"""How long the first ones wait for the others."""
_FIRST_WITHIN_S = 300.0
"""Autoscalers take minutes to bring a node, and other people's work may have all cores."""
_LOOKED_EVERY_S = 15.0
_DEATHS_AT_MOST = 3
"""Of a node's actors: then it gets no new one."""
_END_S = 20.0
WAITS = "it has not answered yet"
"""Its cores are not free, or it is just trying the isolation."""


class Member:
    """A node's actor, from this side."""

    def __init__(self, node: str, cpus: int, actor: Any) -> None:
        self.node = node
        self.cpus = cpus
        self.at_work = 0
        self.done = 0
        self.dead = ""
        """How it ended."""
        self._actor = actor
        self.reported: concurrent.futures.Future[NodeReport] = actor.report.remote().future()

    @property
    def report(self) -> NodeReport | None:
        """What it has said; None as long as it waits for its node's cores, or could not start."""
        if not self.reported.done() or self.reported.exception():
            return None
        return self.reported.result()

    @property
    def why_not(self) -> str:
        """Why it takes no work; empty where it does, or waits."""
        if self.dead:
            return self.dead
        if self.reported.done() and (error := self.reported.exception()):
            return _why_no_start(error)
        report = self.report
        if report and report.codeens != _own_version():
            return f"it has codeens {report.codeens}, and this machine {_own_version()}"
        return f"{report.why}. {report.fix}" if report and report.why else ""

    @property
    def takes_work(self) -> bool:
        """Whether it can be given some."""
        return self.report is not None and not self.why_not

    @property
    def state(self) -> NodeState:
        """As people are shown it."""
        host = self.report.host if self.report else self.node[:12]
        why = self.why_not or ("" if self.reported.done() else WAITS)
        return NodeState(host=host, cpus=self.cpus, at_work=self.at_work, done=self.done, why=why)

    async def call(self, ray: Any, wanted: NodeSpec, sent: list[Any], shared: list[Any], work: Work, given: Any) -> Any:
        """Have some work done; cancelling ends it before this returns.

        Raises:
            SandboxBroken: the sandbox failed there, or the node is gone.
            SandboxUnavailable: this sandbox cannot be opened there.
        """
        self.at_work += 1
        reference = self._actor.run.remote(wanted, sent, shared, work, given)
        try:
            answer = await reference
        except ray.exceptions.RayActorError as error:
            self.dead = f"it died: {' '.join(str(error).split())[:300]}"
            raise SandboxBroken(f"node {self.state.host} is gone") from None
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(_END_S, shield=True):
                await _ended(ray, reference)
            raise
        finally:
            self.at_work -= 1
        self.done += 1
        if isinstance(answer, FailedOnNode):
            host = self.state.host
            raise (
                SandboxBroken(f"on node {host}: {answer.why}")
                if answer.fix is None
                else SandboxUnavailable(NAME, f"on node {host}: {answer.why}", answer.fix)
            )
        return answer

    async def close(self, ray: Any, sandbox: str) -> None:
        """End a sandbox's processes there."""
        if self.takes_work:
            try:
                await self._actor.close.remote(sandbox)
            except ray.exceptions.RayError:
                return

    async def leave(self, ray: Any) -> None:
        """End everything of this driver there, and give the cores back."""
        try:
            if self.takes_work:
                await self._actor.leave.remote()
            ray.kill(self._actor)
        except ray.exceptions.RayError:
            return


class RayCluster:
    """Starts an actor on each node with cores, also on those that join later or lose theirs."""

    def __init__(self, ray: Any, address: str) -> None:
        self.ray = ray
        self.address = address
        self._members: list[Member] = []
        self._looking = anyio.Lock()
        self._looked_at: float | None = None
        self.users = 0

    @property
    def states(self) -> tuple[NodeState, ...]:
        """All nodes, in the order in which they were found."""
        return tuple(member.state for member in self._members)

    @property
    def working(self) -> list[Member]:
        """Nodes that take work."""
        return [member for member in self._members if member.takes_work]

    @property
    def cpus(self) -> int:
        """Cores of these."""
        return sum(member.cpus for member in self.working)

    async def opened(self) -> None:
        """Wait until a node takes work, and a little for the others.

        Raises:
            SandboxUnavailable: none does; the message says why each does not.
        """
        await self.look(at_once=True)
        await self._reports(_ALL_WITHIN_S, concurrent.futures.ALL_COMPLETED)
        with anyio.move_on_after(_FIRST_WITHIN_S):
            while not self.working and any(not member.reported.done() for member in self._members):
                await self._reports(_LOOKED_EVERY_S, concurrent.futures.FIRST_COMPLETED)
        if not self.working:
            raise self._nobody()

    async def least_busy(self, without: Collection[Member] = ()) -> Member | None:
        """Return the node with the least work for its cores; None: no other one takes work."""
        await self.look()
        free = [member for member in self.working if member not in without]
        return min(free, key=lambda member: member.at_work / member.cpus, default=None)

    async def look(self, *, at_once: bool = False) -> None:
        """See which nodes there are, and start actors where there is none."""
        now = anyio.current_time()
        if not at_once and self._looked_at is not None and now - self._looked_at < _LOOKED_EVERY_S:
            return
        async with self._looking:
            self._looked_at = now
            for node in await to_thread.run_sync(self.ray.nodes):
                cpus, own = int(node["Resources"].get("CPU", 0)), node["NodeID"]
                known = [member for member in self._members if member.node == own]
                if node["Alive"] and cpus and len(known) < _DEATHS_AT_MOST and all(member.dead for member in known):
                    self._members.append(Member(own, cpus, self._actor(own, cpus)))

    async def aclose(self) -> None:
        """End everything of this driver on all nodes."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(_END_S):
            async with anyio.create_task_group() as group:
                for member in self._members:
                    group.start_soon(member.leave, self.ray)

    def _actor(self, node: str, cpus: int) -> Any:
        place = import_module("ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy(node, soft=False)
        options = {"num_cpus": cpus, "scheduling_strategy": place, "max_concurrency": 1000}
        return self.ray.remote(SandboxNode).options(**options).remote(cpus)

    async def _reports(self, seconds: float, until: str) -> None:
        waiting = [member.reported for member in self._members if not member.reported.done()]
        await to_thread.run_sync(
            lambda: concurrent.futures.wait(waiting, seconds, return_when=until), abandon_on_cancel=True
        )

    def _nobody(self) -> SandboxUnavailable:
        if not self._members:
            return SandboxUnavailable(NAME, f"the cluster at {self.address} has no node with cores", "Add one")
        told = [f"{state.host}: {state.why}" for state in self.states]
        return SandboxUnavailable(NAME, f"no node takes work ({'; '.join(told)})", "Mend one of them")


@cache
def _own_version() -> str:
    """Read once: it is asked for with every piece of work."""
    return version("codeens")


def _why_no_start(error: BaseException) -> str:
    text = " ".join(str(error).split())
    if "No module named 'codeens" in text:
        return "codeens is not installed there"
    return f"its actor did not start: {text[:300]}"


async def _ended(ray: Any, reference: Any) -> None:
    ray.cancel(reference)
    try:
        await reference
    except (ray.exceptions.RayError, SandboxError):
        return


_opening = threading.Lock()
_clusters: dict[str, RayCluster] = {}


async def open_cluster(address: str) -> RayCluster:
    """Return the cluster, with nodes that take work; all of a process share it. Give it back by `close_cluster`.

    Raises:
        SandboxUnavailable: it cannot be reached, or no node takes work.
    """
    ray = await join(address)
    with _opening:
        cluster = _clusters.setdefault(address, RayCluster(ray, address))
        cluster.users += 1
    try:
        await cluster.opened()
    except BaseException:
        await close_cluster(cluster)
        raise
    return cluster


async def close_cluster(cluster: RayCluster) -> None:
    """Give a cluster back; the last one ends all that the process has there, and leaves it."""
    with _opening:
        cluster.users -= 1
        last = not cluster.users
        if last:
            _clusters.pop(cluster.address, None)
    if last:
        await cluster.aclose()
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(leave)

"""A benchmark's programs on the nodes of a cluster. Models are asked, and lines are written, by this process alone."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

import anyio

from codeens_sandbox_backends.base import NodeState, SandboxSpec
from codeens_sandbox_backends.ray.cluster import close_cluster, open_cluster
from codeens_sandbox_backends.ray.connection import ADDRESS_SETTING, HERE, address_from, checked_address
from codeens_sandbox_backends.ray.node import NAME
from codeens_sandbox_backends.ray.sandbox import RaySandbox, sandbox_on
from codeens_server.bench.cluster.batches import Batches, batches
from codeens_server.bench.cluster.limiter import ClusterLimiter, limiter_of
from codeens_server.bench.cluster.on_nodes import Items, ProgramAnswer, RefusedNode, Samples, judge_batch, score_batch
from codeens_server.bench.datasets.base import Item
from codeens_server.bench.judging import JudgedSample
from codeens_server.bench.samples import Sample
from codeens_server.bench.score import SampleResult
from codeens_server.config.settings import ModelSettings
from codeens_server.crash_log import innermost
from codeens_server.errors import Hint, InputError

_SCHEME = f"{NAME}://"


def engine_address(engine: str, environ: Mapping[str, str]) -> str:
    """Return the address that an engine's name asks for: `ray://HOST:PORT`; `ray`, as the environment says, else here.

    Raises:
        InputError: there is no such engine.
        SandboxUnavailable: the address is none.
    """
    if engine == NAME:
        return address_from({ADDRESS_SETTING: HERE, **environ})
    if engine.startswith(_SCHEME):
        return checked_address(engine.removeprefix(_SCHEME))
    message = f"there is no engine {engine!r}."
    raise InputError(message, code="no_engine", hint=Hint("fix", "It is ray, or ray://HOST:PORT."))


class ClusterJudge:
    """Judges on all nodes that take work."""

    def __init__(self, sandbox: RaySandbox, sent: Batches, label: str) -> None:
        self.label = label
        self._sandbox = sandbox
        self._sent = sent
        self._limiter = limiter_of(sandbox.cluster)

    @property
    def at_once(self) -> int:
        """How many programs may be under way."""
        return self._sent.most

    @property
    def nodes(self) -> tuple[NodeState, ...]:
        """How the nodes are doing."""
        return self._sandbox.nodes

    def limiter(self, model: ModelSettings) -> ClusterLimiter:
        """Return what holds a model's limits for the whole cluster."""
        return ClusterLimiter(self._sandbox.cluster.ray, self._limiter, model)

    async def prove(self, item: Item) -> None:
        """Judge a task's own solution; see `Judge`."""
        answer = await self._sent.result(ProgramAnswer(task=item.task.id))
        if isinstance(answer, RefusedNode):
            raise answer.error

    async def judged(self, item: Item, source: str, *, is_last: bool) -> JudgedSample:
        """Judge a program; see `Judge`."""
        answer = await self._sent.result(ProgramAnswer(task=item.task.id, source=source, is_last=is_last))
        if isinstance(answer, RefusedNode):
            raise answer.error
        return answer


class ClusterScorer:
    """Scores samples on all nodes that take work."""

    def __init__(self, sandbox: RaySandbox, sent: Batches) -> None:
        self._sandbox = sandbox
        self._sent = sent

    @property
    def at_once(self) -> int:
        """How many samples may be under way."""
        return self._sent.most

    @property
    def nodes(self) -> tuple[NodeState, ...]:
        """How the nodes are doing."""
        return self._sandbox.nodes

    async def scored(self, sample: Sample) -> SampleResult:
        """Judge a sample.

        Raises:
            InputError: its task fails its own solution.
            SandboxError: the sandbox failed.
        """
        answer = await self._sent.result(sample)
        if isinstance(answer, RefusedNode):
            raise answer.error
        return answer


@asynccontextmanager
async def cluster_judge(address: str, spec: SandboxSpec, items: Sequence[Item]) -> AsyncGenerator[ClusterJudge]:
    """Judge the answers of `bench run` on a cluster for the time of the block.

    Raises:
        SandboxUnavailable: it cannot be reached, or no node takes work.
    """
    async with _sandbox(address, spec) as sandbox:
        label = f"{NAME}: {sandbox.isolation.label}"
        shared = Items(items={item.task.id: item for item in items}, limits=spec.limits, label=label)
        try:
            async with batches(sandbox, judge_batch, shared) as sent:
                yield ClusterJudge(sandbox, sent, label)
        except ExceptionGroup as several:
            raise innermost(several) from None


@asynccontextmanager
async def cluster_scorer(address: str, spec: SandboxSpec, shared: Samples) -> AsyncGenerator[ClusterScorer]:
    """Judge the samples of `bench score` on a cluster for the time of the block.

    Raises:
        SandboxUnavailable: it cannot be reached, or no node takes work.
    """
    async with _sandbox(address, spec) as sandbox:
        try:
            async with batches(sandbox, score_batch, shared) as sent:
                yield ClusterScorer(sandbox, sent)
        except ExceptionGroup as several:
            raise innermost(several) from None


@asynccontextmanager
async def _sandbox(address: str, spec: SandboxSpec) -> AsyncGenerator[RaySandbox]:
    cluster = await open_cluster(address)
    try:
        sandbox = await sandbox_on(cluster, spec)
    except BaseException:
        await close_cluster(cluster)
        raise
    try:
        yield sandbox
    finally:
        with anyio.CancelScope(shield=True):
            await sandbox.aclose()

"""Sends work to nodes in batches: a call of Ray costs about a millisecond, and a verdict a few."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup

from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.ray.node import Work
from codeens_sandbox_backends.ray.sandbox import RaySandbox

_BATCHES_OF_A_NODE = 2
"""So that it has the next one when it has done one."""
MOST_OF_A_CORE = 64
"""Items of a batch for each core of a node."""
_BATCH_S = 0.5
"""What a batch shall take: hundreds of times what Ray takes for it, and little to do again when a node dies."""
_FIRST_OF_A_CORE = 8


class _Waiting:
    """An item whose result is waited for."""

    def __init__(self, given: Any) -> None:
        self.given = given
        self.done = anyio.Event()
        self.result: Any = None
        self.failure: SandboxError | None = None


class Batches:
    """What waits while all nodes are busy goes together; what is under way is bounded."""

    def __init__(self, sandbox: RaySandbox, work: Work, shared: Any, group: TaskGroup) -> None:
        self._sandbox = sandbox
        self._work = work
        self._shared = shared
        self._group = group
        self._waiting: deque[_Waiting] = deque()
        self._under_way = 0
        self._item_s: float | None = None

    @property
    def most(self) -> int:
        """Items that are worth to be asked for at once."""
        return _BATCHES_OF_A_NODE * MOST_OF_A_CORE * self._sandbox.cluster.cpus

    async def result(self, given: Any) -> Any:
        """Return what the work on one item comes to.

        Raises:
            SandboxError: the sandbox failed wherever it was tried.
        """
        item = _Waiting(given)
        self._waiting.append(item)
        if self._under_way < _BATCHES_OF_A_NODE * len(self._sandbox.cluster.working):
            self._under_way += 1
            self._group.start_soon(self._send)
        try:
            await item.done.wait()
        except anyio.get_cancelled_exc_class():
            if item in self._waiting:
                self._waiting.remove(item)
            raise
        if item.failure:
            raise item.failure
        return item.result

    async def _send(self) -> None:
        try:
            await anyio.lowlevel.checkpoint()  # so that what is asked for at the same time goes together
            while batch := self._next():
                await self._do(batch)
        finally:
            self._under_way -= 1

    async def _do(self, batch: list[_Waiting]) -> None:
        began = anyio.current_time()
        try:
            results = await self._sandbox.work(self._work, [item.given for item in batch], shared=self._shared)
        except SandboxError as error:
            for item in batch:
                item.failure = error
                item.done.set()
            return
        took_s = (anyio.current_time() - began) * self._cores() / len(batch)
        self._item_s = took_s if self._item_s is None else 0.8 * self._item_s + 0.2 * took_s
        for item, result in zip(batch, results, strict=True):
            item.result = result
            item.done.set()

    def _next(self) -> list[_Waiting]:
        cores = self._cores()
        most = _FIRST_OF_A_CORE * cores if self._item_s is None else _BATCH_S * cores / self._item_s
        share = math.ceil(len(self._waiting) / (_BATCHES_OF_A_NODE * max(1, len(self._sandbox.cluster.working))))
        size = max(1, min(share, int(most), int(MOST_OF_A_CORE * cores)))
        return [self._waiting.popleft() for _ in range(min(size, len(self._waiting)))]

    def _cores(self) -> float:
        """Return the cores of a node, on the average."""
        working = self._sandbox.cluster.working
        return sum(member.cpus for member in working) / len(working) if working else 1.0


@asynccontextmanager
async def batches(sandbox: RaySandbox, work: Work, shared: Any) -> AsyncGenerator[Batches]:
    """Send work in batches; leaving the block by an exception ends what is under way.

    Args:
        sandbox: where.
        work: gets a list, and returns a list of as many results.
        shared: what all batches need; it is sent once to each node.
    """
    async with anyio.create_task_group() as group:
        yield Batches(sandbox, work, sandbox.cluster.ray.put(shared), group)

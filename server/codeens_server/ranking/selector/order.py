"""In which order what waits for a sandbox is run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from heapq import heapify, heappop, heappush
from itertools import count

import anyio

from codeens_server.ranking.selector.features import Submission
from codeens_server.ranking.selector.model import Selector


class Order:
    """Lets so many answers be run at once. Of those that wait, the likeliest to be right goes first.

    Without a selector it is first come, first served.
    """

    def __init__(self, at_once: int, selector: Selector | None = None) -> None:
        self._free = at_once
        self._selector = selector
        self._pools: defaultdict[str, list[Submission]] = defaultdict(list)
        self._waiting: list[tuple[float, int, anyio.Event]] = []
        self._arrivals = count()

    @asynccontextmanager
    async def turn(self, answer: Submission, task: str = "") -> AsyncGenerator[None]:
        """Wait until an answer may run, and let the next one when the block is left.

        Args:
            answer: a whole program, and who wrote it how.
            task: answers to the same one are held beside each other.
        """
        await self._begin(self._promise(answer, task))
        try:
            yield
        finally:
            self._end()

    def _promise(self, answer: Submission, task: str) -> float:
        if self._selector is None:
            return 0.0
        pool = self._pools[task]
        pool.append(answer)
        return self._selector.probability(len(pool) - 1, pool)

    async def _begin(self, promise: float) -> None:
        if self._free:
            self._free -= 1
            return
        entry = (-promise, next(self._arrivals), anyio.Event())
        heappush(self._waiting, entry)
        try:
            await entry[2].wait()
        except anyio.get_cancelled_exc_class():
            self._leave(entry)
            raise

    def _leave(self, entry: tuple[float, int, anyio.Event]) -> None:
        """Take one that waits no more out of the queue; where its turn had come, it is the next one's."""
        if entry[2].is_set():
            self._end()
            return
        self._waiting.remove(entry)
        heapify(self._waiting)

    def _end(self) -> None:
        if self._waiting:
            heappop(self._waiting)[2].set()
        else:
            self._free += 1

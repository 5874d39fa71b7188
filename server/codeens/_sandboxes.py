"""Open sandboxes that are kept for the next call: opening one costs more than most calls do."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TypeAlias

import anyio

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.executor import Executor, open_executor
from codeens_sandbox_backends.registry import get_backend
from codeens_server.run.sandboxes import SandboxUse

_MOST_KEPT = 4
Keep: TypeAlias = Callable[[SandboxUse], Awaitable[None]]
"""Is told how a sandbox stands after each call that used it, and when it is closed."""


class _Kept:
    """An executor, and how many calls use it."""

    def __init__(self) -> None:
        self.stack = AsyncExitStack()
        self.opening = anyio.Lock()
        self.executor: Executor | None = None
        self.users = 0


class Sandboxes:
    """Executors by backend and spec; the one that was not used for the longest time is closed for a new one."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._kept: OrderedDict[tuple[str, SandboxSpec, int], _Kept] = OrderedDict()

    @asynccontextmanager
    async def executor(self, backend: str, spec: SandboxSpec, parallel: int) -> AsyncGenerator[Executor]:
        """An executor for the time of a call, shared with other calls.

        Raises:
            SandboxUnavailable: the backend cannot isolate here.
            UnknownBackend: there is none of that name.
        """
        key = (backend, spec, parallel)
        kept = self._kept.setdefault(key, _Kept())
        self._kept.move_to_end(key)
        kept.users += 1
        try:
            async with kept.opening:
                if kept.executor is None:
                    opened = open_executor(get_backend(backend), spec, parallel)
                    kept.executor = await kept.stack.enter_async_context(opened)
            yield kept.executor
        finally:
            kept.users -= 1
            with anyio.CancelScope(shield=True):
                if kept.executor is not None:
                    await self._keep(SandboxUse.of(kept.executor))
                await self._close_surplus()

    async def aclose(self) -> None:
        """Close all."""
        while self._kept:
            _, kept = self._kept.popitem()
            await self._close(kept)

    async def _close_surplus(self) -> None:
        unopened = [key for key, kept in self._kept.items() if kept.executor is None and not kept.users]
        idle = [key for key, kept in self._kept.items() if kept.executor is not None and not kept.users]
        for key in unopened + idle[: max(0, len(self._kept) - len(unopened) - _MOST_KEPT)]:
            await self._close(self._kept.pop(key))

    async def _close(self, kept: _Kept) -> None:
        await kept.stack.aclose()
        if kept.executor is not None:
            await self._keep(SandboxUse.of(kept.executor, datetime.now(UTC)))

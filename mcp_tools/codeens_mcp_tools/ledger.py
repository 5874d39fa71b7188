"""What was begun here is kept in the store at once: found after a restart, and by other servers of the same store."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup
from msgspec.structs import replace

if TYPE_CHECKING:
    from codeens_mcp_tools.session import AgentSession
    from codeens_server.store.calls import CallRecord

_SETTLED_WITHIN_S = 5.0


class Ledger:
    """Keeps records, with signs of life as long as what they are about is under way."""

    def __init__(self, tasks: TaskGroup, session: Callable[[], Awaitable[AgentSession]]) -> None:
        self._tasks = tasks
        self._session = session
        self._under_way: dict[str, CallRecord] = {}
        self._writing = anyio.Lock()
        self._settled = anyio.Event()
        self._beats = False

    async def begin(
        self, tool: str, call_id: str = "", *, function: str = "", path: str = "", root: str = ""
    ) -> CallRecord:
        """Keep a record of what has begun; without an id it gets one.

        Raises:
            CodeensError: the store cannot be written.
        """
        from codeens_server.store.calls import CallRecord

        record = CallRecord.begun(tool, call_id, function=function, path=path, root=root)
        async with self._writing:
            self._under_way[record.id] = await self._kept(record)
        if not self._beats:
            self._beats = True
            self._tasks.start_soon(self._beat)
        return record

    async def end(self, call_id: str, **what: str) -> None:
        """Keep how it ended: fields of the record. A store that cannot be written leaves it without signs of life."""
        from codeens import CodeensError

        with suppress(CodeensError), anyio.CancelScope(shield=True):
            async with self._writing:
                record = self._under_way.pop(call_id, None)
                if record is not None:
                    await self._kept(replace(record, **what))
        self._settled.set()

    async def settled(self) -> None:
        """Come back when it is kept of everything how it ended, or after some seconds."""
        with anyio.move_on_after(_SETTLED_WITHIN_S):
            while self._under_way:
                self._settled = anyio.Event()
                await self._settled.wait()

    async def get(self, call_id: str) -> CallRecord | None:
        """Return what is kept of an id, where this server may read it; None: nothing.

        Raises:
            ToolError: it is about files outside of the roots.
        """
        session = await self._session()
        record = await (await session.opened_store()).calls.get(call_id)
        if record is not None:
            session.check_record(record)
        return record

    async def latest(self, limit: int) -> list[CallRecord]:
        """Return the latest records, newest first."""
        return await (await (await self._session()).opened_store()).calls.latest(limit)

    async def _kept(self, record: CallRecord) -> CallRecord:
        alive = replace(record, beat=time.time())
        await (await (await self._session()).opened_store()).calls.put(alive)
        return alive

    async def _beat(self) -> None:
        from codeens import CodeensError
        from codeens_server.store.calls import BEAT_S

        while True:
            await anyio.sleep(BEAT_S)
            for call_id, record in list(self._under_way.items()):
                with suppress(CodeensError):
                    async with self._writing:
                        if call_id in self._under_way:
                            await self._kept(record)

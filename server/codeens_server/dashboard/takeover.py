"""Runs go on after the dashboard was stopped or killed: what was begun is noted in the store, with signs of life."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import anyio
from msgspec.structs import replace

from codeens import CodeensError, Session
from codeens_server.store.calls import BEAT_S, CallRecord

TOOL = "dashboard"
_LOOKED_AT = 500


class Takeover:
    """Notes what is under way here, and takes up what a process that is gone has left."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._under_way: dict[str, CallRecord] = {}
        self._owner = f"{platform.node()}:{os.getpid()}"
        self._root = str(session.root)

    async def begin(self, run_id: str, path: str) -> None:
        """Note a run that goes on here. Where the store cannot be written, it is not taken up later.

        Args:
            run_id: of the run.
            path: the file that it is about.
        """
        now = time.time()
        record = CallRecord(id=run_id, tool=TOOL, path=path, root=self._root, began=now, beat=now, text=self._owner)
        self._under_way[run_id] = record
        await self._put(record)

    async def end(self, run_id: str, failure: str = "") -> None:
        """Note that a run is done: nobody is to go on with it."""
        record = self._under_way.pop(run_id, None)
        if record is not None:
            state = "failed" if failure else "finished"
            await self._put(replace(record, state=state, failure=failure, beat=time.time()))

    async def watch(self, go_on: Callable[[str], Awaitable[None]]) -> None:
        """Give signs of life, and go on with every run that is left behind; until cancelled."""
        while True:
            with suppress(CodeensError):
                calls = (await self._session.opened_store()).calls
                for record in self._left(await calls.latest(_LOOKED_AT)):
                    await self.begin(record.id, record.path)
                    await go_on(record.id)
            await anyio.sleep(BEAT_S)
            for record in list(self._under_way.values()):
                await self._put(replace(record, beat=time.time()))

    def _left(self, records: list[CallRecord]) -> Iterator[CallRecord]:
        """Yield runs of this workspace that were begun by dashboards of this machine that are gone."""
        for record in records:
            is_ours = record.tool == TOOL and record.root == self._root and record.id not in self._under_way
            if is_ours and record.state == "running" and self._is_gone(record):
                yield record

    def _is_gone(self, record: CallRecord) -> bool:
        node, _, process = record.text.rpartition(":")
        if node != platform.node():
            return False
        return not _is_alive(int(process)) or not record.is_under_way

    async def _put(self, record: CallRecord) -> None:
        with suppress(CodeensError):
            await (await self._session.opened_store()).calls.put(record)


def _is_alive(process: int) -> bool:
    if process == os.getpid():
        return False  # noted by an earlier process of this number: what is ours is not asked about
    return Path(f"/proc/{process}").exists() if Path("/proc/self").exists() else _answers(process)


def _answers(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True

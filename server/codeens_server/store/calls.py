"""Keeps what was begun for agents, by id: how it goes, how it ended, what it answered."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from codeens_server.run.ids import new_run_id
from codeens_server.store.database import Database
from codeens_server.store.documents import from_json, to_json
from codeens_server.store.tables import CallRow

CallState: TypeAlias = Literal["running", "finished", "failed"]
BEAT_S = 10.0
"""Between two signs of life of what is under way."""
_SILENT_S = 60.0
"""Without a sign for so long, the process that did the work has ended."""


class CallRecord(Struct, frozen=True, kw_only=True):
    """A call that takes long: a run, or a call of a tool that was handed over to an id."""

    id: str
    tool: str
    function: str = ""
    path: str = ""
    """The file that it is about; empty: none."""
    root: str = ""
    """The folder of the server that began it."""
    state: CallState = "running"
    began: float
    beat: float
    """Seconds of the epoch of the last sign of life."""
    failure: str = ""
    text: str = ""
    """What it answered; empty for a run, which is kept by its events."""
    document: str = ""
    """The structured answer as JSON."""

    @classmethod
    def begun(cls, tool: str, call_id: str = "", *, function: str = "", path: str = "", root: str = "") -> CallRecord:
        """Return the record of what begins now; without an id it gets one that no other has."""
        now = time.time()
        known = call_id or new_run_id()
        return cls(id=known, tool=tool, function=function, path=path, root=root, began=now, beat=now)

    @property
    def is_under_way(self) -> bool:
        """Whether some process is still at it."""
        return self.state == "running" and time.time() - self.beat < _SILENT_S


class CallStore:
    """The records in the database of runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, record: CallRecord) -> None:
        """Keep a record, in place of an earlier one of its id.

        Raises:
            RunError: the database cannot be written.
        """
        created = datetime.fromtimestamp(record.began, UTC)
        row = CallRow(id=record.id, created=created, document=to_json(record))
        await self._database.write(lambda session: session.merge(row))

    async def get(self, call_id: str) -> CallRecord | None:
        """Return the record of an id; None where there is none.

        Raises:
            RunError: the database cannot be read.
        """
        return await self._database.read(lambda session: _record(session.get(CallRow, call_id)))

    async def latest(self, limit: int) -> list[CallRecord]:
        """Return the latest records, newest first.

        Raises:
            RunError: the database cannot be read.
        """
        return await self._database.read(lambda session: _latest(session, limit))


def _latest(session: Session, limit: int) -> list[CallRecord]:
    query = select(CallRow).order_by(CallRow.created.desc(), CallRow.id.desc()).limit(limit)
    return [record for row in session.scalars(query) if (record := _record(row))]


def _record(row: CallRow | None) -> CallRecord | None:
    try:
        return None if row is None else from_json(row.document, CallRecord)
    except msgspec.ValidationError:
        return None

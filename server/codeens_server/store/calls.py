"""Keeps what was begun for agents, by id: how it goes, how it ended, what it answered."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from codeens_server.store.call_record import CallRecord
from codeens_server.store.database import Database
from codeens_server.store.documents import from_json, to_json
from codeens_server.store.tables import CallRow


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

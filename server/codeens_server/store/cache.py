"""Answers of models, kept by the digest of the request: the same request is not paid for twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Generic, TypeVar

import msgspec
from sqlalchemy.orm import Session

from codeens_server.store.database import Database
from codeens_server.store.documents import from_json, to_json
from codeens_server.store.tables import ResponseRow

T = TypeVar("T")


class StoredCache(Generic[T]):
    """A cache of one type of answer."""

    def __init__(self, database: Database, kind: type[T]) -> None:
        self._database = database
        self._kind = kind

    async def get(self, key: str) -> T | None:
        """The answer to a request; None when there is none, or one of another version's type."""
        text = await self._database.read(lambda session: _document(session, key))
        try:
            return None if text is None else from_json(text, self._kind)
        except msgspec.ValidationError:
            return None

    async def put(self, key: str, reply: T) -> None:
        """Keep an answer; a later one to the same request replaces it."""
        row = ResponseRow(key=key, created=datetime.now(UTC), document=to_json(reply))
        await self._database.write(lambda session: session.merge(row))


def _document(session: Session, key: str) -> str | None:
    row = session.get(ResponseRow, key)
    return None if row is None else row.document

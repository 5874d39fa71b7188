"""Takes runs out of a store, brings them into another one, and removes old ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import anyio.to_thread
import msgspec
from msgspec import Struct
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from codeens_server.errors import InputError
from codeens_server.run.events import EVENT_TYPES, CandidateGenerated, RunFinished, RunStarted, StoredEvent
from codeens_server.run.state import RunState
from codeens_server.store.artifacts import Artifacts
from codeens_server.store.database import Database
from codeens_server.store.documents import from_json
from codeens_server.store.rows import answers_of, calls_of, index_of, utc, write_answers
from codeens_server.store.sums import counted
from codeens_server.store.tables import AnswerRow, EventRow, ModelCallRow, ResponseRow, RunRow, SandboxRow

UNDER_WAY = timedelta(hours=1)
"""A run that has not ended, and had an event since, may still be under way: it is not removed."""


class ExportedEvent(Struct, frozen=True, kw_only=True):
    """One line of an export."""

    run_id: str
    seq: int
    """From 1, without gaps."""
    kind: str
    created: datetime
    event: msgspec.Raw


class Imported(Struct, frozen=True, kw_only=True):
    """What came of an import."""

    added: tuple[str, ...] = ()
    """Ids of runs that were not there, or not as far."""
    known: tuple[str, ...] = ()


class Removable(Struct, frozen=True, kw_only=True):
    """What can be removed."""

    runs: tuple[str, ...] = ()
    """Ids, newest first."""
    responses: int = 0
    """Answers of models, kept so that the same request is not paid for twice."""


class Transfer:
    """What moves runs, beside the store of runs."""

    def __init__(self, database: Database, artifacts: Artifacts) -> None:
        self._database = database
        self._artifacts = artifacts

    async def export(self, run_id: str) -> list[str]:
        """Return a run as lines of JSON, one for each event.

        Raises:
            RunError: the database cannot be read.
        """
        return await self._database.read(lambda session: list(_lines(session, run_id)))

    async def take_in(self, lines: Sequence[str]) -> Imported:
        """Keep exported runs; each as a whole or not at all.

        A run that is here as far as it was exported is left alone; of one that was exported further the rest is added.

        Raises:
            InputError: a line is no exported event, a run has gaps, or is here with other events.
            RunError: the database or the artifacts' folder cannot be written.
        """
        runs: dict[str, list[ExportedEvent]] = {}
        for number, line in enumerate(lines, start=1):
            if line.strip():
                read = _read(number, line)
                runs.setdefault(read.run_id, []).append(read)
        states = {run_id: _folded(run_id, found) for run_id, found in runs.items()}
        added: list[str] = []
        for run_id, (state, events) in states.items():
            here = await self._database.read(lambda session, run_id=run_id: list(_lines(session, run_id)))
            if len(_agreeing(run_id, here, runs[run_id])) == len(here) < len(events):
                row, rest = index_of(state), runs[run_id][len(here) :]
                row.created = runs[run_id][0].created
                times = (line.created for line in runs[run_id])
                answers = [
                    answer
                    for event, time in zip(events, times, strict=True)
                    for answer in answers_of(state, [event], time)
                ]
                calls = [
                    call
                    for event, line in zip(events, runs[run_id], strict=True)
                    for call in calls_of(run_id, line.seq, [event], line.created)
                ]
                await self._database.write(lambda session, made=(row, rest, answers, calls): _insert(session, *made))
                await anyio.to_thread.run_sync(self._write_artifacts, state, events)
                added.append(run_id)
        return Imported(added=tuple(added), known=tuple(run_id for run_id in states if run_id not in added))

    async def removable(self, before: datetime, *, keep: int = 0) -> Removable:
        """Return the runs that were begun before a time, but for the newest `keep`, and answers as old.

        Raises:
            RunError: the database cannot be read.
        """
        return await self._database.read(lambda session: _removable(session, before, keep))

    async def remove(self, found: Removable, before: datetime) -> None:
        """Remove runs with the files of their candidates, and answers of models from before that time.

        Raises:
            RunError: the database cannot be written.
        """
        await self._database.write(lambda session: _remove(session, found.runs, before))
        for run_id in found.runs:
            folder = self._artifacts.run_folder(run_id)
            await anyio.to_thread.run_sync(lambda folder=folder: shutil.rmtree(folder, ignore_errors=True))

    def _write_artifacts(self, state: RunState, events: Sequence[StoredEvent]) -> None:
        for event in events:
            if isinstance(event, CandidateGenerated):
                self._artifacts.write_candidate(state.run_id, state.target, event.candidate)
            elif isinstance(event, RunFinished):
                self._artifacts.write_results(event.run)


def _lines(session: Session, run_id: str) -> Iterator[str]:
    for row in session.scalars(select(EventRow).where(EventRow.run_id == run_id).order_by(EventRow.seq)):
        event = ExportedEvent(
            run_id=run_id,
            seq=row.seq,
            kind=row.kind,
            created=utc(row.created),
            event=msgspec.Raw(row.document.encode()),
        )
        yield msgspec.json.encode(event).decode()


def _read(number: int, line: str) -> ExportedEvent:
    try:
        return from_json(line, ExportedEvent)
    except msgspec.DecodeError as error:
        message = f"line {number} is no event of a run as `codeens runs export` writes it: {error}."
        raise InputError(message) from None


def _folded(run_id: str, lines: Sequence[ExportedEvent]) -> tuple[RunState, list[StoredEvent]]:
    """Return the state and the events of a run.

    Raises:
        InputError: there are gaps, or events of another version of codeens.
    """
    if [line.seq for line in lines] != list(range(1, len(lines) + 1)):
        message = f"the events of run {run_id} are not all there, or not in their order."
        raise InputError(message)
    try:
        events = [from_json(bytes(line.event).decode(), EVENT_TYPES[line.kind]) for line in lines]
    except (KeyError, UnicodeDecodeError, msgspec.DecodeError) as error:
        message = f"run {run_id} was exported by another version of codeens and cannot be read: {error}."
        raise InputError(message) from None
    if not isinstance(events[0], RunStarted) or events[0].run_id != run_id:
        message = f"run {run_id} does not begin with its own start."
        raise InputError(message)
    return RunState.of(events), events


def _agreeing(run_id: str, here: Sequence[str], given: Sequence[ExportedEvent]) -> Sequence[str]:
    """Return the events that are both here and given.

    Raises:
        InputError: they are not the same.
    """
    for line, other in zip(here, given, strict=False):
        known = from_json(line, ExportedEvent)
        if (known.kind, bytes(known.event)) != (other.kind, bytes(other.event)):
            message = f"run {run_id} is here already, and its event {other.seq} is another; nothing of it was taken."
            raise InputError(message)
    return here[: len(given)]


def _insert(
    session: Session,
    row: RunRow,
    lines: Sequence[ExportedEvent],
    answers: Sequence[AnswerRow],
    calls: Sequence[ModelCallRow],
) -> None:
    session.merge(row)
    session.flush()
    for line in lines:
        document = bytes(line.event).decode()
        session.add(EventRow(run_id=line.run_id, seq=line.seq, kind=line.kind, created=line.created, document=document))
    for call in calls:
        session.merge(call)
    with counted(session, [row.id]):
        write_answers(session, answers)


def _removable(session: Session, before: datetime, keep: int) -> Removable:
    newest = select(RunRow.id).order_by(RunRow.created.desc(), RunRow.id.desc()).limit(keep)
    kept = set(session.scalars(newest)) if keep else set[str]()
    alive_since = datetime.now(UTC) - UNDER_WAY
    found: list[str] = []
    query = select(RunRow).where(RunRow.created < before).order_by(RunRow.created.desc(), RunRow.id.desc())
    for row in session.scalars(query):
        last = select(func.max(EventRow.created)).where(EventRow.run_id == row.id)
        if row.id not in kept and (row.ended or utc(session.scalar(last) or row.created) < alive_since):
            found.append(row.id)
    responses = session.scalar(select(func.count()).select_from(ResponseRow).where(ResponseRow.created < before))
    return Removable(runs=tuple(found), responses=responses or 0)


def _remove(session: Session, run_ids: Sequence[str], before: datetime) -> None:
    with counted(session, run_ids):
        for run_id in run_ids:
            for table in (EventRow, AnswerRow, ModelCallRow, SandboxRow):
                session.execute(delete(table).where(table.run_id == run_id))
            session.execute(delete(RunRow).where(RunRow.id == run_id))
    session.execute(delete(ResponseRow).where(ResponseRow.created < before))

"""Keeps runs as their events: each is committed when it is known, so that a run killed at any moment loses nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread
import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from codeens_server.errors import Hint, InputError, RunError
from codeens_server.run.events import EVENT_TYPES, CandidateGenerated, RunFinished, StoredEvent
from codeens_server.run.ids import is_short_for
from codeens_server.run.sandboxes import SandboxUse
from codeens_server.run.state import RunState
from codeens_server.store.artifacts import Artifacts
from codeens_server.store.cache import StoredCache
from codeens_server.store.calls import CallStore
from codeens_server.store.database import Database
from codeens_server.store.documents import from_json, to_json
from codeens_server.store.rows import RunLine, answers_of, calls_of, index_of, line_of, write_answers
from codeens_server.store.statistics import Statistics
from codeens_server.store.sums import counted
from codeens_server.store.tables import AnswerRow, EventRow, RunRow
from codeens_server.store.transfer import Transfer
from codeens_server.store.used import Used, UsedRow, rows_of

T = TypeVar("T")

LATEST = "latest"
"""Short for the run that began last."""
_SHOWN = 5
_POLL_S = 0.2
"""Between two looks for new events of a run of another process; a person does not see such a delay."""


class RunStore:
    """Runs in the database, and their candidates' files."""

    def __init__(self, database: Database, artifacts: Artifacts) -> None:
        self._database = database
        self._artifacts = artifacts

    async def check(self) -> None:
        """Refuse a database that cannot be used, before anything is spent on a run; see `Database.check`."""
        await self._database.check()

    def cache(self, kind: type[T]) -> StoredCache[T]:
        """Return the answers of models kept beside the runs, of one type."""
        return StoredCache(self._database, kind)

    @property
    def calls(self) -> CallStore:
        """What was begun for agents, kept beside the runs."""
        return CallStore(self._database)

    @property
    def transfer(self) -> Transfer:
        """What takes runs out, brings them in and removes them."""
        return Transfer(self._database, self._artifacts)

    @property
    def statistics(self) -> Statistics:
        """What is asked over many runs."""
        return Statistics(self._database)

    @property
    def used(self) -> Used:
        """What runs used: models and sandboxes."""
        return Used(self._database)

    async def append(self, state: RunState, *events: StoredEvent, sandboxes: Sequence[SandboxUse] = ()) -> None:
        """Add events to a run's log, committed when this returns, then write the files of its candidates.

        Args:
            state: the run with these events taken in; what it was made from is all that the log may hold before them.
            events: in their order.
            sandboxes: how those of the run stand.

        Raises:
            RunError: the database or the artifacts' folder cannot be written; or another process went on with the run.
        """
        now = datetime.now(UTC)
        # Made here: the state goes on while a thread writes.
        row, answers = index_of(state), list(answers_of(state, events, now))
        log = _log(state, events, now)
        used = [*calls_of(state.run_id, state.seq - len(events) + 1, events, now), *rows_of(state.run_id, sandboxes)]
        await self._database.write(lambda session: _append(session, row, answers, log, used))
        for event in events:
            if isinstance(event, CandidateGenerated):
                await _whole(partial(self._artifacts.write_candidate, state.run_id, state.target, event.candidate))
            elif isinstance(event, RunFinished):
                await _whole(partial(self._artifacts.write_results, event.run))

    async def events(self, run_id: str, after: int = 0) -> list[StoredEvent]:
        """Return the events of a run whose `seq` is above `after`; none when there is no such run.

        Raises:
            RunError: one was written by a version of codeens with other types.
        """
        return await self._database.read(lambda session: _events(session, run_id, after))

    async def follow(self, run_id: str, after: int = 0) -> AsyncGenerator[StoredEvent]:
        """Yield the events of a run as they are committed, by whatever process, until it has ended.

        A run whose process was killed never ends: bound the wait where that matters.

        Raises:
            RunError: see `events`.
        """
        while True:
            found = await self.events(run_id, after)
            for event in found:
                yield event
            after += len(found)
            if found and isinstance(found[-1], RunFinished):
                return
            await anyio.sleep(_POLL_S)

    async def load(self, start: str) -> RunState:
        """Return all that is known of the one run that `start` is short for; see `full_id`.

        Raises:
            InputError: no such run, or several.
            RunError: it was written by a version of codeens with other types.
        """
        return RunState.of(await self.events(await self.full_id(start)))

    async def full_id(self, start: str, within: str = "") -> str:
        """Return the id of the one run that `start` is short for.

        Args:
            start: the beginning of an id, or of the part after its date; `latest` is the run that began last.
            within: a folder: `latest` is of the runs about files in it. Empty: of all.

        Raises:
            InputError: no such run, or several.
        """
        return await self._database.read(lambda session: _full_id(session, start, within))

    async def all_ids(self) -> list[str]:
        """Return the ids of all runs, oldest first."""
        query = select(RunRow.id).order_by(RunRow.created, RunRow.id)
        return await self._database.read(lambda session: list(session.scalars(query)))

    async def target_files(self) -> set[str]:
        """Return the paths of all files that runs are about."""
        targets = await self._database.read(lambda session: session.scalars(select(RunRow.target).distinct()).all())
        return {target.rpartition("::")[0] for target in targets}

    async def list_runs(self, limit: int, target: str | None = None) -> list[RunLine]:
        """Return the latest runs, of one `path.py::qualname` or of all, newest first."""
        query = select(RunRow).order_by(RunRow.created.desc(), RunRow.id.desc()).limit(limit)
        query = query if target is None else query.where(RunRow.target == target)
        return await self._database.read(lambda session: [line_of(row) for row in session.scalars(query)])


def _log(state: RunState, events: Sequence[StoredEvent], now: datetime) -> list[EventRow]:
    """Return the rows of the last events of a state."""
    return [
        EventRow(
            run_id=state.run_id,
            seq=seq,
            kind=str(event.__struct_config__.tag),
            created=now,
            document=to_json(event),
        )
        for seq, event in enumerate(events, start=state.seq - len(events) + 1)
    ]


def _append(
    session: Session, row: RunRow, answers: Sequence[AnswerRow], log: Sequence[EventRow], used: Sequence[UsedRow]
) -> None:
    last = session.scalar(select(func.max(EventRow.seq)).where(EventRow.run_id == row.id)) or 0
    if log and last != log[0].seq - 1:
        message = f"another process went on with run {row.id} meanwhile; this one has ended."
        raise RunError(message, code="run_taken")
    known = session.get(RunRow, row.id)
    row.created = known.created if known else log[0].created
    session.merge(row)
    session.flush()
    for made in (*log, *used):
        session.merge(made)
    if answers:
        with counted(session, [row.id]):
            write_answers(session, answers)


def _events(session: Session, run_id: str, after: int) -> list[StoredEvent]:
    query = select(EventRow).where(EventRow.run_id == run_id, EventRow.seq > after).order_by(EventRow.seq)
    try:
        return [from_json(row.document, EVENT_TYPES[row.kind]) for row in session.scalars(query)]
    except (KeyError, msgspec.ValidationError) as error:
        message = f"run {run_id} was written by another version of codeens and cannot be read: {error}."
        raise RunError(message) from error


def _full_id(session: Session, start: str, within: str) -> str:
    if start and session.get(RunRow, start) is not None:
        return start
    begins = or_(RunRow.id.startswith(start, autoescape=True), RunRow.id.contains(f"-{start}", autoescape=True))
    latest = select(RunRow.id).order_by(RunRow.created.desc())
    if start == LATEST:
        return _latest(session, within)
    # Looked at again, since the databases' LIKE have different rules for upper and lower case.
    found = [run_id for run_id in session.scalars(latest.where(begins)) if is_short_for(start, run_id)]
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
        message = f"{start!r} is the beginning of {len(found)} runs: {shown}. Give more of the id."
        raise InputError(message, code="ambiguous_run")
    newest = session.scalar(latest.limit(1))
    message = f"no run has an id that begins with {start!r}. " + (
        f"The latest is {newest}." if newest else "There are no runs yet."
    )
    raise InputError(message, code="no_such_run", hint=Hint("runs"))


def _latest(session: Session, within: str) -> str:
    latest = select(RunRow.id, RunRow.target).order_by(RunRow.created.desc()).limit(1)
    there = latest.where(RunRow.target.startswith(f"{within.rstrip('/')}/", autoescape=True))
    if found := session.execute(there if within else latest).first():
        return found[0]
    other = session.execute(latest).first()
    message = (
        f"no run is about this workspace, {within}. The latest of all is {other[0]}, of {other[1]}."
        if other
        else "there are no runs yet."
    )
    raise InputError(message, code="no_such_run", hint=Hint("runs"))


async def _whole(write: Callable[[], None]) -> None:
    """Write in a thread, to the end also when the caller is cancelled meanwhile."""
    with anyio.CancelScope(shield=True):
        await anyio.to_thread.run_sync(write)

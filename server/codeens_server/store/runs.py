"""Keeps runs: every fact is committed when it is known, so that a run killed at any moment loses nothing finished."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import anyio
import anyio.to_thread
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from codeens_server.domain import Candidate, Case, Target
from codeens_server.run.events import CandidateGenerated, RunEvent, RunFinished
from codeens_server.run.request import RunRequest
from codeens_server.store.artifacts import Artifacts
from codeens_server.store.cache import StoredCache
from codeens_server.store.database import Database
from codeens_server.store.documents import to_json
from codeens_server.store.loading import full_id, list_lines, load_run
from codeens_server.store.recording import run_row, save_event
from codeens_server.store.stored import RunLine, StoredRun
from codeens_server.store.tables import GivenRow, PinnedCaseRow, RunRow

T = TypeVar("T")


class RunStore:
    """Runs in the database, and their candidates' files."""

    def __init__(self, database: Database, artifacts: Artifacts) -> None:
        self._database = database
        self._artifacts = artifacts
        self._targets: dict[str, Target] = {}

    def cache(self, kind: type[T]) -> StoredCache[T]:
        """The answers of models kept beside the runs, of one type."""
        return StoredCache(self._database, kind)

    def new_id(self) -> str:
        """An id that sorts by day: `20261121-3f9a2c`."""
        return f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(3)}"

    async def create(
        self, run_id: str, request: RunRequest, target: Target, given: tuple[Candidate, ...] | None = None
    ) -> None:
        """Keep what was asked for, before anything is done for it.

        Args:
            given: candidates to judge in place of any that would be asked for or made.
        """
        row = RunRow(
            id=run_id,
            created=datetime.now(UTC),
            target=f"{target.path}::{target.qualname}",
            goal=request.goal,
            request_document=to_json(request),
            target_document=to_json(target),
        )

        def save(session: Session) -> None:
            session.add(row)
            if given is not None:
                session.flush()
                session.add(GivenRow(run_id=run_id, document=to_json(given)))

        await self._database.write(save)
        self._targets[run_id] = target

    async def record(self, run_id: str, event: RunEvent) -> None:
        """Keep what an event says: in the database, committed when this returns, then as files.

        Raises:
            RunError: the database or the artifacts' folder cannot be written.
        """
        await self._database.write(lambda session: save_event(session, run_id, event))
        if isinstance(event, CandidateGenerated):
            target = await self._target(run_id)
            await _whole(lambda: self._artifacts.write_candidate(run_id, target, event.candidate))
        elif isinstance(event, RunFinished):
            await _whole(lambda: self._artifacts.write_results(event.run))

    async def pin_case(self, run_id: str, case: Case) -> None:
        """Hold the candidates of a run to one more input; a case of the same id is replaced."""

        def save(session: Session) -> None:
            run_row(session, run_id)
            known = session.get(PinnedCaseRow, (run_id, case.id))
            count = select(func.count()).select_from(PinnedCaseRow).where(PinnedCaseRow.run_id == run_id)
            position = known.position if known else session.scalar(count)
            session.merge(PinnedCaseRow(run_id=run_id, case_id=case.id, position=position, document=to_json(case)))

        await self._database.write(save)

    async def load(self, start: str) -> StoredRun:
        """Everything kept of the one run whose id begins with `start`, or whose part after the date is `start`.

        Raises:
            InputError: no such run, or several.
            RunError: it was written by a version of codeens with other types.
        """
        return await self._database.read(lambda session: load_run(session, full_id(session, start)))

    async def target_files(self) -> set[str]:
        """The paths of all files that runs are about."""
        targets = await self._database.read(lambda session: session.scalars(select(RunRow.target).distinct()).all())
        return {target.rpartition("::")[0] for target in targets}

    async def list_runs(self, limit: int) -> list[RunLine]:
        """The latest runs, newest first."""
        return await self._database.read(lambda session: list_lines(session, limit))

    async def _target(self, run_id: str) -> Target:
        if run_id not in self._targets:
            self._targets[run_id] = (await self.load(run_id)).target
        return self._targets[run_id]


async def _whole(write: Callable[[], None]) -> None:
    """Write in a thread, to the end also when the caller is cancelled meanwhile."""
    with anyio.CancelScope(shield=True):
        await anyio.to_thread.run_sync(write)

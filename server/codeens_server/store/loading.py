"""Reads runs back from the tables."""

from __future__ import annotations

from datetime import UTC
from typing import TypeVar, cast

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from codeens_sandbox_backends.base import Outcome
from codeens_server.domain import Candidate, Case, Evidence, Goal, Measurement, Run, Target, Verdict
from codeens_server.errors import InputError, RunError
from codeens_server.run.events import CandidateJudged, GenerationFailed, SandboxFailed
from codeens_server.run.request import RunRequest
from codeens_server.store.documents import from_json
from codeens_server.store.recording import run_row
from codeens_server.store.stored import RunLine, StoredRun
from codeens_server.store.tables import (
    CandidateRow,
    FailureRow,
    GivenRow,
    MeasurementRow,
    OutcomesRow,
    PinnedCaseRow,
    RunRow,
    VerdictRow,
)

T = TypeVar("T")

_SHOWN = 5


def full_id(session: Session, start: str) -> str:
    """The id of the one run whose id begins with `start`, or whose part after the date does.

    Raises:
        InputError: no such run, or several.
    """
    if start and session.get(RunRow, start) is not None:
        return start
    # Filtered here and not by LIKE, whose wildcards and case rules differ between databases.
    ids = session.scalars(select(RunRow.id).order_by(RunRow.created.desc())).all()
    found = [run_id for run_id in ids if start and (run_id.startswith(start) or run_id.partition("-")[2] == start)]
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
        message = f"{start!r} is the beginning of {len(found)} runs: {shown}. Give more of the id."
        raise InputError(message)
    latest = f"The latest is {ids[0]}; `codeens runs list` shows all." if ids else "There are no runs yet."
    message = f"no run has an id that begins with {start!r}. {latest}"
    raise InputError(message)


def load_run(session: Session, run_id: str) -> StoredRun:
    """Everything kept of a run.

    Raises:
        RunError: it was written by a version of codeens with other types.
    """
    row = run_row(session, run_id)
    candidates = session.scalars(
        select(CandidateRow).where(CandidateRow.run_id == run_id).order_by(CandidateRow.position)
    ).all()
    try:
        return StoredRun(
            run_id=run_id,
            request=from_json(row.request_document, RunRequest),
            target=from_json(row.target_document, Target),
            evidence=_optional(row.evidence_document, Evidence),
            candidates=tuple(from_json(item.document, Candidate) for item in candidates),
            given=_given(session, run_id),
            duplicates={item.id: item.duplicate_of for item in candidates if item.duplicate_of is not None},
            judged=_judged(session, run_id),
            measured=_measured(session, run_id),
            kept=_kept(session, run_id),
            failures=_failures(session, run_id),
            run=_optional(row.run_document, Run),
        )
    except msgspec.ValidationError as error:
        message = f"run {run_id} was written by another version of codeens and cannot be read: {error}."
        raise RunError(message) from error


def list_lines(session: Session, limit: int) -> list[RunLine]:
    """The latest runs, newest first."""
    count = (
        select(func.count())
        .select_from(CandidateRow)
        .where(CandidateRow.run_id == RunRow.id)
        .correlate(RunRow)
        .scalar_subquery()
    )
    rows = session.execute(select(RunRow, count).order_by(RunRow.created.desc(), RunRow.id.desc()).limit(limit))
    return [_line(row[0], row[1]) for row in rows]


def _line(row: RunRow, candidates: int) -> RunLine:
    # SQLite keeps no time zone; what was written is UTC.
    created = row.created.replace(tzinfo=UTC) if row.created.tzinfo is None else row.created
    return RunLine(
        run_id=row.id,
        created=created,
        target=row.target,
        goal=cast("Goal", row.goal),
        candidates=candidates,
        cost_usd=row.cost_usd,
        stopped=row.stopped,
        headline=row.headline,
    )


def _optional(text: str | None, kind: type[T]) -> T | None:
    return None if text is None else from_json(text, kind)


def _given(session: Session, run_id: str) -> tuple[Candidate, ...] | None:
    row = session.get(GivenRow, run_id)
    return None if row is None else from_json(row.document, tuple[Candidate, ...])


def _judged(session: Session, run_id: str) -> dict[str, CandidateJudged]:
    outcomes = {
        row.candidate_id: from_json(row.document, tuple[Outcome, ...])
        for row in session.scalars(select(OutcomesRow).where(OutcomesRow.run_id == run_id))
    }
    return {
        row.candidate_id: CandidateJudged(
            candidate_id=row.candidate_id,
            verdict=from_json(row.document, Verdict),
            outcomes=outcomes.get(row.candidate_id, ()),
        )
        for row in session.scalars(select(VerdictRow).where(VerdictRow.run_id == run_id))
    }


def _measured(session: Session, run_id: str) -> dict[str, Measurement]:
    rows = session.scalars(select(MeasurementRow).where(MeasurementRow.run_id == run_id))
    return {row.candidate_id: from_json(row.document, Measurement) for row in rows}


def _kept(session: Session, run_id: str) -> tuple[Case, ...]:
    rows = session.scalars(select(PinnedCaseRow).where(PinnedCaseRow.run_id == run_id).order_by(PinnedCaseRow.position))
    return tuple(from_json(row.document, Case) for row in rows)


def _failures(session: Session, run_id: str) -> tuple[GenerationFailed | SandboxFailed, ...]:
    rows = session.scalars(select(FailureRow).where(FailureRow.run_id == run_id).order_by(FailureRow.number))
    return tuple(
        from_json(row.document, GenerationFailed if row.kind == "generation" else SandboxFailed) for row in rows
    )

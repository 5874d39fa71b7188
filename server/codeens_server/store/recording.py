"""Writes one event of a run into the tables."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from codeens_server.domain import Run
from codeens_server.errors import RunError
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    EvidenceGathered,
    GenerationFailed,
    RunEvent,
    RunFinished,
    SandboxFailed,
)
from codeens_server.store.documents import to_json
from codeens_server.store.tables import (
    CandidateRow,
    FailureRow,
    MeasurementRow,
    OutcomesRow,
    RunRow,
    ScoreRow,
    VerdictRow,
)


def save_event(session: Session, run_id: str, event: RunEvent) -> None:
    """Write what an event says; writing it again changes nothing. Events that only show progress are not kept."""
    match event:
        case EvidenceGathered():
            row = run_row(session, run_id)
            row.mode = event.evidence.mode
            row.evidence_document = to_json(event.evidence)
        case CandidateGenerated():
            _save_candidate(session, run_id, event)
        case CandidateJudged():
            _save_verdict(session, run_id, event)
        case CandidateMeasured():
            _save_measurement(session, run_id, event)
        case GenerationFailed() | SandboxFailed():
            kind = "generation" if isinstance(event, GenerationFailed) else "sandbox"
            session.add(FailureRow(run_id=run_id, kind=kind, document=to_json(event)))
        case RunFinished():
            _save_end(session, event.run)
        case _:
            pass


def run_row(session: Session, run_id: str) -> RunRow:
    """The row of a run.

    Raises:
        RunError: it was never created, or was removed meanwhile.
    """
    if (row := session.get(RunRow, run_id)) is None:
        message = f"run {run_id} is not in the database of runs."
        raise RunError(message)
    return row


def _save_candidate(session: Session, run_id: str, event: CandidateGenerated) -> None:
    candidate = event.candidate
    known = session.get(CandidateRow, (run_id, candidate.id))
    count = select(func.count()).select_from(CandidateRow).where(CandidateRow.run_id == run_id)
    session.merge(
        CandidateRow(
            run_id=run_id,
            id=candidate.id,
            position=known.position if known else session.scalar(count),
            model=candidate.model,
            variant=candidate.variant,
            digest=candidate.digest,
            cost_usd=candidate.cost_usd,
            duplicate_of=event.duplicate_of,
            document=to_json(candidate),
        )
    )


def _save_verdict(session: Session, run_id: str, event: CandidateJudged) -> None:
    verdict, key = event.verdict, {"run_id": run_id, "candidate_id": event.candidate_id}
    session.merge(
        VerdictRow(
            **key,
            status=verdict.status,
            passed=verdict.passed,
            total=verdict.total,
            sandbox=verdict.sandbox,
            document=to_json(verdict),
        )
    )
    session.merge(OutcomesRow(**key, count=len(event.outcomes), document=to_json(event.outcomes)))


def _save_measurement(session: Session, run_id: str, event: CandidateMeasured) -> None:
    speed, memory = event.measurement.speed, event.measurement.memory
    session.merge(
        MeasurementRow(
            run_id=run_id,
            candidate_id=event.candidate_id,
            speed_ratio=speed.ratio if speed else None,
            speed_low=speed.low if speed else None,
            speed_high=speed.high if speed else None,
            peak_bytes=memory.peak_bytes if memory else None,
            document=to_json(event.measurement),
        )
    )


def _save_end(session: Session, run: Run) -> None:
    row = run_row(session, run.run_id)
    row.mode = run.mode
    row.best = run.best
    row.headline = run.headline
    row.cost_usd = run.summary.cost_usd
    row.stopped = run.summary.stopped
    row.run_document = to_json(run)
    for result in (run.original, *run.results):
        session.merge(
            ScoreRow(
                run_id=run.run_id,
                candidate_id=result.candidate.id,
                rank=result.rank,
                total=result.score.total if result.score else None,
                reason=result.reason,
            )
        )

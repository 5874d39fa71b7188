"""The rows of the indexes of runs and of their answers: made from what a run is, and shown in lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import cast

from msgspec import Struct
from sqlalchemy.orm import Session

from codeens_server.domain.document import RankedResult
from codeens_server.domain.target import Candidate
from codeens_server.domain.terms import ORIGINAL, Goal, StopReason
from codeens_server.run.events import CandidateGenerated, GenerationFailed, InputsAsked, RunFinished, StoredEvent
from codeens_server.run.state import RunState
from codeens_server.store.tables import AnswerRow, ModelCallRow, RunRow
from codeens_server.text import visible


class RunLine(Struct, frozen=True, kw_only=True):
    """A run in a list."""

    run_id: str
    created: datetime
    target: str
    """`path.py::qualname`."""
    goal: Goal
    candidates: int
    cost_usd: float
    ended: bool
    """False: it is under way, or its process was ended from outside."""
    stopped: StopReason | None
    headline: str


def index_of(state: RunState) -> RunRow:
    """Return the row of a run, but for the time of its begin."""
    document = state.document
    target = f"{state.target.path}::{state.target.qualname}"
    headline = document.headline if document else ""
    return RunRow(
        id=state.run_id,
        target=target,
        goal=state.goal,
        candidates=state.generated,
        cost_usd=state.cost_usd,
        ended=document is not None,
        stopped=state.stopped,
        best=document.best if document else None,
        headline=headline,
        found_by="\n".join((state.run_id, target, headline)).casefold(),
    )


def answers_of(state: RunState, events: Iterable[StoredEvent], now: datetime) -> Iterator[AnswerRow]:
    """Yield the rows of answers that events brought, or about which they say more.

    Args:
        state: the run with these events taken in.
        events: in their order.
        now: when they came.
    """
    for event in events:
        if isinstance(event, CandidateGenerated):
            yield _answer(state, event.candidate, now, {})
        elif isinstance(event, GenerationFailed):
            yield AnswerRow(
                run_id=state.run_id,
                call=visible(event.call),
                created=now,
                model=visible(event.model),
                variant=visible(event.variant),
                status="unusable",
                won=False,
                cost_usd=event.cost_usd,
                tokens=event.tokens,
            )
        elif isinstance(event, RunFinished):
            results = {row.candidate.id: row for row in event.run.results}
            yield from (_answer(state, answer, now, results) for answer in state.answers.values())


def calls_of(run_id: str, seq: int, events: Iterable[StoredEvent], now: datetime) -> Iterator[ModelCallRow]:
    """Yield the rows of the questions to models that events tell of; replies that were kept before are none.

    Args:
        run_id: of the run.
        seq: of the first event.
        events: in their order.
        now: when they came.
    """
    for number, event in enumerate(events, start=seq):
        if isinstance(event, CandidateGenerated):
            told, tokens, failure = event.candidate, event.candidate.tokens_in + event.candidate.tokens_out, ""
        elif isinstance(event, (GenerationFailed, InputsAsked)):
            told, tokens, failure = event, event.tokens, event.why
        else:
            continue
        if told.latency_s is not None:
            yield ModelCallRow(
                run_id=run_id,
                seq=number,
                created=now,
                model=visible(told.model),
                variant="" if isinstance(told, InputsAsked) else visible(told.variant),
                tokens=tokens,
                cost_usd=told.cost_usd,
                latency_s=told.latency_s,
                failure=visible(failure),
            )


def _answer(state: RunState, answer: Candidate, now: datetime, results: Mapping[str, RankedResult]) -> AnswerRow:
    """Return the row of an answer; one with the code of another stands as that one does."""
    twin = state.duplicates.get(answer.id, answer.id)
    found = results.get(twin)
    status = "same" if twin == ORIGINAL else "waiting"
    if found is not None:
        status = found.verdict.status if found.judged else "not_run"
    return AnswerRow(
        run_id=state.run_id,
        call=visible(answer.id),
        created=now,
        model=visible(answer.model),
        variant=visible(answer.variant),
        status=status,
        won=found is not None and state.document is not None and state.document.best == twin,
        speed=found.speed.low if found and found.speed else None,
        cost_usd=answer.cost_usd,
        tokens=answer.tokens_in + answer.tokens_out,
    )


def write_answers(session: Session, answers: Iterable[AnswerRow]) -> None:
    """Write answers of runs that are there already; one that is known keeps the time at which it came."""
    for answer in answers:
        known = session.get(AnswerRow, (answer.run_id, answer.call))
        if known is not None:
            answer.created = known.created
        session.merge(answer)


def line_of(row: RunRow) -> RunLine:
    """Return a run as lists show it."""
    return RunLine(
        run_id=row.id,
        created=utc(row.created),
        target=row.target,
        goal=cast("Goal", row.goal),
        candidates=row.candidates,
        cost_usd=row.cost_usd,
        ended=row.ended,
        stopped=cast("StopReason | None", row.stopped),
        headline=row.headline,
    )


def utc(time: datetime) -> datetime:
    """Return a stored time with its zone: SQLite keeps none, and what was written is UTC."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time

"""How earlier runs of the same kind went: what a new one can expect."""

from __future__ import annotations

from collections.abc import Collection
from statistics import quantiles

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from codeens_server.domain.systems import PastRuns, Share
from codeens_server.domain.terms import ORIGINAL
from codeens_server.store.tables import AnswerRow, EventRow, RunRow

_MOST_RUNS = 200
_FEWEST_RUNS = 5


def past_runs(session: Session, within: str, models: Collection[str]) -> PastRuns | None:
    """Return how the latest runs went that came to their end and asked one of some models.

    Args:
        session: of the database.
        within: a folder: runs about files in it.
        models: names.

    Returns:
        None where there are too few to say anything.
    """
    asked = select(AnswerRow.run_id).where(AnswerRow.model.in_(models))
    there = RunRow.target.startswith(f"{within.rstrip('/')}/", autoescape=True)
    query = select(RunRow.id, RunRow.created, RunRow.best).where(RunRow.ended, there, RunRow.id.in_(asked))
    runs = session.execute(query.order_by(RunRow.created.desc()).limit(_MOST_RUNS)).all()
    if len(runs) < _FEWEST_RUNS:
        return None
    last = select(EventRow.run_id, func.max(EventRow.created)).where(EventRow.run_id.in_([run.id for run in runs]))
    ends = {row[0]: row[1] for row in session.execute(last.group_by(EventRow.run_id))}
    seconds = quantiles([(ends[run.id] - run.created).total_seconds() for run in runs], n=4)
    won = Share.of(sum(run.best != ORIGINAL for run in runs), len(runs))
    return PastRuns(won=won, seconds=(seconds[0], seconds[2]))

"""The rows of the index of runs: made from what a run is, and shown in lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from msgspec import Struct

from codeens_server.domain.terms import Goal, StopReason
from codeens_server.run.state import RunState
from codeens_server.store.tables import RunRow


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
    return RunRow(
        id=state.run_id,
        target=f"{state.target.path}::{state.target.qualname}",
        goal=state.goal,
        candidates=state.generated,
        cost_usd=state.cost_usd,
        ended=document is not None,
        stopped=state.stopped,
        best=document.best if document else None,
        headline=document.headline if document else "",
    )


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

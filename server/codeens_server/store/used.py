"""What runs used: questions to models with their price and latency, and sandboxes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from codeens_server.run.sandboxes import SandboxUse
from codeens_server.store.database import Database
from codeens_server.store.rows import utc
from codeens_server.store.tables import LentSandboxRow, ModelCallRow, SandboxRow

UsedRow: TypeAlias = ModelCallRow | SandboxRow
LOOKED_AT = 1000
"""The latest calls, which are told of by model."""


class SandboxLine(Struct, frozen=True, kw_only=True):
    """A sandbox of a run, or of calls that are none."""

    run_id: str
    """Empty: it is lent to scores, comparisons, code and benchmarks, one after the other."""
    label: str
    """The backend and what it isolates."""
    python: str
    opened: datetime
    closed: datetime | None
    """None: it is open, or its process was killed."""
    open_s: float | None
    jobs: int
    busy_s: float
    """Seconds of its jobs, added up also where several ran at once."""


class CallLine(Struct, frozen=True, kw_only=True):
    """A question to a model."""

    run_id: str
    created: datetime
    """When its end was told."""
    model: str
    variant: str
    """Empty: it was asked for inputs."""
    tokens: int
    cost_usd: float | None
    """None: its price is not known."""
    latency_s: float
    failure: str
    """Why it brought nothing; empty where it did."""


class ModelUse(Struct, frozen=True, kw_only=True):
    """How one model answered, in the latest calls of all."""

    model: str
    calls: int
    failed: int
    """Calls that brought nothing."""
    median_s: float
    """Half of the calls took no longer."""
    p95_s: float
    """95 % of the calls took no longer."""
    tokens: int
    cost_usd: float
    cost_known: bool


class _Told(NamedTuple):
    latency_s: float
    tokens: int
    cost_usd: float | None
    failure: str


class StoredUsage(Struct, frozen=True, kw_only=True):
    """What runs of the store used last."""

    sandboxes: tuple[SandboxLine, ...]
    """The latest, newest first."""
    models: tuple[ModelUse, ...]
    """Of the latest 1,000 calls, by name."""
    calls: tuple[CallLine, ...]
    """The latest, newest first."""


class Used:
    """Reads what runs used, and keeps what is used for what is no run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, limit: int = 50) -> StoredUsage:
        """Return what was used last.

        Args:
            limit: how many sandboxes, and calls, at the most.

        Raises:
            RunError: the database cannot be read.
        """
        return await self._database.read(lambda session: _latest(session, limit))

    async def keep(self, use: SandboxUse) -> None:
        """Keep how a sandbox stands that is lent to calls which are no run.

        Raises:
            RunError: the database cannot be written.
        """
        await self._database.write(lambda session: session.merge(_lent(use)))


def _lent(use: SandboxUse) -> LentSandboxRow:
    return LentSandboxRow(
        opened=use.opened, python=use.python, label=use.label, closed=use.closed, jobs=use.jobs, busy_s=use.busy_s
    )


def rows_of(run_id: str, sandboxes: Iterable[SandboxUse]) -> Iterator[SandboxRow]:
    """Yield the rows of the sandboxes of a run."""
    for use in sandboxes:
        yield SandboxRow(
            run_id=run_id,
            opened=use.opened,
            python=use.python,
            label=use.label,
            closed=use.closed,
            jobs=use.jobs,
            busy_s=use.busy_s,
        )


def _latest(session: Session, limit: int) -> StoredUsage:
    found = [
        line
        for row in (SandboxRow, LentSandboxRow)
        for line in map(_sandbox, session.scalars(select(row).order_by(row.opened.desc()).limit(limit)))
    ]
    calls = select(ModelCallRow).order_by(ModelCallRow.created.desc()).limit(limit)
    return StoredUsage(
        sandboxes=tuple(sorted(found, key=lambda line: line.opened, reverse=True)[:limit]),
        models=tuple(_models(session)),
        calls=tuple(_call(row) for row in session.scalars(calls)),
    )


def _models(session: Session) -> Iterator[ModelUse]:
    row = ModelCallRow
    told = select(row.model, row.latency_s, row.tokens, row.cost_usd, row.failure)
    by_model: dict[str, list[_Told]] = {}
    for found in session.execute(told.order_by(row.created.desc()).limit(LOOKED_AT)):
        by_model.setdefault(found[0], []).append(_Told(*found[1:]))
    for name in sorted(by_model):
        yield _model(name, by_model[name])


def _sandbox(row: SandboxRow | LentSandboxRow) -> SandboxLine:
    return SandboxLine(
        run_id=row.run_id if isinstance(row, SandboxRow) else "",
        label=row.label,
        python=row.python,
        opened=utc(row.opened),
        closed=row.closed and utc(row.closed),
        open_s=(row.closed - row.opened).total_seconds() if row.closed else None,
        jobs=row.jobs,
        busy_s=row.busy_s,
    )


def _call(row: ModelCallRow) -> CallLine:
    return CallLine(
        run_id=row.run_id,
        created=utc(row.created),
        model=row.model,
        variant=row.variant,
        tokens=row.tokens,
        cost_usd=row.cost_usd,
        latency_s=row.latency_s,
        failure=row.failure,
    )


def _model(name: str, calls: Sequence[_Told]) -> ModelUse:
    latencies = sorted(call.latency_s for call in calls)

    def within(share: float) -> float:
        return latencies[math.ceil(share * len(latencies)) - 1]

    return ModelUse(
        model=name,
        calls=len(calls),
        failed=sum(bool(call.failure) for call in calls),
        median_s=within(0.5),
        p95_s=within(0.95),
        tokens=sum(call.tokens for call in calls),
        cost_usd=sum(call.cost_usd or 0.0 for call in calls),
        cost_known=all(call.cost_usd is not None for call in calls),
    )

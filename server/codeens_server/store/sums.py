"""Sums over the answers of all runs, changed in the transaction that changes answers: who asks adds nothing up.

A run counts once for a key, whatever number of its answers have it, so what a run adds is made from all its answers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from msgspec import Struct, field
from sqlalchemy import Insert, Select, Update, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from codeens_server.store.tables import AnswerRow, RunRow, SumRow

_PASSED = ("passed", "conditional")
_NOT_JUDGED = ("waiting", "unusable", "not_run", "same")
_AT_ONCE = 500
_ADDED = ("runs", "won", "answers", "usable", "judged", "passed", "tokens", "cost_usd", "unpriced")


class _Key(NamedTuple):
    kind: str
    place: str
    model: str
    variant: str


class _Answer(NamedTuple):
    run_id: str
    target: str
    created: datetime
    model: str
    variant: str
    status: str
    won: bool
    speed: float | None
    cost_usd: float | None
    tokens: int


class _Sum(Struct):
    """What some answers come to for one key."""

    runs: set[str] = field(default_factory=set[str])
    winners: set[str] = field(default_factory=set[str])
    answers: int = 0
    usable: int = 0
    judged: int = 0
    passed: int = 0
    speed: float | None = None
    tokens: int = 0
    cost_usd: float = 0.0
    unpriced: int = 0

    def add(self, answer: _Answer, *, with_speed: bool) -> None:
        has_passed = answer.status in _PASSED
        self.runs.add(answer.run_id)
        if answer.won:
            self.winners.add(answer.run_id)
        self.answers += 1
        self.usable += answer.status != "unusable"
        self.judged += answer.status not in _NOT_JUDGED
        self.passed += has_passed
        if with_speed and has_passed and answer.speed is not None:
            self.speed = max(self.speed or 0.0, answer.speed)
        self.tokens += answer.tokens
        self.cost_usd += answer.cost_usd or 0.0
        self.unpriced += answer.cost_usd is None

    def more_than(self, other: _Sum) -> dict[str, Any]:
        """Return what this one has more; `speed` is its own."""
        counted = {"runs": len(self.runs) - len(other.runs), "won": len(self.winners) - len(other.winners)}
        added = {name: getattr(self, name) - getattr(other, name) for name in _ADDED if name not in counted}
        return {**counted, **added, "speed": self.speed}


def sums(kind: str, place: str | None = "") -> Select[SumRow]:
    """Return the query for the sums of a kind; `place` None: of all places."""
    query = select(SumRow).where(SumRow.kind == kind)
    return query if place is None else query.where(SumRow.place == place)


@contextmanager
def counted(session: Session, run_ids: Sequence[str]) -> Generator[None]:
    """Keep the sums true while the block changes the answers of runs, or removes them.

    Other processes change sums too: rows are changed in one order, so that no two wait for each other.
    """
    before = _sums(session, run_ids)
    yield
    session.flush()
    after = _sums(session, run_ids)
    changed = [key for key in sorted(before.keys() | after.keys()) if before[key] != after[key]]
    if not changed:
        return
    changes = [{**key._asdict(), **after[key].more_than(before[key])} for key in changed]
    session.execute(_upsert(session.get_bind().dialect.name), changes)
    for key in changed:
        if (before[key].speed or 0.0) > (after[key].speed or 0.0):
            session.execute(_slower(key))
    session.execute(delete(SumRow).where(SumRow.answers == 0))


def _sums(session: Session, run_ids: Sequence[str]) -> defaultdict[_Key, _Sum]:
    found: defaultdict[_Key, _Sum] = defaultdict(_Sum)
    for start in range(0, len(run_ids), _AT_ONCE):
        for answer in _answers(session, run_ids[start : start + _AT_ONCE]):
            for key in _keys(answer):
                found[key].add(answer, with_speed=key.kind == "system")
    return found


def _answers(session: Session, run_ids: Sequence[str]) -> Iterator[_Answer]:
    columns = [RunRow.target if name == "target" else getattr(AnswerRow, name) for name in _Answer._fields]
    query = select(*columns).join(RunRow, RunRow.id == AnswerRow.run_id).where(AnswerRow.run_id.in_(run_ids))
    return (_Answer(*row) for row in session.execute(query))


def _keys(answer: _Answer) -> Iterator[_Key]:
    created = answer.created if answer.created.tzinfo else answer.created.replace(tzinfo=UTC)
    yield _Key("day", created.astimezone(UTC).date().isoformat(), answer.model, "")
    yield _Key("variant", "", "", answer.variant)
    folder = answer.target.rpartition("::")[0]
    while folder:
        folder = folder.rpartition("/")[0]
        yield _Key("system", folder, answer.model, answer.variant)


def _upsert(dialect: str) -> Insert:
    new = postgresql.insert(SumRow) if dialect == "postgresql" else sqlite.insert(SumRow)
    changes = {name: getattr(SumRow, name) + getattr(new.excluded, name) for name in _ADDED}
    is_more = new.excluded.speed > func.coalesce(SumRow.speed, 0.0)
    changes["speed"] = case((is_more, new.excluded.speed), else_=SumRow.speed)
    return new.on_conflict_do_update(index_elements=_Key._fields, set_=changes)


def _slower(key: _Key) -> Update:
    """Return what finds the speed of a system anew, among all answers: the one that was most is gone."""
    row = AnswerRow
    query = select(row.speed).where(row.model == key.model, row.variant == key.variant, row.status.in_(_PASSED))
    if key.place:
        inside = RunRow.target.startswith(f"{key.place}/", autoescape=True)
        query = query.join(RunRow, RunRow.id == row.run_id).where(inside)
    fastest = query.where(row.speed.is_not(None)).order_by(row.speed.desc()).limit(1).scalar_subquery()
    own = (getattr(SumRow, name) == value for name, value in key._asdict().items())
    return update(SumRow).where(*own).values(speed=fastest)

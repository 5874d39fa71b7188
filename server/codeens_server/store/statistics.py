"""What is asked over many runs: pages of them, who wins, and what was paid."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from codeens_server.domain.systems import PastRuns, Share
from codeens_server.store.database import Database
from codeens_server.store.past import past_runs
from codeens_server.store.rows import RunLine, line_of
from codeens_server.store.sums import sums
from codeens_server.store.tables import RunRow, SumRow

RunsShown: TypeAlias = Literal["all", "finished", "open", "improved"]


class RunPage(Struct, frozen=True, kw_only=True):
    """Some runs, newest first."""

    runs: tuple[RunLine, ...]
    following: str | None = None
    """Id of the last run here where there are older ones: what to ask for as `before`."""


class SystemLine(Struct, frozen=True, kw_only=True):
    """What came of one model with one variant."""

    model: str
    variant: str
    runs: int
    answers: int
    usable: int
    """Answers that were candidates, identical ones included."""
    passed: Share
    """Of those that were judged."""
    won: Share
    """Of the runs that it took part in: its code was the one to take."""
    speed: float | None
    """The most that one of its answers is proven to be times as fast, by the lower end of the interval."""
    tokens: int
    cost_usd: float
    cost_known: bool

    @property
    def usd_per_win(self) -> float | None:
        """What a win cost; None where there was none."""
        wins = round(self.won.value * self.won.cases)
        return self.cost_usd / wins if wins else None


class CostLine(Struct, frozen=True, kw_only=True):
    """What a model was paid on one day, UTC."""

    day: str
    model: str
    answers: int
    wins: int
    tokens: int
    cost_usd: float
    cost_known: bool


class Paid(Struct, frozen=True, kw_only=True):
    """What answers cost together."""

    wins: int
    tokens: int
    cost_usd: float
    cost_known: bool

    @property
    def usd_per_win(self) -> float | None:
        """What a win cost; None where there was none."""
        return self.cost_usd / self.wins if self.wins else None


class VariantLine(Struct, frozen=True, kw_only=True):
    """What came of one variant, whoever was asked with it."""

    variant: str
    won: Share
    """Of the runs that it took part in: code that answered it was the one to take."""
    cost_usd: float


class StoreFacts(Struct, frozen=True, kw_only=True):
    """The store itself."""

    address: str
    """Its URL, without a password."""
    bytes: int
    """Of the database."""
    runs: int
    answers: int


class Statistics:
    """Reads what runs left; a run under way counts as far as it is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def runs(
        self, *, text: str = "", shown: RunsShown = "all", before: str | None = None, limit: int = 50
    ) -> RunPage:
        """Return runs, newest first.

        Args:
            text: part of the id, of the target or of the headline.
            shown: `open` are those that have not ended, `improved` those that advise something new.
            before: the id of a run: only older ones; None: from the newest.
            limit: how many at most.

        Raises:
            RunError: the database cannot be read.
        """
        return await self._database.read(lambda session: _page(session, text, shown, before, limit))

    async def systems(self, within: str = "") -> list[SystemLine]:
        """Return every model with every variant, the one that won most often first.

        Args:
            within: a folder: only of runs about files in it; empty: of all.

        Raises:
            RunError: the database cannot be read.
        """
        return await self._database.read(lambda session: _systems(session, within))

    async def past(self, within: str, models: Collection[str]) -> PastRuns | None:
        """Return how earlier runs about files in a folder went that asked one of some models; None: too few are known.

        Raises:
            RunError: the database cannot be read.
        """
        return await self._database.read(lambda session: past_runs(session, within, models))

    async def variants(self) -> list[VariantLine]:
        """Return every variant that was used, by name.

        Raises:
            RunError: the database cannot be read.
        """
        return await self._database.read(_variants)

    async def store(self) -> StoreFacts:
        """Say where the runs are kept, and how much that is.

        Raises:
            RunError: the database cannot be read.
        """
        return await self._database.read(lambda session: _store(session, self._database.address))

    async def costs(self, *, before: str = "", days: int | None = None) -> list[CostLine]:
        """Return what was paid, newest day first.

        Args:
            before: a day, `2026-01-31`: only earlier ones; empty: all.
            days: how many days with costs at most; None: all.

        Raises:
            RunError: the database cannot be read.
        """
        return await self._database.read(lambda session: _costs(session, before, days))

    async def paid(self) -> Paid:
        """Return what all answers cost together.

        Raises:
            RunError: the database cannot be read.
        """
        return await self._database.read(_paid)


def _store(session: Session, address: str) -> StoreFacts:
    if session.get_bind().dialect.name == "sqlite":
        size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    else:
        size = "SELECT pg_database_size(current_database())"
    return StoreFacts(
        address=address,
        bytes=session.scalar(sql(size)) or 0,
        runs=session.scalar(select(func.count()).select_from(RunRow)) or 0,
        answers=sum(row.answers for row in session.scalars(sums("variant"))),
    )


def _page(session: Session, text: str, shown: RunsShown, before: str | None, limit: int) -> RunPage:
    query = _filtered(text, shown)
    last = session.get(RunRow, before) if before else None
    if last is not None:
        older = and_(RunRow.created == last.created, RunRow.id < last.id)
        query = query.where(or_(RunRow.created < last.created, older))
    query = query.order_by(RunRow.created.desc(), RunRow.id.desc()).limit(limit + 1)
    found = [line_of(row) for row in session.scalars(query)]
    return RunPage(runs=tuple(found[:limit]), following=found[limit - 1].run_id if len(found) > limit else None)


def _filtered(text: str, shown: RunsShown) -> Select[RunRow]:
    query = select(RunRow)
    if text:
        query = query.where(RunRow.found_by.contains(text.casefold(), autoescape=True))
    if shown == "open":
        return query.where(RunRow.ended.is_(False))
    if shown == "finished":
        return query.where(RunRow.ended.is_(True))
    return query.where(RunRow.best != "original") if shown == "improved" else query


def _systems(session: Session, within: str) -> list[SystemLine]:
    lines = [
        SystemLine(
            model=found.model,
            variant=found.variant,
            runs=found.runs,
            answers=found.answers,
            usable=found.usable,
            passed=Share.of(found.passed, found.judged),
            won=Share.of(found.won, found.runs),
            speed=found.speed,
            tokens=found.tokens,
            cost_usd=found.cost_usd,
            cost_known=not found.unpriced,
        )
        for found in session.scalars(sums("system", within.rstrip("/")))
    ]
    return sorted(lines, key=lambda line: (-line.won.value, -line.passed.value, line.model, line.variant))


def _variants(session: Session) -> list[VariantLine]:
    return [
        VariantLine(variant=found.variant, won=Share.of(found.won, found.runs), cost_usd=found.cost_usd)
        for found in session.scalars(sums("variant").order_by(SumRow.variant))
    ]


def _costs(session: Session, before: str, days: int | None) -> list[CostLine]:
    query = sums("day", None).order_by(SumRow.place.desc(), SumRow.model)
    if before:
        query = query.where(SumRow.place < before)
    if days is not None:
        last = query.with_only_columns(SumRow.place).distinct().order_by(None).order_by(SumRow.place.desc())
        query = query.where(SumRow.place.in_(last.limit(days)))
    return [
        CostLine(
            day=found.place,
            model=found.model,
            answers=found.answers,
            wins=found.won,
            tokens=found.tokens,
            cost_usd=found.cost_usd,
            cost_known=not found.unpriced,
        )
        for found in session.scalars(query)
    ]


def _paid(session: Session) -> Paid:
    summed = (SumRow.won, SumRow.tokens, SumRow.cost_usd, SumRow.unpriced)
    query = sums("day", None).with_only_columns(*(func.coalesce(func.sum(column), 0) for column in summed))
    row = session.execute(query).one()
    return Paid(wins=int(row[0]), tokens=int(row[1]), cost_usd=float(row[2]), cost_known=not row[3])

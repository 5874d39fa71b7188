"""The tables: the events that runs are, an index to find runs by, and answers of models. Changes are `migrations/`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all tables."""


class RunRow(Base):
    """A run as lists of runs need it. Made from its events, and written in the same transaction."""

    __tablename__ = "runs"
    __table_args__ = (Index("runs_by_time", "created"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    target: Mapped[str] = mapped_column(Text)
    """`path.py::qualname`."""
    goal: Mapped[str]
    candidates: Mapped[int]
    cost_usd: Mapped[float]
    ended: Mapped[bool]
    stopped: Mapped[str | None]
    best: Mapped[str | None]
    headline: Mapped[str] = mapped_column(Text)


class EventRow(Base):
    """One event of a run; `document` is the whole of it as JSON. Two writers cannot write the same `seq`."""

    __tablename__ = "events"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 1, without gaps."""
    kind: Mapped[str]
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    document: Mapped[str] = mapped_column(Text)


class ResponseRow(Base):
    """An answer of a model, by the digest of the request."""

    __tablename__ = "responses"
    key: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    document: Mapped[str] = mapped_column(Text)


class CallRow(Base):
    """What was begun for an agent, by the id that it was given; `document` is the whole of it as JSON."""

    __tablename__ = "calls"
    __table_args__ = (Index("calls_by_time", "created"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    document: Mapped[str] = mapped_column(Text)

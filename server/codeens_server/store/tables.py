"""The tables. Columns hold what is searched and summed; `document` holds the whole fact as JSON."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all tables."""


class SchemaVersion(Base):
    """One row: which version of these tables the database holds."""

    __tablename__ = "schema_version"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]


class RunRow(Base):
    """A run: what was asked, and, when it ended, its document."""

    __tablename__ = "runs"
    __table_args__ = (Index("runs_by_time", "created"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    target: Mapped[str] = mapped_column(Text)
    goal: Mapped[str]
    mode: Mapped[str | None]
    """None until the evidence decided it."""
    cost_usd: Mapped[float] = mapped_column(default=0.0)
    best: Mapped[str | None]
    stopped: Mapped[str | None]
    """None: not ended."""
    headline: Mapped[str] = mapped_column(Text, default="")
    request_document: Mapped[str] = mapped_column(Text)
    target_document: Mapped[str] = mapped_column(Text)
    evidence_document: Mapped[str | None] = mapped_column(Text)
    run_document: Mapped[str | None] = mapped_column(Text)


class CandidateRow(Base):
    """An answer; `duplicate_of` names the candidate of the same code that is executed in its place."""

    __tablename__ = "candidates"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    model: Mapped[str]
    variant: Mapped[str]
    digest: Mapped[str]
    cost_usd: Mapped[float | None]
    duplicate_of: Mapped[str | None]
    document: Mapped[str] = mapped_column(Text)


class GivenRow(Base):
    """Only of a run whose candidates were given, none asked for: all of them, as a JSON array."""

    __tablename__ = "given_candidates"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    document: Mapped[str] = mapped_column(Text)


class VerdictRow(Base):
    """What the judge said of a candidate, or of the original."""

    __tablename__ = "verdicts"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    candidate_id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    passed: Mapped[int]
    total: Mapped[int]
    sandbox: Mapped[str] = mapped_column(Text)
    document: Mapped[str] = mapped_column(Text)


class OutcomesRow(Base):
    """What a candidate did on each case of the evidence, in its order, as a JSON array."""

    __tablename__ = "outcomes"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    candidate_id: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    document: Mapped[str] = mapped_column(Text)


class MeasurementRow(Base):
    """What was measured of a candidate."""

    __tablename__ = "measurements"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    candidate_id: Mapped[str] = mapped_column(primary_key=True)
    speed_ratio: Mapped[float | None]
    speed_low: Mapped[float | None]
    speed_high: Mapped[float | None]
    peak_bytes: Mapped[int | None]
    document: Mapped[str] = mapped_column(Text)


class ScoreRow(Base):
    """Where a candidate of an ended run stands."""

    __tablename__ = "scores"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    candidate_id: Mapped[str] = mapped_column(primary_key=True)
    rank: Mapped[int | None]
    total: Mapped[float | None]
    reason: Mapped[str] = mapped_column(Text)


class FailureRow(Base):
    """A model call or a sandbox that failed."""

    __tablename__ = "failures"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]
    document: Mapped[str] = mapped_column(Text)


class PinnedCaseRow(Base):
    """An input that a person chose to hold the candidates of a run to."""

    __tablename__ = "pinned_cases"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    case_id: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    document: Mapped[str] = mapped_column(Text)


class ResponseRow(Base):
    """An answer of a model, by the digest of the request."""

    __tablename__ = "responses"
    key: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    document: Mapped[str] = mapped_column(Text)

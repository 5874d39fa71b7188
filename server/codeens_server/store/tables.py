"""The tables: the events that runs are, indexes and sums to ask by, what models said, and what runs used.

Changes are `migrations/`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Text
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
    found_by: Mapped[str] = mapped_column(Text)
    """Its id, target and headline, a line each and without capitals: a search then reads one text of each run."""


class EventRow(Base):
    """One event of a run; `document` is the whole of it as JSON. Two writers cannot write the same `seq`."""

    __tablename__ = "events"
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """From 1, without gaps."""
    kind: Mapped[str]
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    document: Mapped[str] = mapped_column(Text)


class AnswerRow(Base):
    """One answer of a run's ensemble as statistics need it. Made from the run's events, in the same transaction."""

    __tablename__ = "answers"
    __table_args__ = (Index("answers_by_speed", "model", "variant", "speed"), Index("answers_by_time", "created"))
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    call: Mapped[str] = mapped_column(primary_key=True)
    """The id of its candidate, or the one that it would have had."""
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    model: Mapped[str]
    variant: Mapped[str]
    status: Mapped[str]
    """As rows of a result; `waiting` until the run has ended, `same` as the original, `unusable` as a candidate."""
    won: Mapped[bool]
    """Its code is what the run advises to take."""
    speed: Mapped[float | None]
    """Least times as fast as the original, by the interval; None: not measured."""
    cost_usd: Mapped[float | None]
    """None: its price is not known."""
    tokens: Mapped[int]


class ModelCallRow(Base):
    """One question that a model was asked in a run. Made from the event that told of it, in the same transaction."""

    __tablename__ = "model_calls"
    __table_args__ = (Index("model_calls_by_time", "created"),)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Of the event."""
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    model: Mapped[str]
    variant: Mapped[str]
    """Empty: it was asked for inputs."""
    tokens: Mapped[int]
    cost_usd: Mapped[float | None]
    """None: its price is not known."""
    latency_s: Mapped[float]
    failure: Mapped[str] = mapped_column(Text)
    """Why it brought nothing; empty where it did."""


class SandboxRow(Base):
    """A sandbox of a run, as it was when the run's last event was kept."""

    __tablename__ = "sandboxes"
    __table_args__ = (Index("sandboxes_by_time", "opened"),)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    opened: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    python: Mapped[str] = mapped_column(Text, primary_key=True)
    label: Mapped[str] = mapped_column(Text)
    """The backend and what it isolates."""
    closed: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    jobs: Mapped[int]
    busy_s: Mapped[float]


class LentSandboxRow(Base):
    """A sandbox that a session kept for calls that are no run, as it was at the end of the last one that used it."""

    __tablename__ = "lent_sandboxes"
    opened: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    python: Mapped[str] = mapped_column(Text, primary_key=True)
    label: Mapped[str] = mapped_column(Text)
    """The backend and what it isolates."""
    closed: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    jobs: Mapped[int]
    busy_s: Mapped[float]


class SumRow(Base):
    """What the answers of all runs come to for one key; see `sums.py`. Changed by what changes answers, with them."""

    __tablename__ = "sums"
    kind: Mapped[str] = mapped_column(primary_key=True)
    """`system`: a model with a variant; `variant`: one, whoever was asked with it; `day`: a model on a day."""
    place: Mapped[str] = mapped_column(Text, primary_key=True)
    """Of `system` the folder that the files are in, at any depth, empty for all; of `day` the day, UTC; else empty."""
    model: Mapped[str] = mapped_column(primary_key=True)
    variant: Mapped[str] = mapped_column(primary_key=True)
    runs: Mapped[int]
    """Runs that have such an answer."""
    won: Mapped[int]
    """Of these: runs that such an answer won."""
    answers: Mapped[int]
    usable: Mapped[int]
    judged: Mapped[int]
    passed: Mapped[int]
    speed: Mapped[float | None]
    """The most of those that passed; only of `system`."""
    tokens: Mapped[int] = mapped_column(BigInteger)
    cost_usd: Mapped[float]
    unpriced: Mapped[int]
    """Answers whose price is not known."""


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

"""Make the index of answers, and fill it from the events of runs."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from codeens_server.text import visible

revision = "3"
down_revision = "2"
_EVENTS = sa.table(
    "events",
    sa.column("run_id", sa.String()),
    sa.column("seq", sa.Integer()),
    sa.column("kind", sa.String()),
    sa.column("created", sa.DateTime(timezone=True)),
    sa.column("document", sa.Text()),
)
_READ = ("candidate_generated", "generation_failed", "run_finished")


def upgrade() -> None:
    """Make the table."""
    answers = op.create_table(
        "answers",
        sa.Column("run_id", sa.String(), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("call", sa.String(), primary_key=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("variant", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("won", sa.Boolean(), nullable=False),
        sa.Column("speed", sa.Double[float](), nullable=True),
        sa.Column("cost_usd", sa.Double[float](), nullable=True),
        sa.Column("tokens", sa.Integer(), nullable=False),
    )
    op.create_index("answers_by_system", "answers", ["model", "variant"])
    op.create_index("answers_by_time", "answers", ["created"])
    connection = op.get_bind()
    for run_id in connection.scalars(sa.text("SELECT id FROM runs ORDER BY id")).all():
        if found := _answers(connection, run_id):
            op.bulk_insert(answers, found)


def _answers(connection: sa.Connection, run_id: str) -> list[dict[str, Any]]:
    """Return the answers of one run; the forms of events are those of this version, whatever later ones have."""
    query = (
        sa.select(_EVENTS.c.kind, _EVENTS.c.created, _EVENTS.c.document)
        .where(_EVENTS.c.run_id == run_id, _EVENTS.c.kind.in_(_READ))
        .order_by(_EVENTS.c.seq)
    )
    answers: dict[str, dict[str, Any]] = {}
    twins: dict[str, str | None] = {}
    run: dict[str, Any] = {}
    for kind, created, document in connection.execute(query):
        event = json.loads(document)
        if kind == "run_finished":
            run = event["run"]
            continue
        answer = event.get("candidate") or {**event, "id": event["call"], "tokens_in": event.get("tokens", 0)}
        twins[answer["id"]] = event.get("duplicate_of")
        answers[answer["id"]] = {
            "run_id": run_id,
            "call": visible(answer["id"]),
            "created": created,
            "model": visible(answer["model"]),
            "variant": visible(answer["variant"]),
            "status": "waiting" if kind == "candidate_generated" else "unusable",
            "won": False,
            "speed": None,
            "cost_usd": answer.get("cost_usd", None if kind == "candidate_generated" else 0.0),
            "tokens": answer.get("tokens_in", 0) + answer.get("tokens_out", 0),
        }
    results = {row["candidate"]["id"]: row for row in run.get("results", ())}
    for call, answer in answers.items():
        _settle(answer, results, twins[call] or call, run.get("best"))
    return list(answers.values())


def _settle(answer: dict[str, Any], results: dict[str, Any], twin: str, best: str | None) -> None:
    """Say what became of an answer by the row of the candidate that has its code."""
    row = results.get(twin)
    if row is not None:
        answer["status"] = row["verdict"]["status"] if row.get("judged", True) else "not_run"
        answer["won"] = twin == best
        speed: dict[str, float] | None = row.get("measurement", {}).get("speed")
        answer["speed"] = speed["low"] if speed else None
    elif twin == "original" and best is not None:
        answer["status"] = "same"

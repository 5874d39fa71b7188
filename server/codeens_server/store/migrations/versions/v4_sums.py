"""Make the sums over answers, fill them from all answers, and let these be found by speed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any, TypeAlias

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"
_Key: TypeAlias = tuple[str, str, str, str]
_KEYS = ("kind", "place", "model", "variant")
_COUNTS = ("runs", "won", "answers", "usable", "judged", "passed")
_ANSWERS = sa.table(
    "answers",
    *(sa.column(name, sa.String()) for name in ("run_id", "model", "variant", "status")),
    sa.column("created", sa.DateTime(timezone=True)),
    sa.column("won", sa.Boolean()),
    *(sa.column(name, sa.Double[float]()) for name in ("speed", "cost_usd")),
    sa.column("tokens", sa.Integer()),
)
_RUNS = sa.table("runs", sa.column("id", sa.String()), sa.column("target", sa.Text()))


def upgrade() -> None:
    """Make the table and the index."""
    sums = op.create_table(
        "sums",
        sa.Column("kind", sa.String(), primary_key=True),
        sa.Column("place", sa.Text(), primary_key=True),
        sa.Column("model", sa.String(), primary_key=True),
        sa.Column("variant", sa.String(), primary_key=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.Column("speed", sa.Double[float](), nullable=True),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_usd", sa.Double[float](), nullable=False),
        sa.Column("unpriced", sa.Integer(), nullable=False),
    )
    if found := _found(op.get_bind()):
        op.bulk_insert(sums, [{**dict(zip(_KEYS, key, strict=True)), **row} for key, row in sorted(found.items())])
    op.drop_index("answers_by_system", "answers")
    op.create_index("answers_by_speed", "answers", ["model", "variant", "speed"])


def _found(connection: sa.Connection) -> dict[_Key, dict[str, Any]]:
    """Return the sums by their keys; what the forms of keys and sums are is said here, whatever later versions have."""
    query = sa.select(_RUNS.c.target, *_ANSWERS.c).join_from(_ANSWERS, _RUNS, _ANSWERS.c.run_id == _RUNS.c.id)
    found: dict[_Key, dict[str, Any]] = {}
    last: str | None = None
    seen: dict[_Key, bool] = {}
    for answer in connection.execute(query.order_by(_ANSWERS.c.run_id), execution_options={"yield_per": 10_000}):
        if answer.run_id != last:
            last, seen = answer.run_id, {}
        for key in _keys(answer):
            row = found.get(key) or found.setdefault(
                key, dict.fromkeys(_COUNTS, 0) | {"speed": None, "tokens": 0, "cost_usd": 0.0, "unpriced": 0}
            )
            row["runs"] += key not in seen
            row["won"] += answer.won and not seen.get(key, False)
            seen[key] = seen.get(key, False) or answer.won
            _add(row, answer, with_speed=key[0] == "system")
    return found


def _keys(answer: sa.Row[Any]) -> Iterator[_Key]:
    created = answer.created if answer.created.tzinfo else answer.created.replace(tzinfo=UTC)
    yield ("day", created.astimezone(UTC).date().isoformat(), answer.model, "")
    yield ("variant", "", "", answer.variant)
    folder = answer.target.rpartition("::")[0]
    while folder:
        folder = folder.rpartition("/")[0]
        yield ("system", folder, answer.model, answer.variant)


def _add(row: dict[str, Any], answer: sa.Row[Any], *, with_speed: bool) -> None:
    has_passed = answer.status in {"passed", "conditional"}
    row["answers"] += 1
    row["usable"] += answer.status != "unusable"
    row["judged"] += answer.status not in {"waiting", "unusable", "not_run", "same"}
    row["passed"] += has_passed
    row["tokens"] += answer.tokens
    row["cost_usd"] += answer.cost_usd or 0.0
    row["unpriced"] += answer.cost_usd is None
    if with_speed and has_passed and answer.speed is not None:
        row["speed"] = max(row["speed"] or 0.0, answer.speed)

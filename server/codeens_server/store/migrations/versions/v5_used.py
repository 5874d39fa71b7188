"""Make the tables of calls of models and of sandboxes; of earlier runs neither is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "model_calls",
        sa.Column("run_id", sa.String(), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("variant", sa.String(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("cost_usd", sa.Double[float](), nullable=True),
        sa.Column("latency_s", sa.Double[float](), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
    )
    op.create_index("model_calls_by_time", "model_calls", ["created"])
    op.create_table(
        "sandboxes",
        sa.Column("run_id", sa.String(), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("opened", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("python", sa.Text(), primary_key=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("busy_s", sa.Double[float](), nullable=False),
    )
    op.create_index("sandboxes_by_time", "sandboxes", ["opened"])

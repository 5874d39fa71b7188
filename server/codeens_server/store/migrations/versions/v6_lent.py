"""Make the table of sandboxes that sessions keep for what is no run; of earlier ones nothing is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "lent_sandboxes",
        sa.Column("opened", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("python", sa.Text(), primary_key=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("closed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("busy_s", sa.Double[float](), nullable=False),
    )

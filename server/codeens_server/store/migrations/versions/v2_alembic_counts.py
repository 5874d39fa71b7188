"""Let Alembic alone count versions."""

from __future__ import annotations

from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Remove the table in which the schema was counted before."""
    op.drop_table("schema_version")

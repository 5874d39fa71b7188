"""Keep what a search of runs looks at in one text of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"
_RUNS = sa.table("runs", *(sa.column(name, sa.Text()) for name in ("id", "target", "headline", "found_by")))


def upgrade() -> None:
    """Add the column, and fill it from all runs."""
    op.add_column("runs", sa.Column("found_by", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    runs = connection.execute(sa.select(_RUNS.c.id, _RUNS.c.target, _RUNS.c.headline)).all()
    if runs:
        of_run = sa.update(_RUNS).where(_RUNS.c.id == sa.bindparam("run")).values(found_by=sa.bindparam("text"))
        connection.execute(of_run, [{"run": run.id, "text": "\n".join(run).casefold()} for run in runs])

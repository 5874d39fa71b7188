"""What Alembic runs; `store.schema` gives it the connection, in a transaction that nobody else can be in."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()

"""Brings the tables of a database to the form of this version, or refuses what it does not know."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, inspect, select, text

from codeens_server.errors import Hint, RunError
from codeens_server.store.tables import Base

REVISION = "7"
"""The last of `migrations/versions/`."""
_FIRST = "1"
_BEFORE_ALEMBIC = "schema_version"
_COUNTED_BY_ITSELF = 2
"""What a database that counts its schema itself says where it has the tables of the first migration."""
_LOCK = 0x636F6465656E73
"""Number of the advisory lock of PostgreSQL that is held while tables are made or changed: `codeens` in ASCII."""
_versions = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
"""Alembic's own table. It is read and begun without Alembic, which takes half a second to import."""


def bring_up_to_date(engine: Engine) -> None:
    """Make the tables where there are none, and change those of an earlier version, alone and as a whole.

    Raises:
        RunError: the database is of a later version, or of one before there were events; it is left as it is.
    """
    with engine.connect() as connection:
        if _is_current(connection):
            return
        connection.rollback()
        with _alone(connection):
            _change(connection)


def _is_current(connection: Connection) -> bool:
    """Tell whether nothing is to change, by what no process takes away: another one may be changing the rest now."""
    if not inspect(connection).has_table(_versions.name):
        return False
    return connection.scalar(select(_versions.c.version_num)) == REVISION


def _change(connection: Connection) -> None:
    found = _revision(connection)
    if found is None:
        Base.metadata.create_all(connection)
        _versions.create(connection)
        connection.execute(_versions.insert().values(version_num=REVISION))
    elif found != REVISION:
        _migrate(connection, found)


def _revision(connection: Connection) -> str | None:
    """Return the version of the tables, which no other process may change meanwhile; None where there are none.

    Raises:
        RunError: see `bring_up_to_date`.
    """
    tables = inspect(connection)
    if tables.has_table(_versions.name):
        found = connection.scalar(select(_versions.c.version_num))
        return found if found in _known() else _refused(found)
    if not tables.has_table(_BEFORE_ALEMBIC):
        return None
    counted = connection.scalar(text("SELECT version FROM schema_version"))
    return _FIRST if counted == _COUNTED_BY_ITSELF else _refused(f"0.{counted}")


def _known() -> tuple[str, ...]:
    return tuple(str(number) for number in range(int(_FIRST), int(REVISION) + 1))


def _refused(found: str | None) -> str:
    message = (
        f"the database of runs has schema {found}, and this codeens uses {REVISION}: it was made by another version, "
        "and is left as it is. Choose another results folder, or use the codeens that made it."
    )
    raise RunError(message, code="other_schema", hint=Hint("option", "results"))


def _migrate(connection: Connection, found: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    if found == _FIRST:
        command.stamp(config, _FIRST)
    command.upgrade(config, REVISION)


@contextmanager
def _alone(connection: Connection) -> Generator[None]:
    """Hold a transaction that no other process is in; what was done is undone where it raises."""
    if connection.dialect.name != "sqlite":
        with connection.begin():
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield
        return
    # The driver begins transactions of its own, and none around what changes tables.
    connection.execution_options(isolation_level="AUTOCOMMIT")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")

"""Databases of earlier versions are gone on with, and ones that are not known are left as they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from codeens_server.config.settings import Settings
from codeens_server.errors import Hint, RunError
from codeens_server.store.opening import open_store
from codeens_server.store.runs import RunStore
from codeens_server.store.tables import Base
from tests.server import facts

pytestmark = pytest.mark.anyio
_SCHEMA_2 = """
CREATE TABLE schema_version (id INTEGER NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (id));
CREATE TABLE runs (
    id VARCHAR NOT NULL, created DATETIME NOT NULL, target TEXT NOT NULL, goal VARCHAR NOT NULL,
    candidates INTEGER NOT NULL, cost_usd DOUBLE NOT NULL, ended BOOLEAN NOT NULL, stopped VARCHAR,
    best VARCHAR, headline TEXT NOT NULL, PRIMARY KEY (id)
);
CREATE INDEX runs_by_time ON runs (created);
CREATE TABLE responses (key VARCHAR NOT NULL, created DATETIME NOT NULL, document TEXT NOT NULL, PRIMARY KEY (key));
CREATE TABLE calls (id VARCHAR NOT NULL, created DATETIME NOT NULL, document TEXT NOT NULL, PRIMARY KEY (id));
CREATE INDEX calls_by_time ON calls (created);
CREATE TABLE events (
    run_id VARCHAR NOT NULL, seq INTEGER NOT NULL, kind VARCHAR NOT NULL, created DATETIME NOT NULL,
    document TEXT NOT NULL, PRIMARY KEY (run_id, seq), FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);
INSERT INTO schema_version VALUES (1, 2)
"""
"""As the version before Alembic made them."""
_IN_POSTGRESQL = {"DATETIME": "TIMESTAMP WITH TIME ZONE", "DOUBLE": "DOUBLE PRECISION"}
_TABLES = ("runs", "events")


@contextmanager
def connected(settings: Settings) -> Generator[sqlalchemy.Connection]:
    """A connection of our own to the database of the settings; what was done is committed."""
    url = (settings.database_url or f"sqlite:///{settings.results}/codeens.db").replace("sql:", "sql+psycopg:")
    engine = sqlalchemy.create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


async def _sums(store: RunStore, folder: Path) -> list[object]:
    asked = store.statistics
    return [await asked.systems(), await asked.systems(str(folder)), await asked.variants(), await asked.costs()]


async def _make_schema_2(settings: Settings, folder: Path) -> list[object]:
    """Bring a database with one run back to what the version before Alembic would have made; give what it came to."""
    with open_store(settings) as store:
        target = facts.target_in(folder)
        state = await facts.keep(store, facts.found(target, "20260101-aaaaaa"))
        await facts.add(store, state, facts.finished(state.run_id, target))
        sums = await _sums(store, folder)
    with connected(settings) as connection:
        rows = {name: connection.execute(sqlalchemy.text(f"SELECT * FROM {name}")).mappings().all() for name in _TABLES}
        for name in (
            "events",
            "answers",
            "sums",
            "model_calls",
            "sandboxes",
            "lent_sandboxes",
            "runs",
            "responses",
            "calls",
            "alembic_version",
        ):
            connection.exec_driver_sql(f"DROP TABLE {name}")
        schema = _SCHEMA_2
        for name, other in _IN_POSTGRESQL.items() if connection.dialect.name == "postgresql" else ():
            schema = schema.replace(name, other)
        for statement in schema.split(";"):
            connection.exec_driver_sql(statement)
        for name, found in rows.items():
            columns = [str(column) for column in found[0] if column != "found_by"]
            values = ", ".join(f":{column}" for column in columns)
            insert = sqlalchemy.text(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({values})")
            connection.execute(insert, [{column: row[column] for column in columns} for row in found])
    return sums


async def test_a_database_of_the_version_before_is_changed_and_keeps_its_runs(
    settings: Settings, tmp_path: Path
) -> None:
    sums = await _make_schema_2(settings, tmp_path)
    with open_store(settings) as store:
        loaded = await store.load("20260101-aaaaaa")
        found = await _sums(store, tmp_path)
        searched = [len((await store.statistics.runs(text=text)).runs) for text in ("SUMS.py", "2.31 Times", "other")]
    assert searched == [1, 1, 0]
    assert list(loaded.answers) == ["c1", "c2", "c3"]
    assert found == sums
    with connected(settings) as connection:
        assert not sqlalchemy.inspect(connection).has_table("schema_version")
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_two_processes_may_change_a_database_at_once(settings: Settings, tmp_path: Path) -> None:
    anyio.run(_make_schema_2, settings, tmp_path)
    program = (
        "import sys, anyio\nfrom codeens_server.config.settings import Settings\n"
        "from codeens_server.store.opening import open_store\n"
        "with open_store(Settings(results=sys.argv[1], database_url=sys.argv[2] or None)) as store:\n"
        "    print(len(anyio.run(store.list_runs, 5)))\n"
    )
    command = [sys.executable, "-c", program, settings.results or "", settings.database_url or ""]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[0] for process in processes] == ["1\n", "1\n"]
    assert [process.returncode for process in processes] == [0, 0]


async def test_a_new_database_has_the_tables_that_migrations_lead_to(settings: Settings) -> None:
    with open_store(settings) as store:
        await store.list_runs(1)
    with connected(settings) as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        found = connection.scalar(sqlalchemy.text("SELECT version_num FROM alembic_version"))
    folder = Path(sys.modules["codeens_server.store.opening"].__file__ or "").parent / "migrations" / "versions"
    assert found == str(len(list(folder.glob("v*.py"))))


async def test_a_database_of_a_later_version_is_refused_and_left_as_it_is(settings: Settings) -> None:
    with open_store(settings) as store:
        await store.list_runs(1)
    with connected(settings) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '99'")
    with pytest.raises(RunError, match="schema 99, and this codeens uses") as caught, open_store(settings) as store:
        await store.list_runs(1)
    assert (caught.value.code, caught.value.hint) == ("other_schema", Hint("option", "results"))


async def test_a_server_that_does_not_answer_is_told_without_the_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    settings = Settings(results=str(tmp_path), database_url="postgresql://me:hunter2@127.0.0.1:1/x")
    told = r"127\.0\.0\.1:1/x cannot be opened: .*refused"
    with pytest.raises(RunError, match=told) as caught, open_store(settings) as store:
        await store.list_runs(1)
    assert "hunter2" not in str(caught.value)

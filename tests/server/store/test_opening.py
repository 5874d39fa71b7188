from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import Struct

from codeens_server.config.settings import Settings
from codeens_server.errors import ConfigError, Hint, RunError
from codeens_server.store.documents import to_json
from codeens_server.store.opening import open_store, results_folder

pytestmark = pytest.mark.anyio


class Answer(Struct, frozen=True):
    text: str


class OtherAnswer(Struct, frozen=True):
    words: list[str]


async def test_an_answer_is_found_by_its_key_until_another_replaces_it(tmp_path: Path) -> None:
    settings = Settings(results=str(tmp_path))
    with open_store(settings) as store:
        cache = store.cache(Answer)
        assert await cache.get("k") is None
        await cache.put("k", Answer("one"))
        await cache.put("k", Answer("two"))
    with open_store(settings) as store:
        assert await store.cache(Answer).get("k") == Answer("two")
        assert await store.cache(OtherAnswer).get("k") is None


def test_without_a_setting_results_go_to_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert results_folder(Settings()) == tmp_path / "codeens" / "results"


async def test_a_folder_that_cannot_be_written_is_told_with_the_option_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    settings = Settings(results=str(tmp_path / "file" / "x"))
    with pytest.raises(RunError, match="cannot be written") as caught, open_store(settings) as store:
        await store.list_runs(1)
    assert caught.value.hint == Hint("option", "results")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("not a url", "not an SQLAlchemy URL"),
        ("nodb://user:hunter2@host/x", "SQLite or PostgreSQL, not in nodb"),
        ("mysql://user:hunter2@host/x", "SQLite or PostgreSQL, not in mysql"),
    ],
)
async def test_a_wrong_database_url_is_told_without_its_password(url: str, message: str, tmp_path: Path) -> None:
    settings = Settings(results=str(tmp_path), database_url=url)
    with pytest.raises(ConfigError, match=message) as caught, open_store(settings) as store:
        await store.list_runs(1)
    assert "hunter2" not in str(caught.value)


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "codeens.db").write_text(
        "this is a text, and it is long enough to be looked at\n" * 40, encoding="utf-8"
    )
    with pytest.raises(RunError, match="cannot be opened"), open_store(Settings(results=str(tmp_path))) as store:
        await store.list_runs(1)


async def test_a_database_of_a_version_before_events_is_left_as_it_is(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "codeens.db")
    with connection:
        connection.execute("CREATE TABLE schema_version (id INTEGER PRIMARY KEY, version INTEGER)")
        connection.execute("INSERT INTO schema_version VALUES (1, 1)")
        connection.execute("CREATE TABLE runs (id VARCHAR PRIMARY KEY, headline TEXT)")
    settings = Settings(results=str(tmp_path))
    with pytest.raises(RunError, match=r"schema 0\.1, and this codeens uses 7"), open_store(settings) as store:
        await store.list_runs(1)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    assert tables == [("runs",), ("schema_version",)]
    connection.close()


async def test_sqlite_is_set_up_for_readers_beside_a_writer(tmp_path: Path) -> None:
    with open_store(Settings(results=str(tmp_path))) as store:
        await store.list_runs(1)
        connection = sqlite3.connect(tmp_path / "codeens.db")
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()


def test_two_processes_may_make_the_database_at_once(tmp_path: Path) -> None:
    program = (
        "import sys, anyio\nfrom codeens_server.config.settings import Settings\n"
        "from codeens_server.store.opening import open_store\n"
        "with open_store(Settings(results=sys.argv[1])) as store: anyio.run(store.list_runs, 1)\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "new")]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]


def test_a_store_that_is_not_used_writes_nothing(tmp_path: Path) -> None:
    with open_store(Settings(results=str(tmp_path / "new"))):
        assert not (tmp_path / "new").exists()


def test_json_of_a_fact_can_be_indented_for_people() -> None:
    assert to_json(Answer("é"), indent=2) == '{\n  "text": "é"\n}'

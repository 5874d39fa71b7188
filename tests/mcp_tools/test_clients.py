"""The table of clients in the page for agents is what tests try."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mcp_tools import clients


def test_the_page_has_the_clients_that_tests_try_and_a_version_of_each() -> None:
    page = clients.on_page()
    assert clients.shape(page) == clients.shape(clients.table({}))
    assert "not tried" not in page
    for key, client in clients.CLIENTS.items():
        source = (Path(clients.__file__).parent / client.by).read_text(encoding="utf-8")
        assert "tried(" in source, key
        assert key in source, key


def test_the_table_is_written_from_the_versions_that_tests_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page, folder = tmp_path / "agents.md", tmp_path / "tried"
    page.write_text(clients.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(clients, "PAGE", page)
    monkeypatch.setenv(clients.VARIABLE, str(folder))
    clients.tried("fastmcp", "9.8.7")

    assert clients.main([str(folder), "--write"]) == 0
    assert "| fastmcp | 9.8.7 |" in page.read_text(encoding="utf-8")
    assert "skipped: mcp, " in capsys.readouterr().out
    page.write_text(page.read_text(encoding="utf-8").replace("| fastmcp |", "| slowmcp |"), encoding="utf-8")
    assert clients.main([str(folder)]) == 1

"""Editors, agents and browsers are served by one process, each through its own door."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import IO

import httpx
import pytest

from tests.mcp_tools.outside import SERVER, started
from tests.mcp_tools.test_http import HEADERS
from tests.mcp_tools.test_stdio import INITIALIZE
from tests.server.dashboard.test_restart import UNIQUE

_SECONDS = 100.0


def _addresses(stderr: IO[bytes]) -> tuple[str, str]:
    """Return where the server says that it serves agents, and browsers."""
    said: dict[str, str] = {}
    for line in stderr:
        for what in ("serves MCP on ", "shows runs on "):
            if what in line.decode():
                said[what] = line.decode().partition(what)[2].strip()
        if len(said) == 2:
            return said["serves MCP on "], said["shows runs on "]
    raise AssertionError(said)


def _asked(process: subprocess.Popen[bytes], message: object) -> dict[str, object]:
    """Return what the language server answers to its first request."""
    assert process.stdin is not None
    assert process.stdout is not None
    body = json.dumps(message).encode()
    process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    process.stdin.flush()
    length = int(process.stdout.readline().partition(b":")[2])
    process.stdout.readline()
    return json.loads(process.stdout.read(length))


def test_one_process_serves_an_editor_an_agent_and_a_browser_until_the_editor_is_gone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "lists.py").write_text(UNIQUE, encoding="utf-8")
    (tmp_path / "pyproject.toml").touch()
    doors = ("--stdio", "--mcp", "http", "--mcp-address", "127.0.0.1:0", "--no-token", "--dashboard", "127.0.0.1:0")
    with started(tmp_path, home, *doors) as process, httpx.Client(timeout=_SECONDS, trust_env=False) as browser:
        assert process.stderr is not None
        agents, pages = _addresses(process.stderr)
        initialize: dict[str, object] = {"processId": None, "rootUri": tmp_path.as_uri(), "capabilities": {}}
        editor = _asked(process, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize})
        agent = httpx.post(agents, json=INITIALIZE, headers=HEADERS, timeout=_SECONDS, trust_env=False)
        locked = browser.get(pages.partition("?")[0])
        page = browser.get(pages, follow_redirects=True)
        settings = browser.get(f"{pages.partition('?')[0]}settings")
        hostile = [
            httpx.post(address, json=INITIALIZE, headers={**HEADERS, "Origin": origin}, trust_env=False).status_code
            for address in (agents, pages.partition("?")[0])
            for origin in ("http://elsewhere.example", "http://[", "null")
        ]
        assert process.stdin is not None
        process.stdin.close()
        code = process.wait(_SECONDS)

    assert "result" in editor
    assert (agent.status_code, locked.status_code, page.status_code) == (200, 401, 200)
    assert "There are no runs yet." in page.text
    assert str(tmp_path) in settings.text
    assert hostile == [403] * 6
    assert code == 0


@pytest.mark.parametrize("address", ["0.0.0.0:8765", "192.0.2.1:1"])
def test_the_dashboard_is_not_shown_to_other_machines(address: str) -> None:
    refused = subprocess.run([SERVER, "--dashboard", address], capture_output=True, text=True, check=False)

    assert refused.returncode == 2
    assert "can be reached from other machines" in refused.stderr

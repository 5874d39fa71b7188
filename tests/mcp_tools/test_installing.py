"""What people copy to install the server starts it: snippets of the documentation, and the bundle."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
from mcp import Client, StdioServerParameters

from tests.mcp_tools.npm_tools import run_tool, tools_folder
from tests.mcp_tools.outside import SERVER, environment, read_url
from tests.mcp_tools.test_http import HEADERS
from tests.mcp_tools.test_stdio import INITIALIZE

REPOSITORY = Path(__file__).parents[2]
DOCUMENTATION = (REPOSITORY / "docs" / "agents.md").read_text(encoding="utf-8")
SNIPPETS = dict(re.findall(r"```\w+ client=([\w-]+)\n(.*?)```", DOCUMENTATION, re.DOTALL))
BUNDLE = REPOSITORY / "mcp_tools" / "bundle"


def server_of(snippet: str) -> dict[str, Any]:
    """The one server that a client's configuration names."""
    document = json.loads(snippet)
    ((_, servers),) = document.items()
    return servers["codeens"]


def filled(text: str, workspace: Path) -> str:
    """As the reader, or the client, fills it in."""
    return text.replace("/path/to/project", str(workspace)).replace("${workspaceFolder}", str(workspace))


async def tools_of(arguments: list[str], workspace: Path, home: Path, environ: Mapping[str, str]) -> set[str]:
    """The tools of a server started so."""
    given = environment(home) | dict(environ)
    parameters = StdioServerParameters(command=SERVER, args=arguments, env=given, cwd=workspace)
    async with Client(parameters) as client:
        return {tool.name for tool in (await client.list_tools()).tools}


def test_the_documentation_has_a_snippet_for_each_client() -> None:
    assert set(SNIPPETS) == {"claude-desktop", "claude-code", "vscode", "cursor", "http", "generic"}


@pytest.mark.anyio
@pytest.mark.parametrize("client", ["claude-desktop", "claude-code", "vscode", "cursor"])
async def test_a_clients_snippet_starts_the_server(client: str, workspace: Path, home: Path) -> None:
    server = server_of(SNIPPETS[client])
    assert server["command"] == Path(SERVER).name
    arguments = [filled(argument, workspace) for argument in server["args"]]

    assert "score" in await tools_of(arguments, workspace, home, server.get("env", {}))


def test_the_snippet_for_http_starts_what_the_generic_one_reaches(workspace: Path, home: Path) -> None:
    server = server_of(SNIPPETS["generic"])
    command = shlex.split(filled(SNIPPETS["http"].replace(":4390", ":0"), workspace))
    assert ":4390/mcp" in server["url"]
    with subprocess.Popen([SERVER, *command[1:]], env=environment(home), stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            path = Path(process.stderr.readline().decode().partition("token in ")[2].strip())
            token = path.read_text(encoding="utf-8").strip()
            headers = {name: value.replace("TOKEN", token) for name, value in server["headers"].items()}
            url = read_url(process.stderr)
            answer = httpx.post(url, json=INITIALIZE, headers={**HEADERS, **headers}, timeout=30, trust_env=False)
        finally:
            process.kill()

    assert answer.status_code == 200


def test_the_bundle_keeps_keys_secret_and_asks_for_folders() -> None:
    asked = json.loads((BUNDLE / "manifest.json").read_text(encoding="utf-8"))["user_config"]

    assert all(option.get("sensitive") for name, option in asked.items() if name.endswith("_key"))
    assert (asked["roots"]["type"], asked["roots"]["required"]) == ("directory", True)


@pytest.mark.anyio
async def test_the_bundle_starts_the_server_with_its_folders(workspace: Path, home: Path) -> None:
    manifest = json.loads((BUNDLE / "manifest.json").read_text(encoding="utf-8"))
    config = manifest["server"]["mcp_config"]
    arguments: list[str] = config["args"][config["args"].index(manifest["server"]["entry_point"]) + 1 :]
    defaults = {name: str(option.get("default")) for name, option in manifest["user_config"].items()}
    environ = {
        name: re.sub(r"\$\{user_config\.(\w+)\}", lambda m: defaults[m[1]], v) for name, v in config["env"].items()
    }
    second = workspace / "second"
    second.mkdir()
    roots = [str(workspace), str(second)]
    given = [part for item in arguments for part in (roots if item == "${user_config.roots}" else [item])]

    assert "score" in await tools_of(given, workspace, home, environ)


def test_the_bundle_is_built_and_valid(tmp_path: Path, home: Path) -> None:
    tools_folder()
    folder, packed = tmp_path / "bundle", tmp_path / "codeens.mcpb"
    command = [sys.executable, str(BUNDLE / "build.py"), str(folder)]
    subprocess.run(command, check=True, env=dict(os.environ), timeout=100)
    run_tool("mcpb", "validate", str(folder / "manifest.json"), home=home)
    run_tool("mcpb", "pack", str(folder), str(packed), home=home)

    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    with ZipFile(packed) as archive:
        names = set(archive.namelist())
    assert {
        "manifest.json",
        "server.py",
        "pyproject.toml",
        project["tool"]["uv"]["sources"]["codeens"]["path"],
    } <= names
    with ZipFile(folder / project["tool"]["uv"]["sources"]["codeens"]["path"]) as wheel:
        assert "codeens_mcp_tools/page/run.html" in wheel.namelist()

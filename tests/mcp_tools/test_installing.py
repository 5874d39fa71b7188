"""What people copy to install the server starts it: snippets of the documentation, and the bundle."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
from mcp import Client, StdioServerParameters
from release.bundle import build_bundle
from release.carried import build_wheel

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
            answer = httpx.post(url, json=INITIALIZE, headers={**HEADERS, **headers}, timeout=100, trust_env=False)
        finally:
            process.kill()

    assert answer.status_code == 200


def test_the_bundle_keeps_keys_secret_and_asks_for_folders() -> None:
    call = json.loads((BUNDLE / "manifest.json").read_text(encoding="utf-8"))["user_config"]

    assert all(option.get("sensitive") for name, option in call.items() if name.endswith("_key"))
    assert (call["roots"]["type"], call["roots"]["required"]) == ("directory", True)


@pytest.mark.scene
def test_the_bundle_is_valid_for_the_program_that_packs_bundles(tmp_path: Path, home: Path) -> None:
    tools_folder()
    packed, folder = tmp_path / "codeens.mcpb", tmp_path / "bundle"
    build_bundle(build_wheel(tmp_path), version("codeens"), packed)
    run_tool("mcpb", "unpack", str(packed), str(folder), home=home)
    run_tool("mcpb", "validate", str(folder / "manifest.json"), home=home)
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))

    with ZipFile(folder / project["tool"]["uv"]["sources"]["codeens"]["path"]) as wheel:
        assert "codeens_mcp_tools/page/run.html" in wheel.namelist()

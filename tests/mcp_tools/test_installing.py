"""What people copy to install the server starts it: snippets of the documentation, and the bundle."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters

from tests.mcp_tools.conftest import SUMS
from tests.mcp_tools.npm_tools import run_tool, tools_folder
from tests.mcp_tools.outside import SERVER, environment, read_url
from tests.mcp_tools.test_http import HEADERS
from tests.mcp_tools.test_stdio import INITIALIZE

REPOSITORY = Path(__file__).parents[2]
DOCUMENTATION = (REPOSITORY / "docs" / "agents.md").read_text(encoding="utf-8")
SNIPPETS = dict(re.findall(r"```\w+ client=([\w-]+)\n(.*?)```", DOCUMENTATION, re.DOTALL))
BUNDLE = REPOSITORY / "mcp_tools" / "bundle"
REAL = os.environ | {"PATH": f"{os.environ['PATH']}{os.pathsep}{Path(sys.executable).parent}"}
"""Before a test has a home of its own; with the programs of the virtual environment."""


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
    call = json.loads((BUNDLE / "manifest.json").read_text(encoding="utf-8"))["user_config"]

    assert all(option.get("sensitive") for name, option in call.items() if name.endswith("_key"))
    assert (call["roots"]["type"], call["roots"]["required"]) == ("directory", True)


def bundle_command(folder: Path, roots: list[Path]) -> StdioServerParameters:
    """What the bundle's host runs, when the user gave folders and left all else as it is."""
    manifest = json.loads((BUNDLE / "manifest.json").read_text(encoding="utf-8"))
    config = manifest["server"]["mcp_config"]
    defaults = {name: str(option.get("default")) for name, option in manifest["user_config"].items()}
    arguments: list[str] = []
    for argument in config["args"]:
        given = [str(root) for root in roots] if argument == "${user_config.roots}" else [argument]
        arguments += [item.replace("${__dirname}", str(folder)) for item in given]
    environ = {
        name: re.sub(r"\$\{user_config\.(\w+)\}", lambda m: defaults[m[1]], v) for name, v in config["env"].items()
    }
    return StdioServerParameters(command=config["command"], args=arguments, env=environ)


def build_bundle(folder: Path) -> None:
    subprocess.run([sys.executable, str(BUNDLE / "build.py"), str(folder)], check=True, timeout=100)


@pytest.fixture
def uv_environment(tmp_path: Path) -> dict[str, str]:
    """What lets uv work in a home that is empty; skips where there is no uv, or no index that it can ask."""
    uv = shutil.which("uv", path=REAL["PATH"]) or pytest.skip("uv is not installed")
    cache = subprocess.run([uv, "cache", "dir"], env=REAL, capture_output=True, text=True, check=True)
    call = [uv, "pip", "compile", "--no-cache", "--no-deps", "-"]
    probe = subprocess.run(call, input="msgspec", env=REAL, cwd=tmp_path, capture_output=True, text=True, check=False)
    if probe.returncode:
        pytest.skip(f"uv can ask no package index: {probe.stderr.strip()[-200:]}")
    return {
        **{name: value for name, value in REAL.items() if name.startswith(("UV_", "SSL_")) or name.endswith("_proxy")},
        "PATH": REAL["PATH"],
        "UV_CACHE_DIR": cache.stdout.strip(),
        "UV_PYTHON": sys.executable,
    }


@pytest.mark.anyio
async def test_the_bundle_starts_the_server_with_its_folders(
    workspace: Path, home: Path, tmp_path: Path, uv_environment: dict[str, str]
) -> None:
    build_bundle(folder := tmp_path / "bundle")
    second = workspace / "second"
    second.mkdir()
    (second / "sums.py").write_text(SUMS, encoding="utf-8")
    call = bundle_command(folder, [workspace, second])
    environ = {**environment(home), **uv_environment, **(call.env or {})}

    with anyio.fail_after(110):
        async with Client(call.model_copy(update={"env": environ, "cwd": home})) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            for target in (workspace / "sums.py", second / "sums.py"):
                arguments = {"target": f"{target}::unique", "prompts_only": True}
                assert not (await client.call_tool("generate_variants", arguments)).is_error

    assert "score" in tools


@pytest.mark.scene
def test_the_bundle_is_built_and_valid(tmp_path: Path, home: Path) -> None:
    tools_folder()
    folder, packed = tmp_path / "bundle", tmp_path / "codeens.mcpb"
    build_bundle(folder)
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

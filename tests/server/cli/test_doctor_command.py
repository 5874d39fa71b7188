from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from codeens_sandbox_backends.base import Backend, IsolationLevel, Readiness, Sandbox, SandboxSpec
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_server.doctor import checks
from tests.server.cli.conftest import Codeens

_TIER = IsolationLevel(filesystem=True, network=True, processes=True, kernel=False, label="a wall")


class WontIsolate:
    """A backend that has found out that it cannot isolate here."""

    name = "local"

    async def probe(self) -> Readiness:
        return Readiness(name="local", usable=False, isolation=_TIER, why="no user namespaces", fix="sysctl -w x=1")

    async def open(self, spec: SandboxSpec) -> Sandbox:
        raise SandboxUnavailable("local", "no user namespaces", "sysctl -w x=1")


def _wont_isolate(name: str) -> Backend:
    return WontIsolate()


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only one on PATH, with one editor in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    editor = folder / "nvim"
    editor.write_text("#!/bin/sh\n", encoding="utf-8")
    editor.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_the_doctor_names_what_it_found_and_no_key(
    codeens: Codeens, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    result = codeens("doctor", "--json")
    assert "sk-very-secret" not in result.output
    checks = json.loads(result.stdout)
    found = {(check["area"], check["name"]): check for check in checks}
    assert {name for area, name in found if area == "sandbox"} >= {"local", "unsafe"}
    assert found["editor", "Neovim"]["detail"] == str(tools / "nvim")
    assert ("editor", "Vim") not in found
    assert not found["tool", "git"]["works"]
    assert found["interpreter", "pytest"]["works"]
    assert any(name.startswith("openai/") for area, name in found if area == "model")
    assert result.exit_code == (0 if found["sandbox", "local"]["works"] else 1)


def test_a_machine_that_can_not_isolate_is_told_the_fix_and_exits_1(
    codeens: Codeens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "backend_names", lambda: ["local"])
    monkeypatch.setattr(checks, "get_backend", _wont_isolate)
    result = codeens("doctor")
    assert result.exit_code == 1
    assert "no user namespaces" in result.stdout
    assert "fix: sysctl -w x=1" in result.stdout
    assert result.stdout.splitlines()[-1] == "first: codeens sandbox install"


def test_the_doctor_fits_80_columns_and_ends_with_what_to_do_first(
    codeens: Codeens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "backend_names", lambda: ["unsafe"])
    lines = codeens("doctor").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "first: codeens run FILE.py::FUNCTION" in lines[-2] + lines[-1]


def test_sandboxes_that_nobody_set_up_are_one_row_unless_the_settings_name_one(
    codeens: Codeens, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "backend_names", lambda: ["unsafe", "docker", "seatbelt"])
    monkeypatch.setenv("DOCKER_HOST", f"unix://{here}/none")
    assert "docker, seatbelt: not set up, and not needed" in " ".join(codeens("doctor").stdout.split())
    monkeypatch.setenv("CODEENS_SANDBOX", "docker")
    shown = " ".join(codeens("doctor").stdout.split())
    assert "not needed" not in shown
    assert "no docker no Docker daemon answers" in shown


@pytest.mark.parametrize("client", ["claude-desktop", "vscode"])
def test_a_clients_configuration_has_absolute_paths_and_is_tried(codeens: Codeens, here: Path, client: str) -> None:
    found = json.loads(codeens("doctor", "--client", client, "--json").stdout)
    ((server,),) = (servers.values() for servers in found["config"].values())
    assert Path(server["command"]).is_absolute()
    assert server["args"][-1] == str(here)
    assert Path(found["file"]).is_absolute()
    assert found["starts"], found["detail"]


def test_a_client_whose_server_does_not_start_is_told_why(
    codeens: Codeens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "codeens-server").write_text("#!/bin/sh\necho broken: no mcp >&2\nexit 1\n", encoding="utf-8")
    (tmp_path / "codeens-server").chmod(0o755)
    result = codeens("doctor", "--client", "cursor")
    assert result.exit_code == 1
    assert "it does not start: broken: no mcp" in result.stdout


def test_pytest_is_looked_for_beside_the_workspaces_interpreter_without_running_it(
    codeens: Codeens, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "backend_names", list[str])
    python = here / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ntouch {here}/was_run\n", encoding="utf-8")
    python.chmod(0o755)
    (here / ".venv" / "pyvenv.cfg").write_text("", encoding="utf-8")
    assert f"fix:{python}-mpipinstallpytest" in "".join(codeens("doctor").stdout.split())
    package = here / ".venv" / "lib" / "python3.12" / "site-packages" / "pytest"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    assert "pip install pytest" not in codeens("doctor").stdout
    assert not (here / "was_run").exists()

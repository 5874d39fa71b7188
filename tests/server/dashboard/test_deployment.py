"""What a team deploys is well-formed, with pinned versions, and opens nothing to the network."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

FOLDER = Path(__file__).parents[3] / "examples" / "team"
COMPOSE = FOLDER / "compose.yaml"
DOCKERFILE = FOLDER.parents[1] / "Dockerfile"
UNIT = FOLDER / "codeens-dashboard.service"
PINNED = re.compile(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z]+)*")


def test_the_compose_file_pins_versions_and_opens_nothing_to_other_machines() -> None:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    base = re.findall(r"BASE=(\S+)", DOCKERFILE.read_text(encoding="utf-8"))[0]

    assert [image for service in services.values() if not PINNED.fullmatch(image := service["image"])] == []
    assert PINNED.fullmatch(base)
    assert services["database"]["ports"] == ["127.0.0.1:5432:5432"]
    assert "ports" not in services["dashboard"]
    assert services["dashboard"]["depends_on"]["database"]["condition"] == "service_healthy"
    assert "${POSTGRES_PASSWORD" in services["database"]["environment"]["POSTGRES_PASSWORD"]


def test_the_compose_file_is_one_by_the_specification() -> None:
    """Read by a second implementation of it, which puts no variables in."""
    given = {"POSTGRES_PASSWORD": "x", "CODEENS_WORKSPACE": "."}
    text = re.sub(r"\$\{(\w+)[^}]*\}", lambda found: given[found[1]], COMPOSE.read_text(encoding="utf-8"))

    compose = PyCompose.from_yaml(text)
    compose.validate()

    assert sorted(compose.service_names()) == ["dashboard", "database"]
    with pytest.raises(ValueError, match="imagee"):
        PyCompose.from_yaml(text.replace("image: codeens", "imagee: codeens"))


def test_docker_reads_the_compose_file() -> None:
    docker = shutil.which("docker") or pytest.skip("docker is not installed")
    if subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker has no compose plugin")
    environ = {**os.environ, "POSTGRES_PASSWORD": "x"}
    done = subprocess.run(
        [docker, "compose", "-f", str(COMPOSE), "config", "--quiet"], env=environ, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


def test_the_unit_starts_the_dashboard_again_after_a_failure() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.read(UNIT, encoding="utf-8")

    assert unit["Service"]["ExecStart"].endswith("codeens dashboard --port 8765")
    assert unit["Service"]["Restart"] == "on-failure"
    assert unit["Install"]["WantedBy"] == "default.target"


def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze") or pytest.skip("systemd is not installed")
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run([analyze, "verify", "--user", str(UNIT)], env=environ, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert UNIT.name not in done.stderr

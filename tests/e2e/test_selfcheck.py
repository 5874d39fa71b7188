"""`codeens sandbox selfcheck` holds on every sandbox that is at hand, as root and as an ordinary user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.e2e import ordinary_user
from tests.sandbox_backends.machine import why_not

pytestmark = [pytest.mark.scene, pytest.mark.timeout(1800)]
CODEENS = str(Path(sys.executable).parent / "codeens")


def selfcheck(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """The report of a run that ended well or with failed checks."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    done = subprocess.run(
        command, cwd=folder, env={**kept, **environment}, capture_output=True, encoding="utf-8", timeout=1700
    )
    assert done.returncode in {0, 1}, done.stderr
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if all(check["ok"] for check in report["checks"]) else 1)
    return report


def failed(report: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["why"] for check in report["checks"] if not check["ok"]}


def test_bubblewrap_holds(tmp_path: Path) -> None:
    if reason := why_not("local"):
        pytest.skip(reason)
    report = selfcheck([CODEENS, "sandbox", "selfcheck", "--backend", "local", "--json"], {}, tmp_path)
    assert failed(report) == {}
    assert report["isolation"]["filesystem"]
    assert "bubblewrap" in report["isolation"]["label"]


def test_bubblewrap_holds_for_an_ordinary_user(tmp_path: Path) -> None:
    if reason := why_not("local") or ordinary_user.why_not():
        pytest.skip(reason)
    with TemporaryDirectory(prefix="codeens-home-") as home:
        # How answers are judged and timed does not depend on who starts the sandbox.
        kinds = [word for kind in ("contract", "escape", "control") for word in ("--kind", kind)]
        asked = ("sandbox", "selfcheck", "--backend", "local", *kinds, "--json")
        command = ordinary_user.command(Path(home), CODEENS, *asked)
        report = selfcheck(command, {"HOME": home}, tmp_path)
    assert failed(report) == {}
    assert {check["kind"] for check in report["checks"]} == {"contract", "escape", "control"}
    assert "bubblewrap" in report["isolation"]["label"]


@pytest.mark.long
def test_sandlock_holds_but_for_the_limit_that_is_stated(tmp_path: Path) -> None:
    if reason := why_not("sandlock"):
        pytest.skip(reason)
    report = selfcheck([CODEENS, "sandbox", "selfcheck", "--backend", "sandlock", "--json"], {}, tmp_path)
    assert set(failed(report)) <= {"more files"}


@pytest.mark.timed  # there only wall clocks tell who is faster
def test_docker_holds(daemon_host: str, tmp_path: Path) -> None:
    command = [CODEENS, "sandbox", "selfcheck", "--backend", "docker", "--json"]
    report = selfcheck(command, {"DOCKER_HOST": daemon_host}, tmp_path)
    assert failed(report) == {}

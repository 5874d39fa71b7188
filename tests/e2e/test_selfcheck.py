"""`codeens sandbox selfcheck` holds on every sandbox that is at hand, as root and as an ordinary user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from codeens_sandbox_backends.selfcheck.checks import CHECK_KINDS, CheckKind
from tests.e2e import ordinary_user
from tests.sandbox_backends.machine import why_not

pytestmark = [pytest.mark.scene, pytest.mark.timeout(1800)]
CODEENS = str(Path(sys.executable).parent / "codeens")
KINDS_THAT_RACE: tuple[CheckKind, ...] = ("race", "control")


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


def of_kinds(kinds: Iterable[CheckKind]) -> list[str]:
    return [word for kind in kinds for word in ("--kind", kind)]


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
        kinds = of_kinds(("contract", "escape", "control"))
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


def docker_holds(kinds: Sequence[CheckKind], daemon_host: str, folder: Path) -> None:
    command = [CODEENS, "sandbox", "selfcheck", "--backend", "docker", *of_kinds(kinds), "--json"]
    report = selfcheck(command, {"DOCKER_HOST": daemon_host}, folder)
    assert failed(report) == {}
    assert {check["kind"] for check in report["checks"]} == set(kinds)


def test_docker_holds(daemon_host: str, tmp_path: Path) -> None:
    docker_holds([kind for kind in CHECK_KINDS if kind not in KINDS_THAT_RACE], daemon_host, tmp_path)


@pytest.mark.timed  # there only wall clocks tell who is faster
def test_docker_takes_nobody_for_faster_who_is_not(daemon_host: str, tmp_path: Path) -> None:
    docker_holds(KINDS_THAT_RACE, daemon_host, tmp_path)

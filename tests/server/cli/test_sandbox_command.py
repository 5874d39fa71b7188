from __future__ import annotations

import json
from collections.abc import Callable, Collection

import pytest

from codeens_sandbox_backends.base import Backend, IsolationLevel
from codeens_sandbox_backends.selfcheck.checks import CheckKind, SelfCheckReport, SelfCheckResult
from codeens_server.cli import sandbox
from tests.server.cli.conftest import Codeens

_TIER = IsolationLevel(filesystem=True, network=True, processes=False, kernel=False, label="a fence")


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the backends that were checked; of `sandlock` one check fails."""
    names: list[str] = []

    async def self_check(
        backend: Backend,
        *,
        python: str | None,
        say: Callable[[SelfCheckResult], None],
        kinds: Collection[CheckKind],
    ) -> SelfCheckReport:
        names.append(backend.name)
        bad = backend.name == "sandlock"
        result = SelfCheckResult(name="read it", kind="escape", ok=not bad, why="it was read" if bad else "")
        asked = (result,) if "escape" in kinds else ()
        for each in asked:
            say(each)
        return SelfCheckReport(backend=backend.name, isolation=_TIER, checks=asked)

    monkeypatch.setattr(sandbox, "self_check", self_check)
    return names


def test_one_backend_is_one_document(codeens: Codeens, checked: list[str]) -> None:
    result = codeens("sandbox", "selfcheck", "--backend", "local", "--json")
    assert json.loads(result.stdout) == {
        "backend": "local",
        "isolation": {
            "filesystem": True,
            "network": True,
            "processes": False,
            "kernel": False,
            "label": "a fence",
        },
        "checks": [{"name": "read it", "kind": "escape", "ok": True, "why": ""}],
    }
    assert result.exit_code == 0


def test_several_backends_are_a_list_and_one_failure_is_exit_code_1(codeens: Codeens, checked: list[str]) -> None:
    result = codeens("sandbox", "selfcheck", "--backend", "local", "--backend", "sandlock", "--json")
    assert [report["backend"] for report in json.loads(result.stdout)] == ["local", "sandlock"]
    assert result.exit_code == 1


def test_only_checks_of_the_kinds_that_are_named_are_made(codeens: Codeens, checked: list[str]) -> None:
    asked = ("sandbox", "selfcheck", "--backend", "sandlock")
    assert json.loads(codeens(*asked, "--kind", "contract", "--kind", "control", "--json").stdout)["checks"] == []
    assert codeens(*asked, "--kind", "escape").exit_code == 1
    assert "'contract', 'escape', 'cheat', 'race', 'control'" in codeens(*asked, "--kind", "all").stderr


def test_people_get_a_table_that_says_why(codeens: Codeens, checked: list[str]) -> None:
    result = codeens("sandbox", "selfcheck", "--backend", "sandlock")
    row = next(line for line in result.stdout.splitlines() if "read it" in line)
    assert "FAILED" in row
    assert "it was read" in row
    assert "1 FAILED" in result.stdout


def test_unsafe_is_checked_only_by_name(codeens: Codeens, checked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "backend_names", lambda: ["unsafe"])
    result = codeens("sandbox", "selfcheck")
    assert (result.exit_code, checked) == (1, [])
    assert "no sandbox can be used here" in result.stderr
    assert codeens("sandbox", "selfcheck", "--backend", "unsafe").exit_code == 0
    assert checked == ["unsafe"]


def test_a_wrong_name_is_answered_with_the_nearest(codeens: Codeens) -> None:
    result = codeens("sandbox", "selfcheck", "--backend", "lcal")
    assert result.exit_code == 2
    assert "Did you mean 'local'?" in result.stderr


def test_the_list_says_what_each_backend_keeps_apart(codeens: Codeens) -> None:
    listed = {backend["name"]: backend for backend in json.loads(codeens("sandbox", "list", "--json").stdout)}
    assert set(listed) >= {"local", "sandlock", "unsafe"}
    assert listed["unsafe"]["usable"]
    assert not any(listed["unsafe"]["isolation"][part] for part in ("filesystem", "network", "processes", "kernel"))
    assert "NOT ISOLATED" in codeens("sandbox", "list").stdout

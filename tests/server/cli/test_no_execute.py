"""`--no-execute`: answers that nobody runs are ranked by a selector, and none of them is said to pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codeens import Session
from tests.server.cli.conftest import Codeens
from tests.server.ranking.selector.made import kept

SOURCE = "def squares(n):\n    out = []\n    for i in range(n):\n        out.append(i * i)\n    return out\n"


@pytest.fixture(autouse=True)
def nothing_may_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a sandbox was asked for")

    monkeypatch.setattr(Session, "sandbox", refuse)


@pytest.fixture
def squares(here: Path) -> Path:
    (here / "squares.py").write_text(SOURCE, encoding="utf-8")
    return here


def test_answers_are_told_in_order_and_as_not_run(codeens: Codeens, squares: Path) -> None:
    arguments = ("run", "squares.py::squares", "--no-execute", "--selector", kept(squares, offline=2.0))
    told = codeens(*arguments, "--json")
    assert told.exit_code == 0, told.output
    document = json.loads(told.stdout)
    assert document["function"] == "squares"
    assert {one["status"] for one in document["candidates"]} == {"not run"}
    assert document["candidates"][0]["probability"] == pytest.approx(0.88, abs=0.01)
    shown = codeens(*arguments).stdout
    assert "not run, not proven" in shown
    assert "passed" not in told.stdout + shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--no-execute",), "ranked by a selector, which `codeens selector train` makes; name its file. The option is"),
        (("--no-execute", "--selector", "none.json"), "none.json cannot be read"),
        (("--no-execute", "--selector", "squares.py"), "squares.py is no selector"),
        (("--no-execute", "--apply"), "--apply cannot go with --no-execute, which runs nothing"),
        (("--no-execute", "--effort", "quick"), "--effort cannot go with --no-execute"),
    ],
)
def test_what_cannot_be_ranked_or_needs_running_is_refused(
    codeens: Codeens, squares: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = codeens("run", "squares.py::squares", *arguments)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert (squares / "squares.py").read_text(encoding="utf-8") == SOURCE

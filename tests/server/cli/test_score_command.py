from __future__ import annotations

import json
from pathlib import Path

import anyio
import msgspec
import pytest

from codeens_sandbox_backends.registry import get_backend
from codeens_server.tasks.schema import ScoreReport
from tests.server.cli.conftest import Codeens

_TASK = {
    "id": "increment",
    "prompt": "def inc(x):\n    '''One more.'''\n",
    "entry_point": "inc",
    "test_cases": [{"args": [1], "expected_output": 2}, {"args": [5], "expected_output": 6, "weight": 2}],
}


@pytest.fixture
def files(here: Path) -> Path:
    """A task, a right candidate, and wrong ones."""
    (here / "task.json").write_text(json.dumps(_TASK), encoding="utf-8")
    (here / "good.py").write_text("def inc(x):\n    return x + 1\n", encoding="utf-8")
    (here / "bad.py").write_text("def inc(x):\n    return 2\n", encoding="utf-8")
    (here / "broken.py").write_text("def inc(x:\n", encoding="utf-8")
    return here


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("none.json", "good.py"), "none.json cannot be read"),
        (("task.json", "none.py"), "none.py cannot be read"),
        (("task.json", "latin.py"), "latin.py is not UTF-8"),
        (("half.json", "good.py"), "entry_point"),
        (("task.json", "good.py", "--sandbox", "locl"), "Did you mean 'local'?"),
        (("task.json",), "CANDIDATE.py"),
    ],
)
def test_wrong_input_is_told_and_exits_2(
    arguments: tuple[str, ...], message: str, codeens: Codeens, files: Path
) -> None:
    (files / "latin.py").write_bytes(b"# \xff")
    (files / "half.json").write_text('{"id": "x", "prompt": ""}', encoding="utf-8")
    result = codeens("score", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_candidates_are_judged_and_those_that_failed_say_why(codeens: Codeens, files: Path) -> None:
    backend = anyio.run(get_backend("local").probe)
    if not backend.usable:
        pytest.skip(f"the local sandbox cannot isolate here: {backend.why}")
    result = codeens("score", "task.json", "bad.py", "good.py", "broken.py", "--json")
    assert result.exit_code == 0, result.output
    report = msgspec.json.decode(result.stdout, type=ScoreReport)
    assert report.task == "increment"
    assert [(row.candidate.id, row.rank, row.verdict.status) for row in report.results] == [
        ("good.py", 1, "passed"),
        ("bad.py", None, "failed"),
        ("broken.py", None, "error"),
    ]
    rows = codeens("score", "task.json", "bad.py").stdout.splitlines()
    assert rows[1].split()[:3] == ["-", "bad.py", "1/3"]
    assert "expected 6, got 2" in rows[1]


def test_unsafe_is_marked_in_the_result(codeens: Codeens, files: Path) -> None:
    text = codeens("score", "task.json", "good.py", "--sandbox", "unsafe").stdout
    assert "passed: 2/2 checks, NOT ISOLATED" in text


@pytest.mark.parametrize("sandbox", ["local", "unsafe"])
def test_an_interpreter_that_is_none_is_named_and_no_candidate_fails_by_it(
    codeens: Codeens, files: Path, monkeypatch: pytest.MonkeyPatch, sandbox: str
) -> None:
    backend = anyio.run(get_backend(sandbox).probe)
    if not backend.usable:
        pytest.skip(f"the sandbox cannot isolate here: {backend.why}")
    monkeypatch.setenv("CODEENS_PYTHON", "/bin/false")
    result = codeens("score", "task.json", "good.py", "--sandbox", sandbox, "--json")
    assert result.exit_code == 1
    assert "the interpreter /bin/false does not run" in result.stderr
    assert "Set `python`" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("has_reference", [False, True])
def test_a_cases_timeout_replaces_limits_of_time_and_the_users_other_limits_hold(
    codeens: Codeens, files: Path, has_reference: bool
) -> None:
    backend = anyio.run(get_backend("local").probe)
    if not backend.usable:
        pytest.skip(f"the local sandbox cannot isolate here: {backend.why}")
    reference = {"reference_solution": "def inc(x):\n    return x + 1\n"} if has_reference else {}
    cases = [{"args": [1], "expected_output": 2, "timeout": 20}]
    (files / "calls.json").write_text(json.dumps({**_TASK, **reference, "test_cases": cases}), encoding="utf-8")
    cases = [{"stdin": "", "expected_output": "x" * 3000, "timeout": 20}]
    (files / "script.json").write_text(json.dumps({**_TASK, "test_cases": cases}), encoding="utf-8")
    (files / "large.py").write_text("def inc(x):\n    bytes(400 << 20)\n    return x + 1\n", encoding="utf-8")
    (files / "loud.py").write_text("print('x' * 3000)\n", encoding="utf-8")
    (files / "late.py").write_text("import time\ntime.sleep(1.5)\nprint('x' * 3000)\n", encoding="utf-8")

    def ranks(task: str, candidate: str) -> list[int | None]:
        result = codeens("score", task, candidate, "--json")
        assert result.exit_code == 0, result.output
        return [row.rank for row in msgspec.json.decode(result.stdout, type=ScoreReport).results]

    asked = [("calls.json", "large.py"), ("script.json", "loud.py")]
    assert [ranks(*each) for each in asked] == [[1], [1]]
    (files / "codeens.toml").write_text("[limits]\nmemory_bytes = 268435456\noutput_bytes = 2000\n", encoding="utf-8")
    assert [ranks(*each) for each in asked] == [[None], [None]]
    (files / "codeens.toml").write_text("[limits]\nwall_s = 1.0\ncpu_s = 1.0\ncall_s = 1.0\n", encoding="utf-8")
    assert ranks("script.json", "late.py") == [1]

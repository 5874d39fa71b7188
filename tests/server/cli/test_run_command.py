from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import anyio
import msgspec
import pytest
from msgspec.structs import replace

from codeens_sandbox_backends.programs import CallInput
from codeens_sandbox_backends.registry import get_backend
from codeens_server.domain.document import RunDocument
from codeens_server.workspace import text
from codeens_server.workspace.find import find_target
from tests.server import facts
from tests.server.cli.conftest import Codeens


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a function: codeens run path.py::function"),
        (("none.py::f",), "none.py"),
        (("sums.py::totl",), "Did you mean total?"),
        (("sums.py:1",), "line 1 of sums.py is not inside a function"),
        (("broken.py::f",), "broken.py"),
        (("sums.py::total", "--goal", "sped"), "Did you mean 'speed'?"),
        (("sums.py::total", "--mode", "improv"), "Did you mean 'improve'?"),
        (("sums.py::total", "--variant", "performanc"), "Did you mean 'performance'?"),
        (("sums.py::total", "--model", "nonsense"), "no model is called 'nonsense'"),
        (("sums.py::total", "--mode", "implement"), "cannot implement"),
        (("sums.py::total", "--sandbox", "locl"), "Did you mean 'local'?"),
        (("sums.py::total", "--samples", "0"), "--samples"),
        (("sums.py::total", "--rounds", "-1"), "--rounds"),
        (("sums.py::total", "--budget-usd", "-1"), "--budget-usd"),
        (("sums.py::total", "--timeout", "0"), "--timeout"),
        (("sums.py::total", "--diff", "x"), "is not a rank"),
        (("--apply", "sums.py::total"), "the target before this option"),
        (("sums.py::total", "--diff", "1", "--json"), "give one of them"),
        (("--resume", "2026", "sums.py::total"), "target cannot be changed by --resume"),
        (("--resume", "2026", "--goal", "speed"), "--goal cannot be changed by --resume"),
        (("--resume", "2026"), "no run has an id"),
    ],
)
def test_wrong_input_is_told_with_its_fix_exits_2_and_writes_nothing(
    arguments: tuple[str, ...], message: str, codeens: Codeens, here: Path, home: Path
) -> None:
    (here / "broken.py").write_text("def f(:\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in here.iterdir()}
    result = codeens("run", *arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stdout == ""
    assert {path: path.read_bytes() for path in here.iterdir()} == before
    assert not (home / "data" / "codeens" / "codeens.log").exists()
    if "--resume" not in arguments:
        assert not home.exists()


def test_a_function_without_a_body_needs_a_model(codeens: Codeens, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "stub.py").write_text('def f(x):\n    """Double x."""\n', encoding="utf-8")
    result = codeens("run", "stub.py::f")
    if result.exit_code == 0:
        pytest.skip("a model server answers on this machine's loopback")
    assert result.exit_code == 2
    assert "Configure a model" in result.stderr


def test_what_tests_say_is_broken_needs_a_model_too(codeens: Codeens, here: Path) -> None:
    _skip_without_isolation()
    broken = "def total(items: list[int]) -> int:\n    return sorted(items)[0] + 1\n"
    (here / "sums.py").write_text(broken, encoding="utf-8")
    test = "from sums import total\n\ndef test_total():\n    assert total([2, 1]) == 1\n"
    (here / "test_sums.py").write_text(test, encoding="utf-8")
    result = codeens("run", "sums.py::total")
    if result.exit_code == 0:
        pytest.skip("a model server answers on this machine's loopback")
    assert result.exit_code == 2
    assert "cannot repair total" in result.stderr
    assert json.loads(codeens("runs", "list", "--json").stdout) == []


def test_a_function_that_no_rewrite_changes_is_refused_before_its_tests_run(codeens: Codeens, here: Path) -> None:
    (here / "plain.py").write_text("def double(n: int) -> int:\n    return 2 * n\n", encoding="utf-8")
    result = codeens("run", "plain.py::double")
    if result.exit_code == 0:
        pytest.skip("a model server answers on this machine's loopback")
    assert result.exit_code == 1
    assert "no candidate was made for double: offline rewrites find nothing to change in it" in result.stderr
    assert "test file" not in result.stderr
    assert json.loads(codeens("runs", "list", "--json").stdout) == []


def _skip_without_isolation() -> None:
    backend = anyio.run(get_backend("local").probe)
    if not backend.usable:
        pytest.skip(f"the local sandbox cannot isolate here: {backend.why}")


_SMALLEST = '''def smallest(items: list[int]) -> int:
    """The least one.

    >>> smallest([2, 1])
    1
    """
    return sorted(items)[0]
'''
_RUN = ("run", "smallest.py::smallest", "--variant", "performance")


@pytest.fixture
def smallest(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A function that one offline rewrite changes, in a workspace where few inputs are generated."""
    _skip_without_isolation()
    monkeypatch.setenv("CODEENS_MAX_INPUTS", "4")
    path = here / "smallest.py"
    path.write_text(_SMALLEST, encoding="utf-8")
    return path


def test_a_run_without_a_key_is_ranked_shown_kept_and_applied(
    codeens: Codeens, smallest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = codeens(*_RUN, "--json", "--apply", "1")
    assert result.exit_code == 0, result.output
    run = msgspec.json.decode(result.stdout, type=RunDocument)
    assert run.original.verdict.status == "passed"
    assert run.results[0].rank == 1
    assert run.results[0].verdict.isolation == "separate"
    assert run.results[0].candidate.replacement.function.strip() in smallest.read_text(encoding="utf-8")
    shown = codeens("runs", "show", run.run_id, "--json")
    assert msgspec.json.decode(shown.stdout, type=RunDocument) == run
    monkeypatch.setattr(text, "_snapshots", OrderedDict[str, object]())  # as in another process
    resumed = codeens("run", "--resume", run.run_id)
    assert resumed.exit_code == 2
    assert "has changed since the run" in resumed.stderr


def test_an_interpreter_that_is_none_ends_the_run_with_the_fix_before_anything_is_asked(
    codeens: Codeens, smallest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEENS_PYTHON", "/bin/false")
    before = smallest.read_text(encoding="utf-8")
    result = codeens(*_RUN, "--json", "--apply", "1")
    assert result.exit_code == 1
    assert "the interpreter /bin/false does not run" in result.stderr
    assert "Set `python`" in result.stderr
    assert (result.stdout, smallest.read_text(encoding="utf-8")) == ("", before)


def _processes_that_name(text: str) -> list[str]:
    found: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command.replace("\0", " "))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_ctrl_c_shows_and_keeps_what_was_found_and_leaves_no_process(
    codeens: Codeens, smallest: Path, here: Path
) -> None:
    program = Path(sys.executable).with_name("codeens")
    with subprocess.Popen([program, *_RUN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        for line in process.stderr:
            if line.startswith("[1/"):
                os.kill(process.pid, signal.SIGINT)
                break
        rest, result = process.stderr.read(), process.stdout.read()
    assert process.returncode == 1, rest
    assert "ended early: cancelled" in result
    assert _processes_that_name(str(here)) == []
    lines = json.loads(codeens("runs", "list", "--json").stdout)
    assert [line["stopped"] for line in lines] == ["cancelled"]
    assert lines[0]["candidates"] >= 1
    assert f"codeens run --resume {lines[0]['run_id']}" in result
    assert "codeens runs" not in rest


def test_a_killed_run_is_resumed_with_what_was_found(codeens: Codeens, smallest: Path) -> None:
    program = Path(sys.executable).with_name("codeens")
    with subprocess.Popen([program, *_RUN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr or ():
            if line.startswith("[1/"):
                process.kill()
                break
        process.communicate()
    lines = json.loads(codeens("runs", "list", "--json").stdout)
    assert [(line["stopped"], line["candidates"]) for line in lines] == [(None, 1)]
    result = codeens("run", "--resume", lines[0]["run_id"][:10], "--json", "--trust-workspace")
    assert result.exit_code == 0, result.output
    run = msgspec.json.decode(result.stdout, type=RunDocument)
    assert run.run_id == lines[0]["run_id"]
    assert [row.verdict.status for row in run.results] == ["passed"]
    assert run.summary.generated == 1


def test_a_kept_input_holds_every_candidate_to_what_the_original_does(
    codeens: Codeens, smallest: Path, keep: Callable[[RunDocument], None]
) -> None:
    target = find_target(f"{smallest}::smallest", cwd=smallest.parent)
    wrong = "def smallest(items):\n    return items[-1]\n"
    run = facts.run_document("20260107-4ee900", target)
    right = "def smallest(items):\n    return min(items)\n"
    right_row = replace(run.results[0], candidate=facts.candidate("c1", right))
    wrong_row = replace(run.results[0], candidate=facts.candidate("c3", wrong), cluster=1)
    difference = replace(
        run.clusters[0].differences[0], input=CallInput(args=(["list", 1, 2],)), call="smallest([1, 2])"
    )
    clusters = (replace(run.clusters[0], differences=(difference,)), run.clusters[1])
    evidence = replace(run.evidence, cases=())
    keep(replace(run, evidence=evidence, results=(right_row, wrong_row), clusters=clusters))
    assert "1 input on which candidates differ, not 2" in codeens("runs", "pin", run.run_id, "2").stderr
    assert "is neither" in codeens("runs", "pin", run.run_id, "1", "--right", "5").stderr
    result = codeens("runs", "pin", run.run_id, "1", "--json")
    assert result.exit_code == 0, result.output
    again = msgspec.json.decode(result.stdout, type=RunDocument)
    ranks = {row.candidate.id: row.rank for row in again.results}
    assert ranks["c1"] == 1
    assert ranks["c3"] is None
    assert [case.origin for case in again.evidence.cases][-1] == "pinned"

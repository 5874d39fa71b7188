"""What the evidence allows: the mode, running the function here, and how much is known of it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from codeens_sandbox_backends.base import CallInput, Outcome, Raised, Returned
from codeens_server.domain import Case, Coverage, ModeRequest, Target
from codeens_server.errors import EvidenceError
from codeens_server.evidence.assess import is_refused, resolve_mode, thinness, what_it_needs
from codeens_server.workspace.find import find_target

CASES = [Case(id=f"generated-{n}", origin="generated", input=CallInput(args=(n,))) for n in range(10)]


def target_of(folder: Path, source: str) -> tuple[Target, str]:
    text = textwrap.dedent(source)
    folder.joinpath("m.py").write_text(text, encoding="utf-8")
    return find_target("m.py::f", cwd=folder), text


@pytest.mark.parametrize(
    ("asked", "tests", "examples", "mode"),
    [
        ("auto", [], [], "improve"),
        ("auto", ["t.py::a"], [], "repair"),
        ("auto", [], ["docstring line 2"], "repair"),
        ("improve", [], ["docstring line 2"], "improve"),
        ("repair", [], [], "repair"),
        ("implement", ["t.py::a"], [], "implement"),
    ],
)
def test_what_fails_before_any_change_is_repaired_unless_another_mode_is_asked_for(
    tmp_path: Path, asked: ModeRequest, tests: list[str], examples: list[str], mode: str
) -> None:
    target, _ = target_of(tmp_path, "def f(x):\n    return x\n")
    assert resolve_mode(asked, target, failing_tests=tests, failing_examples=examples) == mode


def test_a_missing_body_is_implemented_and_cannot_be_improved(tmp_path: Path) -> None:
    target, _ = target_of(tmp_path, "def f(x):\n    ...\n")
    assert resolve_mode("auto", target, failing_tests=(), failing_examples=()) == "implement"
    with pytest.raises(EvidenceError) as caught:
        resolve_mode("improve", target, failing_tests=(), failing_examples=())
    assert caught.value.code == "no_body"


def test_code_with_failing_tests_is_not_improved_and_three_of_them_are_named(tmp_path: Path) -> None:
    target, _ = target_of(tmp_path, "def f(x):\n    return x\n")
    with pytest.raises(EvidenceError, match="a, b, c and 2 more") as caught:
        resolve_mode("improve", target, failing_tests=list("abcde"), failing_examples=())
    assert caught.value.code == "tests_fail"
    assert caught.value.hint is not None
    assert (caught.value.hint.kind, caught.value.hint.name) == ("option", "mode")


@pytest.mark.parametrize(
    ("source", "needs"),
    [
        ("def f():\n    return input()\n", "input()"),
        ("import sys\ndef f():\n    return sys.stdin.read()\n", "input()"),
        ("import requests as r\ndef f(u):\n    return r.get(u)\n", "the network"),
        ("from urllib.request import urlopen\ndef f(u):\n    return urlopen(u)\n", "the network"),
        ("import requests\ndef f(u):\n    return u\n", ""),
        ("def f(socket):\n    return socket\n", ""),
    ],
)
def test_a_function_that_calls_for_the_outside_is_known_by_its_text(tmp_path: Path, source: str, needs: str) -> None:
    assert what_it_needs(*target_of(tmp_path, source)) == needs


@pytest.mark.parametrize(
    ("outcome", "refused"),
    [
        (Raised(type="PermissionError"), True),
        (Raised(type="socket:gaierror"), True),
        (Raised(type="ValueError"), False),
        (Returned(value=1), False),
    ],
)
def test_errors_of_the_sandbox_s_walls_say_nothing_of_the_function(outcome: Outcome, refused: bool) -> None:
    assert is_refused(outcome) is refused


@pytest.mark.parametrize(
    ("cases", "coverage", "said"),
    [
        (CASES, Coverage(hit=8, total=10), ()),
        (CASES, None, ()),
        (CASES[:1], Coverage(hit=10, total=10), ("thin evidence: 1 input, 100 % of the lines run",)),
        (CASES, Coverage(hit=7, total=10), ("thin evidence: 10 inputs, 70 % of the lines run",)),
        (CASES[:2], None, ("thin evidence: 2 inputs, lines run: not measured",)),
    ],
)
def test_few_inputs_or_little_coverage_are_told_in_numbers(
    cases: list[Case], coverage: Coverage | None, said: tuple[str, ...]
) -> None:
    assert thinness(cases, coverage, reaching_tests=1) == said


def test_without_inputs_the_tests_are_all_that_holds_candidates() -> None:
    assert "only the 2 tests that reach it hold candidates" in thinness([], None, reaching_tests=2)[0]
    assert thinness([], None, reaching_tests=0)[0].endswith("nothing does")

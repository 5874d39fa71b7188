"""What the evidence allows: the mode, running the function here, and how much is known of it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from codeens_sandbox_backends.programs import CallInput, Outcome, Raised, Returned
from codeens_server.domain.evidence import Case, Coverage, MissedChange, MutationScore
from codeens_server.domain.target import Target
from codeens_server.domain.terms import ModeRequest
from codeens_server.errors import EvidenceError
from codeens_server.evidence.assess import is_refused, missed_changes, resolve_mode, thinness, what_it_needs
from codeens_server.workspace.find import find_target

CHANGES = "small changes of the original"
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
        ("improve", ["t.py::a"], [], "improve"),
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
        (Raised(type="PermissionError", attributes={"errno": None}), False),
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


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (MutationScore(noticed=9, total=9), ()),
        (
            MutationScore(noticed=1, total=1),
            ("thin evidence: only 1 small change of the original could be tried, which says little",),
        ),
        (
            MutationScore(noticed=8, total=9, missed=(MissedChange(line=12, before="n < 0", after="n <= 0"),)),
            (f"it would notice 8 of 9 {CHANGES}; not seen to: `n < 0` changed to `n <= 0` (line 12)",),
        ),
        (
            MutationScore(noticed=3, total=4, undecided=1),
            (f"thin evidence: it would notice only 3 of 4 {CHANGES}; not seen to: 1 not decided in time",),
        ),
    ],
)
def test_a_score_of_few_changes_is_thin_however_high(score: MutationScore, said: tuple[str, ...]) -> None:
    assert missed_changes(score) == said

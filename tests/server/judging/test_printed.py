"""Checkers: what a program printed, held against what it should print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codeens_server.tasks.printed import accepts, fraction_places
from codeens_server.tasks.schema import OutputChecker, ScoredCandidate, Task, TaskCase
from codeens_server.tasks.scoring import score_task
from codeens_server.workspace.find import find_target
from tests.server.judging.rooms import local_sandbox

LINES, EXACT, TOKENS = ({"compare": name} for name in ("lines", "exact", "tokens"))
NEAR = {"absolute_tolerance": 1e-6, "relative_tolerance": 1e-6}
ACCEPTED: list[tuple[dict[str, Any], str, str]] = [
    (LINES, "1 2\n3\n", "1 2  \n3\r\n\n"),
    (EXACT, "1\n", "1\n"),
    (TOKENS, "1 2\n3\n", "1\n2 3"),
    ({"ignore_case": True}, "YES\nNo\n", "yes\nNO"),
    ({"any_order": True}, "1 2\n3 4\n", "3 4\n1 2\n"),
    ({**TOKENS, "any_order": True}, "3 1 2", "1\n2\n3"),
    (NEAR, "0.3333333333\n", "0.333333\n"),
    (NEAR, "x = 1.5, fine", "x = 1.5, fine"),
    (NEAR, "1000000.0", "1000000.5"),
    (NEAR, "2.0", "2.0000001"),
    (NEAR, "2.0", "2"),
    (NEAR, "123456789", "123456789.000"),
    (NEAR, "1200", "1.2e3"),
    (NEAR, "2 0.5", "+2.0 0.5000001"),
    (NEAR, "1e-9", "0"),
    (NEAR, "007", "+7"),
    ({**TOKENS, **NEAR, "any_order": True}, "a 1.0 2.0 b", "b\n2.0000001\n0.9999999\na"),
    ({"absolute_tolerance": 0.5}, "10.0", "10.4"),
]
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (LINES, "1 2\n", "1  2\n"),
    (LINES, "1\n2\n", "1\n\n2\n"),
    (LINES, "1\n", "1\n2\n"),
    (LINES, "1.0", "1.00"),
    (EXACT, "1\n", "1"),
    (EXACT, "1\n", "1 \n"),
    (TOKENS, "1 2", "12"),
    (TOKENS, "YES", "yes"),
    ({"any_order": True}, "1\n1\n2\n", "1\n2\n2\n"),
    (NEAR, "0.5", "0.50001"),
    (NEAR, "1000000000000000001", "1000000000000000002"),
    (NEAR, "1.0", "1.0 1.0"),
    (NEAR, "1.0\n2.0", "1.0 2.0"),
    (NEAR, "1.0", "nan"),
    (NEAR, "1.0", "1_0e-1"),
    (NEAR, "inf", "1e999"),
    (NEAR, "-0.0 x", "0.0 y"),
    ({"absolute_tolerance": 0.5}, "10", "11"),
    ({"absolute_tolerance": 0.5}, "10", "10.4"),
    (NEAR, "987654321", "987654300.0"),
    (NEAR, "987654321", "9.876543e8"),
    (NEAR, "5e8", "500000001"),
    (NEAR, "40000000", "40000000.5"),
    (NEAR, "0", "0e99999999999999999999999"),
    ({**TOKENS, **NEAR, "any_order": True}, "1 90000001", "90000001.5 1"),
    ({**TOKENS, **NEAR, "any_order": True}, "1.0 2.0", "1.0 1.0"),
]


@pytest.mark.parametrize(("checker", "expected", "printed"), ACCEPTED)
def test_what_a_checker_lets_pass(checker: dict[str, Any], expected: str, printed: str) -> None:
    assert accepts(OutputChecker(**checker), [expected], printed)


@pytest.mark.parametrize(("checker", "expected", "printed"), REFUSED)
def test_what_a_checker_refuses(checker: dict[str, Any], expected: str, printed: str) -> None:
    assert not accepts(OutputChecker(**checker), [expected], printed)


def test_one_of_several_texts_is_enough() -> None:
    assert accepts(OutputChecker(), ["1 2", "2 1"], "2 1\n")
    assert not accepts(OutputChecker(), ["1 2", "2 1"], "1 1\n")


def test_numbers_of_any_length_are_compared() -> None:
    digits = "9" * 100_000
    assert accepts(OutputChecker(relative_tolerance=1e-6), [digits], f"+0{digits}")
    assert not accepts(OutputChecker(relative_tolerance=1e-6), [digits], f"{digits[:-1]}8")


@pytest.mark.anyio
async def test_programs_are_scored_by_the_checker_of_the_task(tmp_path: Path) -> None:
    task = Task(
        id="roots",
        prompt="Print a square root of the number.",
        entry_point="main",
        checker=OutputChecker(absolute_tolerance=1e-6),
        test_cases=(
            TaskCase(stdin="4\n", expected_output=["2.0", "-2.0"]),
            TaskCase(stdin="2\n", expected_output=["1.41421356237", "-1.41421356237"]),
        ),
    )
    sources = {
        "positive": "print(float(input()) ** 0.5)",
        "negative": "print('%.7f' % -float(input()) ** 0.5)",
        "rounded": "print(round(float(input()) ** 0.5, 3))",
        "flood": "print(float(input()) ** 0.5)\nprint('x' * 2_000_000)",
    }
    (tmp_path / "m.py").write_text("def f():\n    return 1\n", encoding="utf-8")

    async with local_sandbox(find_target(f"{tmp_path / 'm.py'}::f", cwd=tmp_path)) as sandbox:
        candidates = [ScoredCandidate(id=name, source=source) for name, source in sources.items()]
        report = await score_task(task, candidates, sandbox=sandbox, sandbox_label="")

    results = {result.candidate.id: result for result in report.results}
    assert [(name, result.verdict.passed) for name, result in results.items()] == [
        ("positive", 2),
        ("negative", 2),
        ("rounded", 1),
        ("flood", 0),
    ]
    assert results["rounded"].reason.endswith("expected '1.41421356237', or one of 1 other texts, got '1.414\\n'")
    assert "printed more than" in results["flood"].reason


def test_a_whole_number_stands_for_a_rounded_one_where_other_cases_have_fractions() -> None:
    checker = OutputChecker(relative_tolerance=1e-6)
    places = fraction_places(checker, [["7 2.5\n"], ["8 3\n"]])
    assert accepts(checker, ["8 3"], "8 3.0000001", places)
    assert not accepts(checker, ["80000000 3"], "80000001.0 3", places)

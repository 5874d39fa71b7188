"""Given programs judged on given tasks, in the real sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codeens_server.domain.target import Target
from codeens_server.errors import InputError
from codeens_server.tasks.schema import ScoredCandidate, ScoreReport, Task, TaskCase
from codeens_server.tasks.scoring import score_task
from codeens_server.workspace.find import find_target
from tests.server.judging.rooms import local_sandbox

pytestmark = pytest.mark.anyio

PROMPT = '''from typing import List


def half(n: int) -> float:
    return n / 2


def spread(values: List[int]) -> List[float]:
    """Halves of all values."""
'''
RIGHT = "def spread(values):\n    return tuple(v / 2 for v in values)\n"
CHECK = "def check(candidate):\n    assert list(candidate([1, 2])) == [half(1), half(2)]\n"


@pytest.fixture
def anywhere(tmp_path: Path) -> Target:
    (tmp_path / "m.py").write_text("def f():\n    return 1\n", encoding="utf-8")
    return find_target(f"{tmp_path / 'm.py'}::f", cwd=tmp_path)


def task(*cases: TaskCase, tests: str | None = None, reference: str | None = None, prompt: str = PROMPT) -> Task:
    return Task(
        id="spread", prompt=prompt, entry_point="spread", test_cases=cases, tests=tests, reference_solution=reference
    )


async def scored(anywhere: Target, demanded: Task, **sources: str) -> ScoreReport:
    candidates = [ScoredCandidate(id=name, source=source) for name, source in sources.items()]
    async with local_sandbox(anywhere) as sandbox:
        return await score_task(demanded, candidates, sandbox=sandbox, sandbox_label="label")


async def test_candidates_are_ranked_by_what_they_pass(anywhere: Target) -> None:
    cases = (
        TaskCase(args=[[2, 4]], expected_output=[1, 2], weight=3),
        TaskCase(kwargs={"values": []}, expected_output=[]),
    )
    half_right = "def spread(values):\n    return [v / 2 for v in values] or None\n"

    report = await scored(
        anywhere, task(*cases), none="def spread(v):\n    return 0\n", part=half_right, right=RIGHT, also=RIGHT
    )

    assert [(r.candidate.id, r.rank, r.weight_passed) for r in report.results] == [
        ("right", 1, 4.0),
        ("also", 1, 4.0),
        ("part", None, 3.0),
        ("none", None, 0.0),
    ]
    best, part = report.results[0], report.results[2]
    assert (best.verdict.status, best.verdict.evidence, best.verdict.isolation) == ("passed", "tests", "separate")
    assert part.score is not None
    assert part.score.total == 75.0
    assert part.reason == "fails 1 of 2 checks, first spread(values=[]): expected [], got None"


@pytest.mark.parametrize("prompt", ["Sort", "N/A", "fizzbuzz", "x = 1 / 0", "Halve them, please."])
async def test_a_prompt_that_does_not_define_the_function_is_no_part_of_the_program(
    anywhere: Target, prompt: str
) -> None:
    tests = "assert list(spread([2, 4])) == [1, 2]"
    report = await scored(anywhere, task(tests=tests, prompt=prompt), right=RIGHT, torn="    return values\n")
    assert [(result.candidate.id, result.rank) for result in report.results] == [("right", 1), ("torn", None)]


async def test_tests_that_never_call_the_function_are_refused(anywhere: Target) -> None:
    with pytest.raises(InputError, match="never call spread") as caught:
        await scored(anywhere, task(tests="def helper():\n    assert spread([2]) == [1]\n"), right=RIGHT)
    assert caught.value.code == "tests_call_nothing"


async def test_test_functions_are_run(anywhere: Target) -> None:
    tests = "def test_two():\n    assert list(spread([2, 4])) == [1, 2]\n"
    report = await scored(
        anywhere, task(tests=tests), right=RIGHT, wrong="def spread(v):\n    return v\n", raises="def spread(v): 1 / 0"
    )
    assert {result.candidate.id: result.rank for result in report.results} == {
        "right": 1,
        "wrong": None,
        "raises": None,
    }


async def test_tests_may_call_helpers_of_the_prompt(anywhere: Target) -> None:
    report = await scored(anywhere, task(tests=CHECK), right=RIGHT, wrong="def spread(values):\n    return values\n")

    right, wrong = report.results
    assert (right.verdict.passed, right.verdict.total, right.verdict.tests_passed) == (1, 1, 1)
    assert (wrong.verdict.status, wrong.verdict.tests_passed, wrong.verdict.tests_total) == ("failed", 0, 1)
    assert "AssertionError" in wrong.reason


async def test_helpers_of_the_candidate_are_none_of_the_tests(anywhere: Target) -> None:
    own = "def half(n):\n    return 0\ndef spread(values):\n    return [0 for _ in values]\n"

    report = await scored(anywhere, task(tests=CHECK), own=own)

    assert report.results[0].verdict.status == "failed"


async def test_scripts_are_judged_by_what_they_print(anywhere: Target) -> None:
    cases = (TaskCase(stdin="2 3\n", expected_output="5\n"), TaskCase(stdin="1 1", expected_output="2"))
    right = "a, b = map(int, input().split())\nprint(a + b, ' ')\nprint()\n"
    crash = "a, b = map(int, input().split())\nprint(a + b)\nraise SystemExit(a > 1)\n"

    report = await scored(anywhere, task(*cases), right=right, wrong="print(5)", crash=crash)

    assert [(r.candidate.id, r.verdict.status, r.verdict.passed) for r in report.results] == [
        ("right", "passed", 2),
        ("wrong", "failed", 1),
        ("crash", "error", 1),
    ]


async def test_each_case_has_its_own_time(anywhere: Target) -> None:
    slow = "import time\ndef spread(values):\n    time.sleep(values[0])\n    return values\n"
    cases = (
        TaskCase(args=[[30]], expected_output=[30], timeout=0.2),
        TaskCase(args=[[0.6]], expected_output=[0.6], timeout=5),
    )

    report = await scored(anywhere, task(*cases), slow=slow)

    verdict = report.results[0].verdict
    assert (verdict.status, verdict.passed, verdict.total) == ("timeout", 1, 2)
    assert verdict.failure is not None
    assert verdict.failure.got == "no answer within 0.2 s (call limit)"


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("def spread(values:\n", "SyntaxError"),
        ("def other(values):\n    return values\n", "spread"),
        ("import absent_module\n", "absent_module"),
        ("spread = 3\n", "not a function"),
    ],
)
async def test_what_cannot_be_loaded_fails_with_the_reason(anywhere: Target, source: str, part: str) -> None:
    report = await scored(anywhere, task(TaskCase(args=[[1]], expected_output=[0.5]), tests=CHECK), it=source)

    verdict = report.results[0].verdict
    assert (verdict.status, verdict.passed, verdict.total) == ("error", 0, 2)
    assert part in verdict.reason


@pytest.mark.parametrize("reference", [RIGHT, "    return [half(v) for v in values]\n"])
async def test_a_right_reference_whole_or_continuing_the_prompt_lets_the_task_be_used(
    anywhere: Target, reference: str
) -> None:
    demanded = task(TaskCase(args=[[2]], expected_output=[1]), tests=CHECK, reference=reference)

    assert (await scored(anywhere, demanded, right=RIGHT)).results[0].rank == 1


@pytest.mark.parametrize(
    ("case", "tests", "part"),
    [
        ({"args": [[2]], "expected_output": [7]}, None, r"test_cases\[0\]: spread\(\[2\]\) should give \[7\], not"),
        ({"args": [[2]], "expected_output": [1]}, "def check(candidate):\n    assert 0\n", "fails its tests"),
    ],
)
async def test_a_task_that_its_own_reference_fails_is_refused(
    anywhere: Target, case: dict[str, Any], tests: str | None, part: str
) -> None:
    with pytest.raises(InputError, match=part):
        await scored(anywhere, task(TaskCase(**case), tests=tests, reference=RIGHT), right=RIGHT)

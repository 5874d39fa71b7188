"""Judging by a task, comparing, running code and generating, without a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

import codeens
from codeens_sandbox_backends.programs import Raised
from tests.codeens.sources import COMPREHENSION, SLOW, WRONG

pytestmark = pytest.mark.anyio

TASK = codeens.Task.from_dict(
    {
        "id": "squares",
        "prompt": "from math import prod\n\n\ndef squares(numbers: list[int]) -> list[int]:\n",
        "entry_point": "squares",
        "test_cases": [{"args": [[1, 3]], "expected_output": [1, 9]}],
        "reference_solution": "    return [number**2 for number in numbers]\n",
    }
)


async def test_candidates_are_judged_by_a_task_in_their_own_words(session: codeens.Session) -> None:
    told: list[tuple[int, int]] = []
    given = {
        "whole": COMPREHENSION,
        "continuing": "    return [prod((number, number)) for number in numbers]\n",
        "leaving imports out": "def squares(numbers):\n    return [prod([number] * 2) for number in numbers]\n",
        "wrong": WRONG,
    }
    async with session:
        report = await session.judge(TASK, given, on_progress=lambda _, done, total: told.append((done, total)))

    assert report.passed == ("whole", "continuing", "leaving imports out")
    assert {result.candidate.id: result.candidate.source for result in report.document.results} == given
    assert told == [(done, 4) for done in range(1, 5)]


async def test_a_task_that_its_own_reference_fails_is_refused_with_a_code(session: codeens.Session) -> None:
    broken = codeens.Task(
        id="t", prompt="", entry_point="f", tests="assert f() == 2", reference_solution="def f(): return 1"
    )
    async with session:
        with pytest.raises(codeens.CodeensError) as caught:
            await session.judge(broken, ["def f(): return 2"])
    assert caught.value.code == "broken_task"


async def test_candidates_of_one_id_are_refused(session: codeens.Session) -> None:
    async with session:
        with pytest.raises(codeens.CodeensError) as caught:
            await session.judge(TASK, {"original": WRONG})
    assert caught.value.code == "candidate_id_taken"


async def test_the_smallest_input_on_which_two_functions_differ_is_found(session: codeens.Session) -> None:
    async with session:
        found = await session.compare(SLOW, WRONG)
        same = await session.compare(SLOW, COMPREHENSION)
    assert (found.call, found.a_does, found.b_does) == ("squares([2])", "[4]", "[2]")
    assert (same.differ, same.call) == (False, "")
    assert same.inputs_tried > 3


async def test_one_that_never_answers_differs(workspace: Path, tmp_path: Path) -> None:
    settings = {"results": str(tmp_path / "results"), "max_inputs": 10, "limits": {"call_s": 0.5}}
    session = codeens.Session(workspace, settings=settings, environ={})
    hangs = "def squares(numbers):\n    while len(numbers) == 3:\n        pass\n    return [n * n for n in numbers]\n"
    async with session:
        found = await session.compare("original", hangs, of="tools.py::squares", calls=["squares([1, 2, 3])"])
    assert found.differ
    assert found.a_does == "[1, 4, 9]"
    assert "no answer" in found.b_does


async def test_what_cannot_stand_in_is_not_compared(session: codeens.Session) -> None:
    async with session:
        with pytest.raises(codeens.CodeensError, match="implementation b cannot stand in for squares") as caught:
            await session.compare(SLOW, "def squares(a, b):\n    return a\n")
    assert caught.value.code == "cannot_stand_in"


async def test_calls_tests_and_scripts_of_given_code_are_run(session: codeens.Session) -> None:
    async with session:
        called = await session.run_code(SLOW, calls=["squares([2])", "squares(None)"])
        tested = await session.run_code(SLOW, tests="assert squares([3]) == [8]", function="squares")
        script = await session.run_code("print(input()[::-1])", stdin=["ab", "cd"])
    assert [(call.call, call.kind) for call in called.calls] == [
        ("squares([2])", "returned"),
        ("squares(None)", "raised"),
    ]
    assert (called.calls[0].shown(), called.calls[0].value) == ("[4]", ["list", 4])
    assert "TypeError" in called.calls[1].traceback
    assert (tested.passed, isinstance(tested.failure, Raised)) == (False, True)
    assert [run.stdout for run in script.scripts] == ["ba\n", "dc\n"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"calls": ["f(x)"]}, "not_a_call"),
        ({"calls": ["f(1)", "g(1)"]}, "ways_to_run"),
        ({"calls": ["f(1)"], "stdin": "1"}, "ways_to_run"),
        ({"tests": "assert f()"}, "function_not_named"),
    ],
)
async def test_code_that_cannot_be_run_as_asked_is_refused(
    session: codeens.Session, arguments: dict[str, Any], code: str
) -> None:
    async with session:
        with pytest.raises(codeens.CodeensError) as caught:
            await session.run_code("def f(a): return a", **arguments)
    assert caught.value.code == code


async def test_offline_rewrites_are_generated_where_no_model_can_be_reached(session: codeens.Session) -> None:
    async with session:
        generated = await session.generate("tools.py::squares")
    assert generated.mode == "improve"
    assert all("squares" in candidate.source for candidate in generated.candidates)
    assert (generated.cost_usd, generated.cost_known) == (0.0, True)


async def test_writing_a_function_needs_a_model(session: codeens.Session) -> None:
    async with session:
        with pytest.raises(codeens.CodeensError, match="implement"):
            await session.generate(TASK)


async def test_prompts_are_given_without_asking_anybody(session: codeens.Session) -> None:
    async with session:
        prompts = await session.prompts(TASK, variants=["baseline"])
    assert [prompt.variant for prompt in prompts] == ["baseline"]
    assert "def squares" in prompts[0].messages[-1].content


async def test_concurrent_calls_share_a_session(session: codeens.Session) -> None:
    shown: list[str] = []

    async def call(number: int) -> None:
        result = await session.run_code("def f(n): return n + 1", calls=[f"f({number})"])
        shown.append(result.calls[0].shown())

    async with session, anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(call, number)
    assert sorted(shown) == ["1", "2", "3", "4"]

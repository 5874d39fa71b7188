"""What a candidate can read of the calls that come after the one it answers."""

from __future__ import annotations

import pytest

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CheckJob, CheckResult
from codeens_sandbox_backends.programs import Died, ModuleSource, Program, Raised, Unencodable
from codeens_sandbox_backends.worker.telling import told_early
from tests.sandbox_backends.warm import MARKS, opened

pytestmark = MARKS

PEEKS = """
import sys
turn = 0
def f(*given):
    global turn
    turn += 1
    frame, later = sys._getframe(1), []
    while frame is not None:
        for value in list(frame.f_locals.values()):
            if isinstance(value, list) and value and isinstance(value[0], dict) and "args" in value[0]:
                index = [call["args"] for call in value].index(list(given))
                later = [call["args"] for call in value[index + 1:]]
        frame = frame.f_back
    return AFTER(later[0][0]) if later else OTHERWISE
"""
"""Answers with the argument of the next call, where it is to be seen."""

TESTS = {
    "each call is made of the last answer": (
        "def f(n):\n    return 3 * n + 1\n",
        "def check(c):\n    n = 1\n    for want in (4, 13, 40, 121):\n        n = c(n)\n        assert n == want\n",
        "int",
        "121",
    ),
    "an answer is called with again": (
        "def f(text):\n    return text.strip().title()\n",
        (
            "def check(c):\n    for text in (' ab', 'c d '):\n        got = c(text)\n"
            "        assert got == text.strip().title()\n        assert c(got) == got\n"
        ),
        "str",
        "given[0]",
    ),
    "what is written in the tests tells it": (
        "def f(text):\n    return text.strip()\n",
        (
            "def check(c):\n    assert c(' a') == 'a'\n    assert c('a') == 'a'\n    assert c('b ') == 'b'\n"
            "    assert c('b') == 'b'\n"
        ),
        "str",
        "given[0]",
    ),
    "the answer is put into another type": (
        "def f(a, b):\n    return abs(len(a) - len(b))\n",
        "def check(c):\n    n = c('abc', 'fghijk')\n    assert n == 3\n    assert c(str(n), '3') == 0\n",
        "int",
        "0",
    ),
    "the tests were never guessed": (
        "def f(n):\n    return n * n\n",
        "def check(c):\n    assert str(c(3)) == '9'\n    assert str(c(9)) == '81'\n    assert str(c(81)) == '6561'\n",
        "int",
        "6561",
    ),
}


async def _checked(sandbox: Sandbox, source: str, tests: str) -> CheckResult:
    program = Program(module="subject", qualname="f", modules=(ModuleSource(name="subject", source=source),))
    return await sandbox.run(CheckJob(program=program, tests=tests, name="f"))


async def _passed(sandbox: Sandbox, source: str, tests: str) -> bool:
    return (await _checked(sandbox, source, tests)).passed


async def test_no_call_tells_what_an_earlier_one_should_return() -> None:
    async with opened() as sandbox:
        for name, (right, tests, convert, otherwise) in TESTS.items():
            peeks = PEEKS.replace("AFTER", convert).replace("OTHERWISE", otherwise)
            assert not await _passed(sandbox, peeks, tests), name
            for _ in range(2):
                assert await _passed(sandbox, right, tests), name
                assert not await _passed(sandbox, peeks, tests), name


@pytest.mark.parametrize(
    ("statement", "failure"),
    [("import os; os._exit(3)", Died), ("return object()", Unencodable), ("return 'c'", Raised)],
)
async def test_what_goes_wrong_in_a_call_that_was_waited_for_fails_the_check(statement: str, failure: type) -> None:
    right, tests, _, _ = TESTS["what is written in the tests tells it"]
    wrong = f"def f(text):\n    if text == 'b ': {statement}\n    return text.strip()\n"
    async with opened() as sandbox:
        for _ in range(2):
            assert await _passed(sandbox, right, tests)
        result = await _checked(sandbox, wrong, tests)
        assert isinstance(result.failure, failure)
        assert result.calls >= 3
        assert await _passed(sandbox, right, tests)


async def test_tests_that_look_at_a_clock_see_what_each_call_takes() -> None:
    tests = """
import time
def check(c):
    start = time.perf_counter()
    assert c(1) == 2
    assert time.perf_counter() - start > 0.3
"""
    slow = "import time\ndef f(n):\n    time.sleep(0.4)\n    return n + 1\n"
    async with opened() as sandbox:
        for _ in range(3):
            assert await _passed(sandbox, slow, tests)


@pytest.mark.parametrize(
    ("answer", "arguments"),
    [
        (3, ["3"]),
        ("a", [["list", "b", "a"]]),
        (["tuple", 1, 2], [["list", 1, 2]]),
        (["tuple", 1, 2], [1, 2]),
        (4.0, [["dict", ["k", 4]]]),
    ],
)
async def test_an_answer_is_recognised_in_another_type_and_inside_of_other_values(
    answer: object, arguments: list[object]
) -> None:
    assert told_early([["x"], ["y"], arguments], [[answer], [], []]) == [2]
    assert told_early([["x"], ["y"], arguments], [["other"], [], []]) == []

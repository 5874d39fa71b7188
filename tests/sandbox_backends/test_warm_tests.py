"""Test source against warm workers: calls that are prefetch change nothing, and tests leave nothing behind."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.driver.session import WorkerSession
from codeens_sandbox_backends.jobs import CheckJob, CheckResult, Limits
from codeens_sandbox_backends.programs import Died, ModuleSource, Program, Raised, TimedOut
from tests.sandbox_backends.warm import MARKS, Launches, opened

pytestmark = MARKS


@pytest.fixture
async def launches(monkeypatch: pytest.MonkeyPatch) -> Launches:
    return Launches(monkeypatch)


def check_job(source: str, tests: str, limits: Limits | None = None) -> CheckJob:
    program = Program(module="subject", qualname="f", modules=(ModuleSource(name="subject", source=source),))
    return CheckJob(program=program, tests=tests, name="f", limits=limits)


COUNTS = "calls = []\ndef f(n):\n    calls.append(n)\n    return len(calls)\n"


async def _checked(sandbox: Sandbox, source: str, tests: str, limits: Limits | None = None) -> CheckResult:
    return await sandbox.run(check_job(source, tests, limits))


async def test_a_check_gives_the_same_answer_whether_or_not_its_calls_were_foreseen() -> None:
    tests = "def check(c):\n    assert c(1) == 2\n    assert c(2) == 3\n    assert c(3) == 4\n"
    right, wrong = "def f(n):\n    return n + 1\n", "def f(n):\n    return n + 1 if n < 3 else 0\n"
    late = "def f(n):\n    return 0 if n == 1 else [][n]\n"
    async with opened() as sandbox:
        for _ in range(2):
            assert (await _checked(sandbox, right, tests)).passed
            failed = await _checked(sandbox, wrong, tests)
            assert (failed.passed, failed.calls) == (False, 3)
            assert isinstance(failed.failure, Raised)
            assert failed.failure.type == "AssertionError"
            first = (await _checked(sandbox, late, tests)).failure
            assert isinstance(first, Raised)
            assert first.type == "AssertionError"


async def test_tests_that_go_by_what_comes_back_are_not_led_astray() -> None:
    tests = "def check(c):\n    n = c(5)\n    for _ in range(3):\n        n = c(n)\n    assert n == 4, n\n"
    async with opened() as sandbox:
        assert (await _checked(sandbox, COUNTS, tests)).passed
        other = await _checked(sandbox, "def f(n):\n    return n - 1\n", tests)
        again = await _checked(sandbox, COUNTS, tests)
    assert (other.passed, again.passed) == (False, True)


async def test_a_call_that_hangs_after_the_failure_does_not_change_it() -> None:
    tests = "def check(c):\n    assert c(1) == 1\n    assert c(2) == 2\n"
    source = "def f(n):\n    while n == 2:\n        pass\n    return 0\n"
    async with opened() as sandbox:
        assert (await _checked(sandbox, "def f(n):\n    return n\n", tests)).passed
        failure = (await _checked(sandbox, source, tests, Limits(cpu_s=0.2))).failure
    assert isinstance(failure, Raised)
    assert failure.type == "AssertionError"


async def test_a_call_that_dies_fails_the_check_with_its_death() -> None:
    tests = "def check(c):\n    assert c(1) == 1\n    assert c(2) == 2\n"
    source = "import os\ndef f(n):\n    return n if n == 1 else os._exit(4)\n"
    async with opened() as sandbox:
        for _ in range(2):
            result = await _checked(sandbox, source, tests)
            assert result.failure == Died(reason="exit", detail="exit code 4")
            assert (await _checked(sandbox, "def f(n):\n    return n\n", tests)).passed


async def test_calls_are_guessed_before_the_first_candidate(monkeypatch: pytest.MonkeyPatch) -> None:
    tests = """
def check(c):
    assert abs(c(1) - 2) < 1e-6 and c([3], k=4) != 0
    assert [c(5)] == [6]
    for n in range(7, 10):
        assert c(n) >= n
"""
    source = "def f(n, k=None):\n    return 1 if k else n + 1\n"
    asked: list[object] = []
    send = WorkerSession.send_all

    def noted(session: WorkerSession, messages: Sequence[dict[str, object]], deadline: float) -> None:
        asked.extend(message.get("op", "outcome") for message in messages)
        send(session, messages, deadline)

    monkeypatch.setattr(WorkerSession, "send_all", noted)
    async with opened() as sandbox:
        asked.clear()
        result = await _checked(sandbox, source, tests)
    assert (result.passed, result.calls) == (True, 6)
    assert asked == ["guess", "load", "calls", "check"]


async def test_answers_that_have_passed_before_are_not_tested_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tests = "def check(c):\n    assert c([1]) == [2]\n    assert c([2, 3]) == [3, 4]\n"
    right, alike = "def f(n):\n    return [i + 1 for i in n]\n", "def f(n):\n    return list(map((1).__add__, n))\n"
    wrong, changes = "def f(n):\n    return [2]\n", "def f(n):\n    n[:] = [i + 1 for i in n]\n    return n\n"
    asked: list[object] = []
    send = WorkerSession.send_all

    def noted(session: WorkerSession, messages: Sequence[dict[str, object]], deadline: float) -> None:
        asked.extend(message.get("op", "outcome") for message in messages)
        send(session, messages, deadline)

    monkeypatch.setattr(WorkerSession, "send_all", noted)
    monkeypatch.setattr("codeens_sandbox_backends.driver.session._REST_S", 30.0)
    async with opened() as sandbox:
        assert (await _checked(sandbox, right, tests)).passed
        asked.clear()
        again = await _checked(sandbox, alike, tests)
        assert (again.passed, again.calls) == (True, 2)
        assert asked == ["load", "calls"]
        assert not (await _checked(sandbox, wrong, tests)).passed
        assert (await _checked(sandbox, changes, tests)).passed
        assert asked.count("check") == 2
        strict = tests.replace("c([1])", "list(c([1]))")
        assert not (await _checked(sandbox, wrong, strict)).passed


async def test_tests_that_never_end_where_all_is_liked_are_run_as_they_are() -> None:
    tests = "def check(c):\n    n = 0\n    while c(n) == n:\n        n += 1\n    assert n == 4\n"
    endless = "def check(c):\n    while c(1) == 1:\n        pass\n"
    async with opened() as sandbox:
        assert (await _checked(sandbox, "def f(n):\n    return min(n, 3)\n", tests)).passed
        assert (await _checked(sandbox, "def f(n):\n    return 0\n", endless)).passed


async def test_tests_do_not_see_what_the_tests_before_them_left() -> None:
    dirty = "import random\nseen = 1\ndef check(c):\n    random.seed(1)\n    assert c(1) == 1\n"
    clean = "import random\ndef check(c):\n    assert 'seen' not in globals()\n    assert c(random.random()) >= 0\n"
    async with opened() as sandbox:
        for tests in (dirty, clean, dirty, clean):
            assert (await _checked(sandbox, "def f(n):\n    return n\n", tests)).passed


async def test_tests_that_hang_end_with_their_time_and_the_next_ones_run() -> None:
    hang = "def check(c):\n    c(1)\n    while True:\n        pass\n"
    fine = "def check(c):\n    assert c(1) == 1\n"
    source = "def f(n):\n    return n\n"
    async with opened() as sandbox:
        result = await _checked(sandbox, source, hang, Limits(wall_s=0.5))
        assert isinstance(result.failure, TimedOut)
        assert (await _checked(sandbox, source, fine)).passed


async def test_tests_are_given_up_when_the_candidate_dies_under_them(launches: Launches) -> None:
    tests = "def check(c):\n    n = c(1)\n    assert c(n) == 2\n"
    dies = "import os\ndef f(n):\n    os._exit(3) if n == 7 else None\n    return 7\n"
    async with opened() as sandbox:
        for _ in range(3):
            assert (await _checked(sandbox, dies, tests)).failure == Died(reason="exit", detail="exit code 3")
            assert (await _checked(sandbox, "def f(n):\n    return n + n % 2\n", tests)).passed
    assert launches.cold.count("check") == 1


async def test_a_call_that_was_not_foreseen_is_asked_of_a_worker_that_was_not(launches: Launches) -> None:
    tests = "def check(c):\n    assert c(0) == 1\n    if c(5) != 5:\n        assert c(6) == 3\n"
    async with opened() as sandbox:
        for _ in range(2):
            assert (await _checked(sandbox, COUNTS, tests)).passed
            assert (await _checked(sandbox, "def f(n):\n    return n or 1\n", tests)).passed
    assert launches.cold.count("check") == 1

"""Candidates held to evidence, in the real sandbox."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, NamedTuple

import pytest

from codeens_sandbox_backends import jobs
from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.programs import CallInput, Outcome, Raised, Returned, Unencodable
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.target import Candidate, Target
from codeens_server.domain.terms import CaseOrigin, Mode
from codeens_server.judging.judge import Judged, judge
from codeens_server.workspace.find import find_target
from tests.server.judging.rooms import candidate_of, local_sandbox

pytestmark = pytest.mark.anyio

MODULE = '''def clamp(values, low, high):
    """Values moved into a range."""
    if low > high:
        raise ValueError("no range")
    return [min(max(value, low), high) for value in values]
'''
RIGHT = """def clamp(values, low, high):
    if high < low:
        raise ValueError("empty")
    return [low if v < low else high if v > high else v for v in values]
"""
TESTS = """import pytest
from shapes import clamp


def test_clamps():
    assert clamp([1, 9], 2, 5) == [2, 5]


@pytest.mark.parametrize("low", [3, 4])
def test_refuses(low):
    with pytest.raises(ValueError):
        clamp([1], low, 2)


def test_not_there_yet():
    assert clamp((7,), 0, 5) == (5,)
"""
IDS = ("test_shapes.py::test_clamps", "test_shapes.py::test_refuses[3]", "test_shapes.py::test_refuses[4]")
WANTED = "test_shapes.py::test_not_there_yet"


class Room(NamedTuple):
    """The function, and an open sandbox for all tests."""

    target: Target
    sandbox: Sandbox


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Room]:
    folder = tmp_path_factory.mktemp("judged")
    (folder / "pyproject.toml").write_text("[project]\nname = 'w'\n", encoding="utf-8")
    (folder / "shapes.py").write_text(MODULE, encoding="utf-8")
    (folder / "test_shapes.py").write_text(TESTS, encoding="utf-8")
    target = find_target(f"{folder / 'shapes.py'}::clamp", cwd=folder)
    async with local_sandbox(target) as sandbox:
        yield Room(target, sandbox)


def case(*args: Any, expected: Outcome | None, origin: CaseOrigin = "generated") -> Case:
    call = CallInput(args=tuple(encode(arg) for arg in args))
    return Case(id=repr(args), origin=origin, input=call, expected=expected)


def returned(value: Any, *args: Any) -> Returned:
    return Returned(value=encode(value), args=tuple(encode(arg) for arg in args))


CASES = (
    case([1, 9], 2, 5, expected=returned([2, 5], [1, 9], 2, 5)),
    case([], 2, 5, expected=returned([], [], 2, 5)),
    case([1], 3, 2, expected=Raised(type="ValueError", message="no range", args=(["list", 1], 3, 2))),
)


def evidence(
    cases: tuple[Case, ...] = CASES,
    passing: tuple[str, ...] = (),
    failing: tuple[str, ...] = (),
    mode: Mode = "improve",
) -> Evidence:
    passed = [jobs.TestReport(id=name, outcome="passed") for name in passing]
    failed = [jobs.TestReport(id=name, outcome="failed") for name in failing]
    return Evidence(mode=mode, cases=cases, tests=(*passed, *failed))


async def judged(room: Room, candidate: Candidate | str, held_to: Evidence) -> Judged:
    if isinstance(candidate, str):
        candidate = candidate_of(candidate)
    target, sandbox = room
    return await judge(candidate, target=target, evidence=held_to, sandbox=sandbox, sandbox_label="label")


async def test_what_does_the_same_passes_and_says_on_what_ground(room: Room) -> None:
    result = await judged(room, RIGHT, evidence())

    verdict = result.verdict
    assert (verdict.status, verdict.passed, verdict.total) == ("passed", 3, 3)
    assert (verdict.evidence, verdict.isolation, verdict.sandbox) == ("differential", "separate", "label")
    assert result.outcomes[0] == CASES[0].expected
    assert isinstance(result.outcomes[2], Raised)


async def test_a_wrong_value_fails_with_the_shortest_call_and_both_values(room: Room) -> None:
    longer = case([1, 9, 3, 4], 2, 5, expected=returned([2, 5, 3, 4], [1, 9, 3, 4], 2, 5))
    shorter = CASES[:2]
    wrong = "def clamp(values, low, high):\n    return [low for v in values]\n"

    result = await judged(room, wrong, evidence((longer, *shorter)))

    verdict = result.verdict
    assert (verdict.status, verdict.passed, verdict.total) == ("failed", 1, 3)
    assert verdict.failure is not None
    assert verdict.failure.where == "clamp([1, 9], 2, 5)"
    assert (verdict.failure.expected, verdict.failure.got) == ("[2, 5]", "[2, 2]")
    assert verdict.reason == "differs on 2 of 3 inputs, for instance clamp([1, 9], 2, 5)"
    assert len(result.outcomes) == 3


async def test_a_changed_argument_fails(room: Room) -> None:
    function = RIGHT.replace("    return [", "    values[:] = [")

    verdict = (await judged(room, f"{function}    return values\n", evidence())).verdict

    assert verdict.failure is not None
    assert verdict.failure.got == "[2, 5], leaving ([2, 5], 2, 5)"


async def test_another_exception_type_fails_and_another_message_does_not(room: Room) -> None:
    wrong = RIGHT.replace("ValueError", "KeyError")

    assert (await judged(room, RIGHT, evidence(CASES[2:]))).verdict.status == "passed"
    assert (await judged(room, wrong, evidence(CASES[2:]))).verdict.status == "failed"


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        ("return undefined", "error", "NameError"),
        ("import time\n    time.sleep(600)", "timeout", "no answer within"),
        ("raise SystemExit(0)", "error", "SystemExit"),
    ],
)
async def test_what_does_not_return_is_told_apart(room: Room, body: str, status: str, part: str) -> None:
    verdict = (await judged(room, f"def clamp(values, low, high):\n    {body}\n", evidence(CASES[:1]))).verdict

    assert verdict.status == status
    assert verdict.failure is not None
    assert part in verdict.failure.got


async def test_what_cannot_be_loaded_is_an_error_with_the_traceback(room: Room) -> None:
    candidate = candidate_of(RIGHT, imports=("import no_such_module",))

    result = await judged(room, candidate, evidence())

    assert (result.verdict.status, result.verdict.passed, result.verdict.total) == ("error", 0, 3)
    assert "it cannot be loaded" in result.verdict.reason
    assert result.verdict.failure is not None
    assert "no_such_module" in result.verdict.failure.traceback


async def test_what_would_rebind_a_name_of_the_module_is_refused(room: Room) -> None:
    candidate = candidate_of(RIGHT, helpers=("def clamp(values):\n    return values",))

    result = await judged(room, candidate, evidence())

    assert (result.verdict.status, result.verdict.isolation, result.outcomes) == ("refused", "none", ())
    assert "clamp" in result.verdict.reason


async def test_the_users_tests_are_the_second_gate(room: Room) -> None:
    verdict = (await judged(room, RIGHT, evidence(passing=IDS))).verdict

    assert (verdict.status, verdict.passed, verdict.total) == ("passed", 6, 6)
    assert (verdict.tests_passed, verdict.tests_total) == (3, 3)
    assert (verdict.evidence, verdict.isolation) == ("tests", "separate")


async def test_a_test_that_fails_on_the_candidate_alone_fails_it(room: Room) -> None:
    wrong = RIGHT.replace("raise ValueError", "raise KeyError")

    verdict = (await judged(room, wrong, evidence(CASES[:2], passing=IDS))).verdict

    assert (verdict.status, verdict.tests_passed, verdict.tests_total) == ("failed", 1, 3)
    assert verdict.reason == f"fails 2 of 3 tests, first {IDS[1]}"
    assert verdict.isolation == "shared"


async def test_tests_that_the_original_fails_are_not_asked_of_an_improvement(room: Room) -> None:
    verdict = (await judged(room, RIGHT, evidence(passing=IDS, failing=(WANTED,)))).verdict

    assert (verdict.status, verdict.tests_total) == ("passed", 3)


async def test_a_repair_must_pass_the_failing_tests_too(room: Room) -> None:
    held_to = evidence(passing=IDS, failing=(WANTED,), mode="repair")
    mended = RIGHT.replace("    return [", "    made = [").replace("for v in values]", "for v in values]")
    mended += "    return type(values)(made)\n"

    still_broken = (await judged(room, RIGHT, held_to)).verdict
    verdict = (await judged(room, mended, held_to)).verdict

    assert (still_broken.status, still_broken.reason) == ("failed", f"fails 1 of 4 tests, first {WANTED}")
    assert (verdict.status, verdict.passed, verdict.total) == ("passed", 7, 7)
    assert (verdict.evidence, verdict.isolation) == ("tests", "shared")


async def test_a_suite_that_cannot_be_run_on_the_candidate_is_its_failure(room: Room) -> None:
    helper = "1 / (not logging.getLogger().handlers)"  # pytest has its own while it collects
    candidate = candidate_of(RIGHT, imports=("import logging",), helpers=(helper,))

    verdict = (await judged(room, candidate, evidence(passing=IDS))).verdict

    assert (verdict.status, verdict.passed, verdict.tests_passed, verdict.tests_total) == ("error", 3, 0, 3)
    assert "its tests did not run to their end" in verdict.reason


async def test_without_known_outcomes_to_run_is_no_proof(room: Room) -> None:
    unknown = tuple(Case(id=known.id, origin="generated", input=known.input) for known in CASES)

    runs = (await judged(room, RIGHT, evidence(unknown))).verdict
    crashes = (await judged(room, "def clamp(values, low, high):\n    return x\n", evidence(unknown))).verdict

    assert (runs.status, runs.total, runs.evidence, runs.isolation) == ("passed", 0, "none", "none")
    assert "nothing is known" in runs.reason
    assert (crashes.status, crashes.reason) == ("error", "it returned on none of 3 inputs")


async def test_outcomes_of_the_original_that_prove_nothing_are_not_counted(room: Room) -> None:
    blind = case([1, 9], 2, 5, expected=Unencodable(type="m:Lock", where="value"))

    verdict = (await judged(room, RIGHT, evidence((blind, CASES[1])))).verdict

    assert (verdict.status, verdict.passed, verdict.total) == ("passed", 1, 1)


async def test_a_sandbox_that_breaks_says_nothing_of_the_candidate(room: Room) -> None:
    target = room.target
    async with local_sandbox(target) as sandbox:
        await sandbox.aclose()

        with pytest.raises(SandboxError):
            await judge(candidate_of(RIGHT), target=target, evidence=evidence(), sandbox=sandbox, sandbox_label="")


async def test_outcomes_that_people_wrote_down_are_tests(room: Room) -> None:
    written = case([1, 9], 2, 5, expected=returned([2, 5], [1, 9], 2, 5), origin="doctest")

    assert (await judged(room, RIGHT, evidence((written,)))).verdict.evidence == "tests"

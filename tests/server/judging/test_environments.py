"""One verdict from those of several interpreters."""

from __future__ import annotations

import pytest

from codeens_sandbox_backends.programs import CallInput
from codeens_server.domain.verdict import Condition, Failure, Verdict
from codeens_server.judging.environments import together

PASSED = Verdict(status="passed", passed=5, total=5, tests_passed=2, tests_total=2, searched=7)
RAISES = Verdict(
    status="error",
    passed=4,
    total=5,
    reason="differs on 1 of 5 inputs",
    failure=Failure(where="f(1)", expected="1", got="raises RecursionError: maximum recursion depth exceeded"),
)


def test_all_must_hold_and_the_first_that_does_not_is_told() -> None:
    verdict = together([("3.11", PASSED), ("3.12", PASSED), ("3.13", RAISES)])
    assert (verdict.status, verdict.reason) == ("error", "Python 3.13: differs on 1 of 5 inputs")
    assert verdict.environments_text == "3.11 ✓ 3.12 ✓ 3.13: RecursionError"


def test_where_all_hold_the_first_verdict_stands() -> None:
    verdict = together([("3.11", PASSED), ("3.12", PASSED)])
    assert (verdict.status, verdict.searched, verdict.reason) == ("passed", 7, "")
    assert verdict.environments_text == "3.11 ✓ 3.12 ✓"


def test_a_condition_of_one_interpreter_is_a_condition_of_all() -> None:
    condition = Condition(
        kind="rounding",
        said="floats differ by 1 ulp",
        count=1,
        total=5,
        input=CallInput(args=(1,)),
        call="f(1)",
        expected="1",
        got="2",
    )
    there = Verdict(status="conditional", passed=5, total=5, conditions=(condition,), uncompared=("files",))
    verdict = together([("3.11", PASSED), ("3.12", there)])
    assert verdict.status == "conditional"
    assert [given.text for given in verdict.conditions] == ["with Python 3.12 floats differ by 1 ulp (1 of 5 inputs)"]
    assert verdict.uncompared == ("files",)


@pytest.mark.parametrize(
    ("got", "short"),
    [("raises m:OddError: no", "OddError"), ("3", "failed"), ("raises StopIteration", "StopIteration"), ("", "failed")],
)
def test_the_short_reason_is_the_exception_else_the_status(got: str, short: str) -> None:
    there = Verdict(status="failed", failure=Failure(where="f()", got=got))
    assert together([("3.11", there)]).environments[0].short == short

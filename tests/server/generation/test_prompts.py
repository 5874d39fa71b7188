"""What models are told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from codeens_sandbox_backends import jobs
from codeens_sandbox_backends.programs import CallInput, Returned
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.target import Candidate, Context, Replacement
from codeens_server.domain.terms import Mode
from codeens_server.domain.verdict import Failure
from codeens_server.generation.facts import with_evidence
from codeens_server.generation.prompts import Feedback, messages_for
from codeens_variants.registry import find_variants
from tests.server.generation.makers import target, variant

CONTEXT = Context(imports="import math", helpers=("RATE = 3",), class_header="class Box:")


def _prompt(mode: Mode = "improve", feedback: Feedback | None = None, **changes: object) -> str:
    system, user = messages_for(variant(), mode, replace(target(), **changes), CONTEXT, feedback)
    return f"{system.content}\n{user.content}"


def _feedback(**failure: str) -> Feedback:
    candidate = Candidate(
        id="c",
        model="m",
        variant="baseline",
        source="def double(n):\n    return 3\n",
        replacement=Replacement(function="def double(n):\n    return 3"),
        digest="0",
    )
    return Feedback(candidate=candidate, failure=Failure(**({"where": "double(2)"} | failure)))


@pytest.mark.parametrize("name", ["baseline", "no_external_libs", "memory_efficient", "performance", "super_readable"])
@pytest.mark.parametrize("mode", ["improve", "repair", "implement"])
def test_every_built_in_variant_shows_function_context_and_task(name: str, mode: Mode) -> None:
    found = find_variants(user_dir=None, workspace_dir=None)[name].variant
    system, user = messages_for(found, mode, target(), CONTEXT)
    assert target().source in user.content
    assert "RATE = 3" in user.content
    assert "class Box:" in user.content
    assert f"{mode.capitalize()} the function." in user.content
    assert "the definition of `double`" in system.content
    assert not re.search(r"\{\w+\}", user.content)


def test_code_with_braces_and_fences_is_shown_as_it_is() -> None:
    source = 'def double(n):\n    """```\n    {function}\n    ```"""\n    return f"{n!r:>{n}}" "{{}}"'
    shown = _prompt(source=source)
    assert f"````python\n{source}\n````" in shown


def test_a_method_is_asked_for_without_its_class() -> None:
    assert "It is a method of a class" in _prompt(kind="method", qualname="Box.double")
    assert "inside of another function" in _prompt(kind="nested", qualname="outer.<locals>.double")
    assert "of a class" not in _prompt()


def test_feedback_tells_the_input_and_what_happened_but_never_what_people_expect() -> None:
    told = _prompt("repair", feedback=_feedback(expected="4711", got="raises KeyError: 'x'", traceback="KeyError: 'x'"))
    assert "double(2)" in told
    assert "raises KeyError: 'x'" in told
    assert "Traceback:" in told
    assert "return 3" in told
    assert "4711" not in told


def test_feedback_tells_the_expected_class_of_error_without_its_message() -> None:
    told = _prompt("repair", feedback=_feedback(expected="raises ValueError: need 4711", got="2"))
    assert "It should have raised: ValueError" in told
    assert "4711" not in told


def test_feedback_hides_what_an_assertion_says() -> None:
    told = _prompt(
        feedback=_feedback(
            where="test_m.py::test_double", got="failed: assert 2 == 4711", traceback="AssertionError: 2 != 4711"
        )
    )
    assert "test_m.py::test_double" in told
    assert "4711" not in told


def test_an_improvement_that_differs_is_told_what_the_original_does() -> None:
    told = _prompt("improve", feedback=_feedback(expected="4711", got="3"))
    of_test = _prompt("improve", feedback=_feedback(where="test_m.py::test_double", expected="4711", got="3"))

    assert "What the function as it is does: 4711" in told
    assert "4711" not in of_test


def test_feedback_tells_what_other_answers_tried() -> None:
    told = _prompt("repair", feedback=replace(_feedback(got="3"), others=("I used a set.",)))
    alone = _prompt("repair", feedback=_feedback(got="3"))

    assert "they tried:\n- I used a set." in told
    assert "they tried" not in alone


def test_a_model_is_shown_calls_failing_tests_and_the_interpreter(tmp_path: Path) -> None:
    (tmp_path / "test_m.py").write_text(
        "def test_one():\n    assert double(2) == 4\n\ndef test_two():\n    assert double(0) == 0\n", encoding="utf-8"
    )
    names = ("test_m.py::test_one", "test_m.py::test_two")
    tests = tuple(jobs.TestReport(id=name, outcome="failed", message="E 3 != 4") for name in names)
    calls = [CallInput(args=(number,)) for number in range(9)]
    cases = tuple(
        Case(id=str(number), origin="recorded", input=call, expected=Returned(value=2 * number, args=call.args))
        for number, call in enumerate(calls)
    )
    evidence = Evidence(mode="repair", cases=cases, tests=tests, python="3.11")

    context = with_evidence(CONTEXT, replace(target(), root=str(tmp_path)), evidence, ["numpy", "requests"])
    _, user = messages_for(variant(), "repair", target(), context)

    assert context.calls == ("double(0)  # 0", "double(4)  # 8", "double(8)  # 16")
    assert "def test_one():\n    assert double(2) == 4\n# E 3 != 4" in user.content
    assert "test_two" not in user.content
    assert "It runs on Python 3.11; of larger packages numpy can be imported." in user.content
    assert with_evidence(CONTEXT, target(), replace(evidence, mode="improve"), []).failing == ()

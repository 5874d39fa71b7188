"""What models are told."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from codeens_server.domain import Candidate, Context, Failure, Mode, Replacement
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


def test_feedback_tells_the_input_and_what_happened_but_never_the_expected_value() -> None:
    told = _prompt(feedback=_feedback(expected="4711", got="raises KeyError: 'x'", traceback="KeyError: 'x'"))
    assert "double(2)" in told
    assert "raises KeyError: 'x'" in told
    assert "Traceback:" in told
    assert "return 3" in told
    assert "4711" not in told


def test_feedback_tells_the_expected_class_of_error_without_its_message() -> None:
    told = _prompt(feedback=_feedback(expected="raises ValueError: need 4711", got="2"))
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

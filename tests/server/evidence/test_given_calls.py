"""Inputs that people give are read without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_sandbox_backends.programs import CallInput
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.domain.target import Target
from codeens_server.errors import InputError
from codeens_server.evidence.given_calls import MOST_CALLS, given_calls
from codeens_server.workspace.find import find_target


@pytest.fixture
def target(tmp_path: Path) -> Target:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    (tmp_path / "m.py").write_text("def f(items, key=None):\n    return items\n", encoding="utf-8")
    return find_target("m.py::f", cwd=tmp_path)


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("f([3, -1])", ([3, -1],)),
        ("f([0] * 3)", ([0, 0, 0],)),
        ("f(list(range(2, 8, 3)))", ([2, 5],)),
        ("f([[1] * 2, 'ab' * 2])", ([[1, 1], "abab"],)),
        ("f(10 * 1000 + 1)", (10001,)),
    ],
)
def test_a_call_is_read_and_what_stands_for_a_large_input_is_unfolded(
    text: str, args: tuple[object, ...], target: Target
) -> None:
    assert given_calls([text], target) == [CallInput(args=tuple(map(encode, args)))]


def test_keywords_are_read(target: Target) -> None:
    (call,) = given_calls(["f([], key='a')"], target)

    assert call.kwargs == {"key": "a"}


@pytest.mark.parametrize(
    "text",
    ["g([1])", "f(x)", "f(open('a'))", "f([0] * 10 ** 9)", "f(list(range(10000000)))", "f(**{'items': 1})", "f(", "f"],
)
def test_what_is_no_call_of_the_function_with_literals_is_refused(text: str, target: Target) -> None:
    with pytest.raises(InputError, match="no call of f with literal arguments"):
        given_calls([text], target)


def test_too_many_are_refused(target: Target) -> None:
    with pytest.raises(InputError, match="at most"):
        given_calls(["f(1)"] * (MOST_CALLS + 1), target)

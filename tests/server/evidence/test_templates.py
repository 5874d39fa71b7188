"""Inputs that name keys of a mapping beside them."""

from __future__ import annotations

import pytest

from codeens_sandbox_backends.programs import CallInput
from codeens_sandbox_backends.worker.values.codec import decode
from codeens_server.evidence.strategies.templates import templated

CALL = CallInput(args=("text", ["dict", ["b", "c"]]))


@pytest.mark.parametrize(
    ("literals", "source", "named"),
    [
        ([r"\{(\w+)\}"], "", "{a}"),
        (["{{", "}}"], "", "{{a}}"),
        (["${", "}"], "", "${a}"),
        ([], "return text.format_map(values)", "{a}"),
        ([], "return Template(text).safe_substitute(values)", "$a"),
    ],
)
def test_names_stand_between_the_marks_of_the_code(literals: list[object], source: str, named: str) -> None:
    assert named in {call.args[0] for call in templated([CALL], literals, [source])}


def test_what_a_name_stands_for_may_be_empty_or_name_another() -> None:
    made = [(call.args[0], decode(call.args[1])["a"]) for call in templated([CALL], ["{", "}"], [""])]
    assert {("{a}", "{b}"), ("{a}", "")} <= set(made)


def test_numbers_stay_numbers() -> None:
    numbers = CallInput(args=("text", ["dict", ["b", 7]]))
    assert {type(value) for call in templated([numbers], ["{", "}"], [""]) for _, value in call.args[1][1:]} == {int}


def test_without_marks_or_a_mapping_nothing_is_filled_in() -> None:
    assert templated([CALL], ["a"], [""]) == []
    assert templated([CallInput(args=("text", 3))], ["{", "}"], [""]) == []

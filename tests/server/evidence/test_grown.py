"""Inputs of a known form and any size, and inputs of a known size that nobody has seen."""

from __future__ import annotations

import random
from typing import Any

import pytest

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.values.check import well_formed
from codeens_server.evidence.strategies.grown import grown
from codeens_server.evidence.strategies.varied import varied


@pytest.mark.parametrize(
    "known",
    [
        ["list", 3, 1, 2],
        ["tuple", "b", "a", "c"],
        ["list", ["tuple", "x", 1.5], ["tuple", "y", 2.5]],
        ["set", 1, 2],
        ["dict", ["a", 1], ["b", 2]],
        "some text",
    ],
)
def test_containers_and_texts_grow_to_the_size_asked_for(known: Encoded) -> None:
    call = grown(CallInput(args=(known,)), 300, "s")
    assert call == grown(CallInput(args=(known,)), 300, "s")
    assert call is not None
    assert well_formed(call.args[0])
    assert len(call.args[0]) - isinstance(call.args[0], list) == 300


def test_a_sorted_list_stays_sorted_and_numbers_seldom_repeat() -> None:
    call = grown(CallInput(args=(["list", 1, 2, 3],), kwargs={"k": 2}), 1000, "s")
    assert call is not None
    items = call.args[0][1:]
    assert items == sorted(items)
    assert len(set(items)) > 400
    assert call.kwargs == {"k": 2}


@pytest.mark.parametrize(
    ("args", "expected"), [((7, -2), (50, -2)), ((0,), None), ((["list"],), None), ((True,), None)]
)
def test_without_containers_numbers_grow_and_what_is_empty_does_not(args: Any, expected: Any) -> None:
    call = grown(CallInput(args=args), 50, "s")
    assert (call and call.args) == expected


@pytest.mark.parametrize(
    "known", [12, 1.5, "2024-01-31", ["list", 1, 2], ["dict", ["key", ["tuple", "v", 1]]], ["object", "m:C", ["x", 3]]]
)
def test_a_varied_input_is_another_one_of_the_same_form(known: Encoded) -> None:
    call = varied(CallInput(args=(known,)), random.Random(3))
    assert call is not None
    assert call.args[0] != known
    assert well_formed(call.args[0])
    assert type(call.args[0]) is type(known)


def test_what_holds_no_number_and_no_text_is_not_varied() -> None:
    assert varied(CallInput(args=(["list"], None, True)), random.Random(3)) is None

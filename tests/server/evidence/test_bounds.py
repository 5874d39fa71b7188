"""How large numbers may be where the original takes too long on some."""

from __future__ import annotations

from codeens_sandbox_backends.programs import CallInput
from codeens_server.evidence.strategies.bounds import bounds, within


def test_no_count_is_larger_than_the_largest_that_was_answered() -> None:
    largest = bounds([CallInput(args=("a", 5_000)), CallInput(args=("a", 20))])
    tried = [CallInput(args=("b", 5_001)), CallInput(args=("b", 4_999)), CallInput(args=("b", -1))]
    assert within(largest, tried) == tried[1:]


def test_what_has_no_bound_may_be_of_any_size() -> None:
    tried = [CallInput(args=(1 << 40,), kwargs={"n": 1 << 40})]
    assert within({}, tried) == tried
    assert within(bounds([CallInput(kwargs={"n": 7})]), tried) == []
    assert within(bounds([CallInput(args=(True,))]), tried) == tried


def test_small_numbers_are_tried_whatever_was_answered() -> None:
    assert within(bounds([CallInput(args=(3,))]), [CallInput(args=(1_000,))])

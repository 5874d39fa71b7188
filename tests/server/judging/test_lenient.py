"""What a task file's values stand for."""

from __future__ import annotations

from typing import Any

import pytest

from codeens_sandbox_backends.worker.values.codec import encode
from codeens_server.tasks.lenient import matches


@pytest.mark.parametrize(
    ("expected", "returned"),
    [
        ([1, [2, 3]], (1, (2, 3))),
        ([3, 1], {1, 3}),
        (2, 2.0),
        (2.0, 2),
        (0.3, 0.1 + 0.2),
        ({"1": [1]}, {1: (1,)}),
        ({"true": 1, "null": 2}, {True: 1, None: 2}),
        (None, None),
        (2**80, 2**80),
        ([float("nan")], [float("nan")]),
        ([], ()),
    ],
)
def test_what_json_cannot_say_is_not_demanded(expected: Any, returned: Any) -> None:
    assert matches(encode(expected), encode(returned))


@pytest.mark.parametrize(
    ("expected", "returned"),
    [
        (True, 1),
        (1, True),
        ("1", 1),
        (1, "1"),
        (None, False),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ([1, 2], {1, 3}),
        (10**15, 10**15 + 1),
        (1.0, 1.001),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, ["a", 1]),
        ("a", ["a"]),
        ([], {}),
    ],
)
def test_what_json_can_say_is_demanded(expected: Any, returned: Any) -> None:
    assert not matches(encode(expected), encode(returned))


def test_a_malformed_answer_matches_nothing() -> None:
    assert not matches(["list", 1], ["list", ["bogus"]])

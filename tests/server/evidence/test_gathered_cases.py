"""Which inputs become evidence, as the original answers them in the real sandbox."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from codeens_sandbox_backends.programs import Encoded, Raised, Returned
from codeens_server.evidence.oracle import keeps_promise
from tests.server.evidence.conftest import Gather
from tests.server.evidence.workspaces import of_origin, reasons, value_of

pytestmark = pytest.mark.anyio


async def test_mutated_arguments_are_part_of_what_is_expected(evidence_of: Gather):
    evidence = await evidence_of({"mod.py": "def f(xs: list[int]) -> None:\n    xs.reverse()\n"})
    assert all(
        isinstance(case.expected, Returned) and case.expected.args[0] == ["list", *case.input.args[0][:0:-1]]
        for case in evidence.cases
    )


CACHE = """
    from collections import OrderedDict

    class Cache:
        def __init__(self, size: int) -> None:
            self.size = 2 + size % 2
            self.items: OrderedDict[str, int] = OrderedDict()

        def get(self, key: str) -> int:
            return self.items.get(key, 0)

        def put(self, key: str, value: int) -> None:
            self.items[key] = value
            if len(self.items) > self.size:
                self.items.popitem(last=False)

    class Counter:
        def __init__(self) -> None:
            self.count = 0

        def step(self) -> None:
            self.count += 1

        def f(self, n: int) -> int:
            return self.count + n
"""


async def test_a_method_is_called_on_instances_as_its_constructor_computes_and_other_methods_leave_them(
    evidence_of: Gather,
):
    evidence = await evidence_of({"mod.py": CACHE}, "Cache.get", max_inputs=40)
    caches = [dict(case.input.args[0][2:]) for case in evidence.cases]
    assert {cache["size"] for cache in caches} == {2, 3}
    assert {len(cache["items"]) - 1 for cache in caches} == {0, 1, 2, 3}
    assert any(value_of(case) for case in evidence.cases)


async def test_a_counter_that_begins_at_a_literal_is_moved_on(evidence_of: Gather):
    evidence = await evidence_of({"mod.py": CACHE}, "Counter.f", max_inputs=40)
    assert len({str(case.input.args[0]) for case in evidence.cases}) > 3


async def test_exceptions_are_kept_in_the_minority(evidence_of: Gather):
    source = "def f(n: int) -> int:\n    if n != 3:\n        raise ValueError(n)\n    return n\n"
    evidence = await evidence_of({"mod.py": source}, max_inputs=60)
    raised = [case for case in evidence.cases if isinstance(case.expected, Raised)]
    assert len(raised) <= len(evidence.cases) / 3
    assert "the original raises" in reasons(evidence)


async def test_what_differs_between_two_runs_is_set_aside(evidence_of: Gather):
    source = """
        import os, random

        calls = []

        def f(n: int):
            return os.urandom(8)

        def drawn(n: int):
            return n + random.random()

        def counted(n: int):
            calls.append(n)
            return len(calls)
    """
    evidence = await evidence_of({"mod.py": source})
    assert evidence.cases == ()
    assert "differs between runs of the original" in reasons(evidence)
    assert any("no call of the function" in note for note in evidence.notes)
    counted = await evidence_of({"mod.py": source}, "counted")
    assert {value_of(case) for case in counted.cases} == {1}
    assert (await evidence_of({"mod.py": source}, "drawn")).cases != ()


async def test_what_only_the_order_of_a_set_decides_is_kept(evidence_of: Gather):
    evidence = await evidence_of({"mod.py": "def f(words: list[str]):\n    return list(set(words))\n"})
    assert reasons(evidence) == ""
    assert any(len(set(case.input.args[0][1:])) > 3 for case in evidence.cases)


async def test_a_call_that_depends_on_more_than_its_arguments_is_set_aside(evidence_of: Gather):
    files = {
        "mod.py": "RATE = 2\ndef f(n):\n    return n * RATE\n",
        "test_mod.py": """
            import mod

            def test_a(monkeypatch):
                monkeypatch.setattr(mod, "RATE", 3)
                assert mod.f(2) == 6
        """,
    }
    evidence = await evidence_of(files)
    assert of_origin(evidence, "recorded") == []
    assert "it depends on more than its arguments" in reasons(evidence)


async def test_what_takes_too_long_on_small_inputs_is_not_tried_on_large_ones(evidence_of: Gather):
    source = "def f(n: int):\n    while n > 2:\n        pass\n    return n\n"
    evidence = await evidence_of({"mod.py": source}, max_inputs=8)
    assert evidence.cases
    assert all(case.input.args[0] <= 2 for case in evidence.cases)
    assert "too long" in reasons(evidence)


async def test_inputs_of_which_too_much_comes_out_are_set_aside(evidence_of: Gather):
    evidence = await evidence_of({"mod.py": "def f(n: int):\n    return str(n) + 'x' * 300_000\n"}, max_inputs=40)
    assert 5 < len(evidence.cases) < 14
    assert "too much comes out of all inputs together" in reasons(evidence)


async def test_a_count_that_makes_a_list_as_long_is_not_tried_where_it_is_huge(evidence_of: Gather):
    evidence = await evidence_of({"mod.py": "def f(count: int):\n    return ['x'] * count\n"}, max_inputs=60)
    assert any(case.input.args[0] > 100 for case in evidence.cases)
    assert all(case.input.args[0] < 30_000 for case in evidence.cases)
    assert "far more comes out than of other inputs" in reasons(evidence)


async def test_guessed_inputs_on_which_the_original_rarely_returns_are_no_evidence(evidence_of: Gather):
    source = "def f(text):\n    return text.no_such_method()\n"
    evidence = await evidence_of({"mod.py": source})
    assert evidence.cases == ()
    assert "of a type that the original does not take" in reasons(evidence)


async def test_guessed_inputs_on_which_the_original_returns_are_evidence(evidence_of: Gather):
    evidence = await evidence_of({"mod.py": "def f(text):\n    return text.split(',')\n"})
    assert len(evidence.cases) > 10


async def test_results_without_an_encoding_are_set_aside_and_tests_remain(evidence_of: Gather):
    files = {
        "mod.py": "def f(n: int):\n    return lambda: n\n",
        "test_mod.py": "from mod import f\ndef test_a(): assert f(4)() == 4\n",
    }
    evidence = await evidence_of(files)
    assert evidence.cases == ()
    assert [test.outcome for test in evidence.tests] == ["passed"]
    assert "no exact encoding" in reasons(evidence)
    assert any("only the 1 tests that reach it" in note for note in evidence.notes)


async def test_calls_in_tests_that_made_an_iterator_are_asked_again(evidence_of: Gather):
    files = {
        "mod.py": "def f(*rows):\n    return (a + b for a, b in zip(*rows))\n",
        "test_mod.py": "from mod import f\ndef test_a(): assert list(f([1, 2], [3, 4])) == [4, 6]\n",
    }
    evidence = await evidence_of(files)
    (case,) = of_origin(evidence, "recorded")
    assert value_of(case) == ["iter", "generator", 4, 6]
    assert "types of recorded calls" not in reasons(evidence)


def _one_more(n: int) -> Encoded:
    return n + 1


def _up_to(n: int) -> Encoded:
    return ["iter", "generator", *range(n % 3)]


def _grown(box: Encoded, by: int) -> Encoded:
    return ["object", "mod:Box", ["size", box[2][1] + by]]


def _doubled(n: int) -> Encoded:
    return n * 2


def _half(box: Encoded) -> Encoded:
    return box[2][1] / 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [("later", _one_more), ("stream", _up_to), ("Box.grow", _grown), ("Box.twice", _doubled), ("Box.half", _half)],
)
async def test_every_kind_of_function_can_be_asked(evidence_of: Gather, name: str, expected: Callable[..., Encoded]):
    source = """
        from dataclasses import dataclass

        async def later(n: int) -> int:
            return n + 1

        def stream(n: int):
            yield from range(n % 3)

        @dataclass
        class Box:
            size: int

            def grow(self, by: int):
                self.size += by
                return self

            @classmethod
            def twice(cls, edge: int):
                return edge * 2

            @property
            def half(self):
                return self.size / 2
    """
    evidence = await evidence_of({"mod.py": source}, name, max_inputs=12)
    assert len(evidence.cases) >= 8
    for case in evidence.cases:
        assert case.expected is not None
        assert keeps_promise(Returned(value=expected(*case.input.args)), case.expected)

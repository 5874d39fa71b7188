"""Recursions that meet the same arguments again and again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.server.rewrites.workshop import Call, check_equal, defined, rewritten

RULE = "memoise"


def test_a_pure_recursion_remembers_its_results_while_a_call_lasts(tmp_path: Path) -> None:
    source = '''
        def f(a: str, b: str) -> int:
            """Distance."""
            if not a or not b:
                return len(a) + len(b)
            if a[0] == b[0]:
                return f(a[1:], b[1:])
            return 1 + min(f(a[1:], b), f(a, b[1:]), f(a[1:], b[1:]))
    '''
    after = rewritten(tmp_path, RULE, source)
    assert after is not None
    assert after.startswith('def f(a: str, b: str) -> int:\n    """Distance."""\n    known = {}\n')
    check_equal(source, after, [("", ""), ("kitten", "sitting"), ("ab", ""), ("a", 1)])
    assert defined(after, "f")("exponential" * 3, "otherwise" * 3) > 0


NUMBERS: list[Call] = [(n,) for n in (-1, 0, 1, 2, 9, True, False, 1.0, 4.5, "x")]


@pytest.mark.parametrize(
    "body",
    [
        "return n if n < 2 else f(n - 1) + f(n - 2)",
        "if n < 2:\n        return n\n    return f(n - 1) + f(n - 2)",
        "if n < 2: return n\n    total = f(n - 1)\n    total += f(n - 2)\n    return total",
        "if n < 1:\n        return 1\n    return sum(f(i) for i in range(n))",
        "if n < 3:\n        return str(n)\n    return f(n - 1) + f(n - 2)",
    ],
)
@pytest.mark.parametrize("parameter", ["n", "n: int"])
def test_equal_numbers_of_other_types_are_told_apart(tmp_path: Path, body: str, parameter: str) -> None:
    source = f"def f({parameter}):\n    {body}\n"
    after = rewritten(tmp_path, RULE, source)
    if after is not None:
        check_equal(source, after, NUMBERS)
    assert after is not None or "str" in body or "range" in body


METHODS = """
class A:
    step = 1

    def climb(self, n: int) -> int:
        return 1 if n < 2 else self.climb(n - self.step) + self.climb(n - 2)

    @staticmethod
    def count(rows: int, columns: int) -> int:
        if rows == 1 or columns == 1:
            return 1
        return A.count(rows - 1, columns) + A.count(rows, columns - 1)

    def best(self, weights, i, room):
        if i == len(weights):
            return 0
        best = self.best(weights, i + 1, room)
        if weights[i] <= room:
            best = max(best, weights[i] + self.best(weights, i + 1, room=room - weights[i]))
        return best


def climb(n):
    return A().climb(n)


def best(weights, i, room):
    return A().best(weights, i, room)
"""


def test_methods_remember_too_and_what_is_handed_on_unchanged_is_no_part_of_the_key(tmp_path: Path) -> None:
    climbing = rewritten(tmp_path, RULE, METHODS, "A.climb")
    assert climbing is not None
    check_equal(METHODS, climbing, [(0,), (1,), (12,)], "climb")
    counting = rewritten(tmp_path, RULE, METHODS, "A.count")
    assert counting is not None
    check_equal(METHODS, counting, [(1, 1), (4, 6), (0, 1)], "A.count")
    packing = rewritten(tmp_path, RULE, METHODS, "A.best")
    assert packing is not None
    check_equal(METHODS, packing, [([], 0, 5), ([3, 4, 5], 0, 8), ([3, 4, 5], 2, 1), ((1, 2), 0, 2.5)], "best")


def test_a_function_inside_of_another_remembers_for_each_call_from_outside(tmp_path: Path) -> None:
    source = """
        def f(grid: list[list[int]]):
            rows, columns = len(grid), len(grid[0])

            # counts the ways
            def walk(i, j):
                if i == rows or j == columns or grid[i][j]:
                    return 0
                return 1 if (i, j) == (rows - 1, columns - 1) else walk(i + 1, j) + walk(i, j + 1)

            before = walk(0, 0)
            grid[0][1] = 1
            return before, walk(0, 0)
    """
    after = rewritten(tmp_path, RULE, source)
    assert after is not None
    assert "# counts the ways\n    def walk(i, j):\n        known = {}" in after
    check_equal(source, after, [([[0] * 3, [0] * 3],), ([[0, 0], [1, 0]],), ([[0] * 4, [0, 1, 0, 0], [0] * 4],)])


def test_the_recursion_goes_as_deep_as_before(tmp_path: Path) -> None:
    source = """
        def f(n: int, m: int):
            return 0 if n < 1 else f(n - 1, m) + f(n % 2 - 1, m)
    """
    after = rewritten(tmp_path, RULE, source)
    assert after is not None
    depth = sys.getrecursionlimit() - 200
    assert defined(after, "f")(depth, 0) == 0


@pytest.mark.parametrize(
    "source",
    [
        "def f(n: int):\n    if n < 2:\n        return [n]\n    return f(n - 1) + f(n - 2)\n",
        "def f(n: int):\n    print(n)\n    return n if n < 2 else f(n - 1) + f(n - 2)\n",
        "def f(xs: list[int]):\n    return 0 if not xs else f(xs[1:]) + f(xs[2:])\n",
        "def f(n: int):\n    return 1 if n < 2 else n * f(n - 1)\n",
        "def f(n: int):\n    if n % 2:\n        return f(n - 1)\n    return f(n // 2) if n else 0\n",
        "def f(n: int):\n    return n < 1 or f(n - 1) or f(n - 2)\n",
        "state = 1\n\ndef f(n: int):\n    return state if n < 2 else f(n - 1) + f(n - 2)\n",
        "async def f(n: int):\n    return 1 if n < 2 else (await f(n - 1)) + (await f(n - 2))\n",
        "def f(x: float):\n    return x if x < 2 else f(x - 1) + f(x - 2)\n",
        "def f(n: int, seen=[]):\n    return 1 if n < 2 else f(n - 1) + f(n - 2)\n",
        "def f(n: int, box):\n    return box.get(n) if n < 2 else f(n - 1, box) + f(n - 2, box)\n",
        "def f(n: int):\n    return 1 if n < 2 else f(n - 1) + f(n - 2)\n\nf = print(f) or f\n",
        (
            "class A:\n    def f(self, n: int):\n        return 1 if n < 2 else self.f(n - 1) + self.f(n - 2)\n\n"
            "class B(A):\n    def f(self, n: int):\n        return super().f(n) + 1\n"
        ),
    ],
    ids=[
        "list",
        "prints",
        "unhashable",
        "one call",
        "one call on each path",
        "the second may be skipped",
        "state",
        "async",
        "signed zero",
        "kept default",
        "unknown method",
        "bound again",
        "overridden",
    ],
)
def test_what_may_differ_or_is_no_use_is_not_remembered(tmp_path: Path, source: str) -> None:
    assert rewritten(tmp_path, RULE, source, "A.f" if "class" in source else "f") is None

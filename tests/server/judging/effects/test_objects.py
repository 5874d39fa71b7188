"""Which objects are one, in what order they are, and how arguments are left."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_server.domain.verdict import Verdict
from tests.server.judging.effects.trying import Try, labels, verdicts_of

MODULE = """
import functools


def pop_until(items, found):
    while items:
        if items[0] < 0:
            raise ValueError("negative")
        found.append(items.pop(0))


def filed(groups, key, item):
    groups[key].append(item)


def put_in_order(rows):
    rows.sort()


def tidied(groups):
    groups["a"] = sorted(groups["a"])


def rows(height, width):
    return [[0] * width for _ in range(height)]


def copied(grid):
    return [list(row) for row in grid]


def first(boxes):
    return boxes[0] if boxes else None


def ranked(counts):
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))


def grouped(words):
    return {word: len(word) for word in set(words)}


def joined(words):
    return ", ".join(set(words))


def shown(words):
    return f"has {set(words)}"


def distinct(words):
    return [word.upper() for word in set(words)]


def table(size):
    return [number * number for number in range(size)]
"""
TRIES = [
    Try(
        "pop_until",
        [([1, -1], []), ([1, 2], [])],
        {
            ("same", True): "def pop_until(items, found):\n    while items and items[0] >= 0:\n"
            "        found.append(items.pop(0))\n    if items:\n        raise ValueError('no')",
            ("checks before", False): "def pop_until(items, found):\n    if any(i < 0 for i in items):\n"
            "        raise ValueError('negative')\n    found += items\n    items.clear()",
        },
    ),
    Try(
        "filed",
        [({"a": [1], "b": []}, "a", 2), ({"a": [1], "b": []}, "b", 2)],
        {
            ("in place", True): "def filed(groups, key, item):\n    group = groups[key]\n    group += [item]",
            ("into a new list", False): "def filed(groups, key, item):\n    groups[key] = [*groups[key], item]",
        },
    ),
    Try(
        "put_in_order",
        [([[2], [1]],), ([[1], [1]],)],
        {
            ("the same rows", True): "def put_in_order(rows):\n    rows[:] = sorted(rows)",
            ("copies of rows", False): "def put_in_order(rows):\n    rows[:] = [list(row) for row in sorted(rows)]",
        },
    ),
    Try(
        "tidied",
        [({"a": [2, 1]},)],
        {
            ("a new one", True): "def tidied(groups):\n    groups.update(a=sorted(groups['a']))",
            ("in place", False): "def tidied(groups):\n    groups['a'].sort()",
        },
    ),
    Try(
        "rows",
        [(2, 2), (0, 3), (3, 0)],
        {
            (
                "separate rows",
                True,
            ): "def rows(height, width):\n    return [[0 for _ in range(width)] for _ in range(height)]",
            ("one row", False): "def rows(height, width):\n    return [[0] * width] * height",
        },
    ),
    Try(
        "copied",
        [([[1], [2]],), ([],)],
        {
            ("slices", True): "def copied(grid):\n    return [row[:] for row in grid]",
            ("the argument", False): "def copied(grid):\n    return grid",
            ("its rows", False): "def copied(grid):\n    return list(grid)",
        },
    ),
    Try(
        "first",
        [([[1], [1]],), ([],)],
        {
            ("iterates", True): "def first(boxes):\n    return next(iter(boxes), None)",
            ("an equal one", False): "def first(boxes):\n    return boxes[-1] if boxes else None",
            ("a copy", False): "def first(boxes):\n    return list(boxes[0]) if boxes else None",
        },
    ),
    Try(
        "ranked",
        [({"a": 1, "b": 2},)],
        {
            ("same order", True): "def ranked(counts):\n    pairs = list(counts.items())\n"
            "    pairs.sort(key=lambda p: -p[1])\n    return dict(pairs)",
            ("no order", False): "def ranked(counts):\n    return dict(counts)",
        },
    ),
    Try(
        "grouped",
        [(["a", "bc", "def", "x", "y", "z", "k", "l"],)],
        {("any order", True): "def grouped(words):\n    return {word: len(word) for word in words}"},
    ),
    Try(
        "joined",
        [(["a", "b"],), (["c"],), (["a", "bc", "def", "x", "y"],)],
        {
            ("another order", True): "def joined(words):\n    return ', '.join(sorted({*words}))",
            ("another separator", False): "def joined(words):\n    return ','.join(set(words))",
            ("leaves one out", False): "def joined(words):\n    return ', '.join(sorted(set(words))[:4])",
        },
    ),
    Try(
        "shown",
        [(["a", "b"],), ([],)],
        {
            ("another order", True): "def shown(words):\n    return 'has ' + str(set(reversed(words)))",
            ("no braces", False): "def shown(words):\n    return f'has {sorted(set(words))}'",
        },
    ),
    Try(
        "distinct",
        [(["a", "b"],), (["a", "bc", "def", "a"],)],
        {
            ("in order of appearance", True): "def distinct(words):\n"
            "    return list(map(str.upper, dict.fromkeys(words)))",
            ("as often", False): "def distinct(words):\n    return [word.upper() for word in words]",
        },
    ),
    Try(
        "table",
        [(3,), (0,)],
        {
            ("fresh", True): "def table(size):\n    return list(map(lambda n: n * n, range(size)))",
            ("collected only later", True): "def table(size):\n    found = []\n    def add(number):\n"
            "        if number:\n            add(number - 1)\n            found.append((number - 1) ** 2)\n"
            "    add(size)\n    return found",
            ("remembered", False): "@functools.lru_cache\ndef table(size):\n    return [n * n for n in range(size)]",
            ("one buffer", False): "_BUFFER = []\n\n\ndef table(size):\n"
            "    _BUFFER[:] = [n * n for n in range(size)]\n    return _BUFFER",
        },
    ),
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Verdict]]:
    folder: Path = tmp_path_factory.mktemp("effects")
    return verdicts_of(folder, MODULE, TRIES)


@pytest.mark.parametrize(("name", "candidate", "right"), labels(TRIES))
def test_a_candidate_passes_only_if_its_objects_are_as_much_the_same(
    verdicts: dict[str, dict[str, Verdict]], name: str, candidate: str, right: bool
) -> None:
    verdict = verdicts[name][candidate]
    assert (verdict.status == "passed") is right, (verdict.reason, verdict.failure)

"""Lists that are searched again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.rewrites.workshop import check_equal, rewritten

RULE = "list-membership-to-set"


def test_a_list_searched_in_a_loop_becomes_a_set_once(tmp_path: Path) -> None:
    source = """
        def f(words: list[str], stop: list[str]) -> int:
            count = 0
            for word in words:
                # common words do not count
                if word not in stop:
                    count += 1
            return count
    """
    after = rewritten(tmp_path, RULE, source)
    assert after is not None
    assert "    stop_set = set(stop)\n    for word in words:\n        # common" in after
    assert "if word not in stop_set:" in after
    check_equal(source, after, [([], []), (["a", "b", "a"], ["a"]), (["x"], []), (["x"], [""])])


def test_a_list_searched_in_a_comprehension_becomes_a_set_before_the_statement(tmp_path: Path) -> None:
    source = """
        BLOCKED = ["spam", "ham", "offer", "prize"]

        def f(words):
            return [word for word in words if word in BLOCKED]
    """
    after = rewritten(tmp_path, RULE, source)
    assert after is not None
    assert "blocked_set = set(BLOCKED)\n    return [word for word in words if word in blocked_set]" in after
    check_equal(source, after, [([],), (["spam", "eggs", "ham", "spam"],)])


def test_a_list_that_grows_while_it_is_searched_gets_a_set_beside_it(tmp_path: Path) -> None:
    source = """
        def f(items):
            unique = []
            for item in items:
                if item not in unique:
                    unique.append(item)
            return unique
    """
    after = rewritten(tmp_path, RULE, source)
    assert after is not None
    assert "unique = []\n    unique_set = set()" in after
    assert "unique.append(item)\n            unique_set.add(item)" in after
    check_equal(source, after, [([],), ([3, 1, 3, 2, 1],), (["b", "a", "b"],), ([1, 1.0, True],)])


def test_a_list_that_serves_only_for_searching_becomes_the_set(tmp_path: Path) -> None:
    source = """
        def f(rows):
            seen: list[str] = []
            result = []
            for row in rows:
                if row["id"] not in seen:
                    seen.append(row["id"])
                    result.append(row)
            return result
    """
    after = rewritten(tmp_path, RULE, source)
    assert after is not None
    assert "seen = set()" in after
    assert 'seen.add(row["id"])' in after
    check_equal(source, after, [([],), ([{"id": "a"}, {"id": "b"}, {"id": "a", "x": 1}],), ([{}],)])


def test_constants_searched_in_a_loop_become_a_constant_set(tmp_path: Path) -> None:
    source = """
        def f(text: str) -> int:
            return sum(1 for sign in text if sign in ["a", "e", "i", "o", "u"])
    """
    after = rewritten(tmp_path, RULE, source)
    assert after is not None
    assert 'if sign in {"a", "e", "i", "o", "u"}' in after
    check_equal(source, after, [("",), ("education",)])


@pytest.mark.parametrize(
    "source",
    [
        """
        def f(words: list[str], stop: list[str]):
            for word in words:
                if word not in stop:
                    stop.append(word + "s")
            return stop
        """,
        """
        def f(words: list[str], text: str):
            return [word for word in words if word in text]
        """,
        """
        def f(words, text):
            return [word for word in words if word in text]
        """,
        """
        def f(rows: list[list[int]], known: list[list[int]]):
            return [row for row in rows if row in known]
        """,
        """
        def f(words, stop: list[str] | None = None):
            return [word for word in words if stop and word in stop]
        """,
        """
        def f(word: str, stop: list[str]):
            return word in stop
        """,
        """
        ENDS = ("first", "last")

        def f(words):
            return [word for word in words if word in ENDS]
        """,
        """
        def f(words: list[str], stop: list[str], change):
            found = []
            for word in words:
                if word in stop:
                    found.append(word)
                change(stop)
            return found
        """,
        """
        def f(groups: list[list[str]]):
            found = []
            for group in groups:
                for other in groups:
                    members = group + other
                    if "x" in members:
                        found.append(1)
            return found
        """,
        """
        def set(x):
            return x

        def f(words, found: list[str]):
            seen = []
            for word in words:
                if word not in seen:
                    seen.append(word)
                    seen.sort()
            return seen
        """,
    ],
    ids=[
        "grows",
        "text",
        "maybe text",
        "unhashable",
        "none",
        "no loop",
        "short",
        "handed on",
        "new each turn",
        "other use",
    ],
)
def test_a_list_that_a_set_could_not_follow_stays(tmp_path: Path, source: str) -> None:
    assert rewritten(tmp_path, RULE, source) is None

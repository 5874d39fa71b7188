"""Searches that are made once: positions, pairs with a sum, elements of an attribute, places in an order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.rewrites.workshop import Call, check_equal, function, rewritten

POSITIONS = "index-to-positions"
PAIRS = "pairs-to-positions"
INSORT = "sort-to-insort"
SET = "list-membership-to-set"
NAN = float("nan")
LISTS: list[list[int]] = [[], [1], [2, 7, 11, 15, 2], [3, 3], [0, 0, 0], [-1, 4, 1, -4, 4, True], [5, 1, 5, 1, 5]]


@pytest.mark.parametrize(
    "body",
    [
        """
        for i in range(len(xs)):
            for j in range(i + 1, len(xs)):
                if xs[i] + xs[j] == target:
                    return [i, j]
        return []
        """,
        """
        found = []
        for i in range(len(xs)):
            for j in range(len(xs)):
                if i != j and xs[j] == target - xs[i]:
                    found.append((i, j))
        return found
        """,
        """
        best = None
        for i in range(len(xs)):
            for j in range(i + 1, len(xs)):
                # near each other
                if xs[i] == xs[j] and j - i <= target:
                    best = (i, j)
        return best
        """,
        """
        count = 0
        for i in range(len(xs) - 2):
            for j in range(i + 1, len(xs) - 1):
                for k in range(j + 1, len(xs)):
                    if xs[i] + xs[j] + xs[k] == target:
                        count += 1
        return count
        """,
    ],
)
def test_the_second_of_a_pair_is_looked_up_and_the_pairs_come_in_their_order(tmp_path: Path, body: str) -> None:
    source = function("f(xs: list[int], target: int)", body)
    after = rewritten(tmp_path, PAIRS, source)
    assert after is not None
    assert "_positions.get(" in after
    check_equal(source, after, [(xs, target) for xs in LISTS for target in (-3, 0, 3, 6, 9)])


@pytest.mark.parametrize(
    ("signature", "start", "test"),
    [
        ("f(xs: list[float], target: float)", "i + 1", "xs[i] + xs[j] == target"),
        ("f(xs, target)", "i + 1", "xs[i] + xs[j] == target"),
        ("f(xs: list[int], target: int)", "i - 1", "xs[i] + xs[j] == target"),
        ("f(xs: list[int], target: int)", "i + 1", "xs[i] + xs[j] < target"),
        ("f(xs: list[int], target: int)", "i + 1", "xs[j] == target * xs[j]"),
        ("f(xs: list[int], target)", "i + 1", "target(xs) and xs[i] == xs[j]"),
    ],
    ids=["rounding", "unknown", "from the end", "no equality", "both sides", "unknown code"],
)
def test_other_pairs_are_tried_as_before(tmp_path: Path, signature: str, start: str, test: str) -> None:
    body = f"""
        for i in range(len(xs)):
            for j in range({start}, len(xs)):
                if {test}:
                    return i, j
        return None
    """
    assert rewritten(tmp_path, PAIRS, function(signature, body)) is None


def test_positions_are_noted_once_and_what_is_not_there_raises_as_before(tmp_path: Path) -> None:
    source = """
        def f(names: list, wanted: list):
            found = []
            for name in wanted:
                found.append((name, names.index(name)))
            return found, [names.index(name) for name in names]
    """
    after = rewritten(tmp_path, POSITIONS, source)
    assert after is not None
    assert "names_positions.setdefault(element, position)" in after
    same: Call = ([1, True, NAN, 0.0, -0.0], [1.0, NAN])
    check_equal(source, after, [([], []), (["a", "b", "a"], ["a", "b"]), (["a"], ["c"]), same])


@pytest.mark.parametrize(
    "body",
    [
        "return [text.index(x) for x in xs]",
        "return [other.index(x) for x in xs]",
        "return xs.index(text)",
        "return [xs.index(x, 1) for x in xs]",
        """
        for x in list(xs):
            xs.remove(x)
            print(xs.index(x))
        """,
        """
        for x in xs:
            other(xs.index(x))
        """,
    ],
    ids=["a part of a text", "unknown object", "no loop", "from a start", "changed", "unknown code"],
)
def test_other_searches_for_positions_stay(tmp_path: Path, body: str) -> None:
    assert rewritten(tmp_path, POSITIONS, function("f(xs: list[str], text: str, other)", body)) is None


def test_an_attribute_that_the_class_makes_a_list_is_searched_in_a_set(tmp_path: Path) -> None:
    source = """
        class Words:
            def __init__(self, stop):
                self.stop = list(stop)

            def kept(self, words: list[str]):
                found = []
                for word in words:
                    if word not in self.stop:
                        found.append(word)
                return found

            def learnt(self, words: list[str]):
                for word in words:
                    if word not in self.stop:
                        self.stop.append(word)

        def f(stop, words):
            return Words(stop).kept(words)
    """
    after = rewritten(tmp_path, SET, source, "Words.kept")
    assert after is not None
    assert "stop_set = set(self.stop)" in after
    check_equal(source, after, [([], []), (["a"], ["a", "b", "a"])])
    assert rewritten(tmp_path, SET, source, "Words.learnt") is None
    unknown = source.replace("self.stop = list(stop)", "self.stop = stop")
    assert rewritten(tmp_path, SET, unknown, "Words.kept") is None


def test_a_list_that_is_sorted_after_each_addition_is_kept_in_order(tmp_path: Path) -> None:
    source = """
        def f(numbers: list[int]):
            seen = []
            middles = []
            for number in numbers:
                # in order
                seen.append(number)
                seen.sort()
                middles.append(seen[len(seen) // 2])
                if len(seen) > 3:
                    seen.pop(0)
            return middles, seen
    """
    after = rewritten(tmp_path, INSORT, source)
    assert after is not None
    assert "# in order\n        insort(seen, number)" in after
    check_equal(source, after, [(xs,) for xs in LISTS])


@pytest.mark.parametrize(
    ("signature", "change"),
    [
        ("f(xs: list[float])", ""),
        ("f(xs)", ""),
        ("f(xs: list[int])", "seen[0] = 9"),
        ("f(xs: list[int])", "seen.insert(0, 9)"),
        ("f(xs: list[int])", "print(seen.append(9))"),
        ("f(xs: list[int])", "seen = seen + [3]"),
    ],
)
def test_a_list_that_may_be_out_of_order_is_sorted_as_before(tmp_path: Path, signature: str, change: str) -> None:
    body = f"""
        seen = []
        for x in xs:
            {change or "pass"}
            seen.append(x)
            seen.sort()
        return seen
    """
    assert rewritten(tmp_path, INSORT, function(signature, body)) is None

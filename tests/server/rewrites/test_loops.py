"""What is done in loops, done outside of them or said in one expression."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.rewrites.workshop import Call, check_equal, function, rewritten

HOIST = "hoist-loop-invariant"
JOIN = "concatenation-to-join"
NUMBERS: list[Call] = [([],), ([0],), ([3, -1, 12],), ([1, 2, 3, 4],)]


def test_invariant_calls_are_computed_once_before_the_loop(tmp_path: Path) -> None:
    source = """
        def f(xs: list[int]):
            shares = []
            for x in xs:
                if x != max(xs):
                    shares.append(x / (sum(xs) + len(xs)))
            return shares
    """
    after = rewritten(tmp_path, HOIST, source)
    assert after is not None
    head = after.partition("for x in xs")[0]
    assert "sum(xs)" in head
    assert "len(xs)" in head
    assert "max(xs, default=None)" in head
    check_equal(source, after, NUMBERS)


def test_an_invariant_goes_before_the_outermost_loop_that_leaves_it_alone(tmp_path: Path) -> None:
    source = """
        def f(rows: list[list[str]], term: str):
            found = 0
            for row in rows:
                for cell in row:
                    if term.lower() == cell.lower() and len(row) > 1:
                        found += 1
            return found
    """
    after = rewritten(tmp_path, HOIST, source)
    assert after is not None
    assert "    term_lower = term.lower()\n    for row in rows:\n        row_len = len(row)\n        for cell" in after
    check_equal(source, after, [([], "x"), ([["A", "b"], ["a"], []], "a")])


def test_a_pattern_is_compiled_before_the_loop(tmp_path: Path) -> None:
    source = r"""
        import re

        def f(lines):
            return [line for line in lines if re.search(r"\d+", line)]
    """
    after = rewritten(tmp_path, HOIST, source)
    assert after is not None
    assert r'pattern = re.compile(r"\d+")' in after
    assert "if pattern.search(line)" in after
    check_equal(source, after, [([],), (["a1", "b"],), ([1],)])


@pytest.mark.parametrize(
    "body",
    [
        """
        for x in xs:
            xs.append(len(xs))
            if len(xs) > 9:
                break
        """,
        """
        while len(xs) < 5:
            other(xs)
        """,
        """
        for x in xs:
            n = len(xs)
            xs = xs[1:]
        """,
        """
        for x in xs:
            print(sorted(xs).pop())
        """,
        """
        for x in other:
            print(max(xs))
        """,
        """
        for x in xs:
            yield len(xs)
        """,
        """
        len = other
        for x in xs:
            print(len(xs))
        """,
        """
        for x in other:
            try:
                print(len(xs))
            except TypeError:
                pass
        """,
        """
        for x in other:
            if "name" in xs:
                print(len(xs["name"]))
        """,
    ],
)
def test_what_may_change_or_fail_in_the_loop_stays_there(tmp_path: Path, body: str) -> None:
    source = function("f(xs, other=None)", body)
    assert rewritten(tmp_path, HOIST, source) is None


def test_a_string_is_joined_once(tmp_path: Path) -> None:
    source = """
        def f(rows):
            text = ""
            for row in rows:
                text += row
                if row:
                    text = text + "," + row
            return text
    """
    after = rewritten(tmp_path, JOIN, source)
    assert after is not None
    assert 'text_parts.append("," + row)' in after
    assert 'return "".join(text_parts)' in after
    check_equal(source, after, [([],), (["a", "", "b"],), (["a", 1],)])


def test_a_string_that_grows_at_its_front_is_joined_in_reverse(tmp_path: Path) -> None:
    source = """
        def f(word: str) -> str:
            turned = "<"
            for sign in word:
                turned = sign + turned
            return turned + ">"
    """
    after = rewritten(tmp_path, JOIN, source)
    assert after is not None
    assert 'turned = "".join(reversed(turned_parts))' in after
    check_equal(source, after, [("",), ("abc",)])


@pytest.mark.parametrize(
    "body",
    [
        """
        for row in rows:
            text += row
            print(text)
        """,
        """
        for row in rows:
            text += row
            if len(text) > 3:
                break
        """,
        """
        for row in rows:
            text += row
            text = row + text
        """,
        """
        def inner():
            return text
        for row in rows:
            text += row
        """,
    ],
)
def test_a_string_that_is_looked_at_while_it_grows_stays(tmp_path: Path, body: str) -> None:
    source = function("f(rows)", 'text = ""', body, "return text")
    assert rewritten(tmp_path, JOIN, source) is None

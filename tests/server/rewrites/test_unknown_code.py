"""What nobody knows may do anything: a rewrite that relies on it is not made."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from codeens_server.generation.rewrites.rules import rule_names
from tests.server.rewrites.workshop import candidates, check_equal, rewritten, variant

HOIST = "hoist-loop-invariant"
SET = "list-membership-to-set"
COUNT = "manual-count-to-counter"


def everything(folder: Path, source: str, name: str = "f") -> list[str]:
    """The names of all candidates that the rules make."""
    return [one.id for one in candidates(folder, textwrap.dedent(source).lstrip(), name, variant(*rule_names()))]


@pytest.mark.parametrize(
    "source",
    [
        """
        def f(jobs, handle):
            i = 0
            while i < len(jobs):
                handle(jobs[i])
                i += 1
            return i
        """,
        """
        def f(jobs: list[str], runner):
            for i in range(3):
                runner.get(i)
                print(len(jobs))
        """,
        """
        def f(jobs: list[str], out: list[str]):
            for job in ("a", "b"):
                out.append(job)
                print(len(jobs))
        """,
        """
        def f(jobs: list[int], lock):
            for i in range(3):
                with lock:
                    print(sum(jobs))
        """,
        """
        class A:
            def __init__(self):
                self.jobs = []

            def f(self, handle):
                for i in range(3):
                    handle(i)
                    print(len(self.jobs))
        """,
        """
        KNOWN = ["a", "b", "c", "d", "e"]

        def forget():
            global KNOWN
            KNOWN = []

        def f(words: list[str]):
            found = []
            for word in words:
                if word in KNOWN:
                    found.append(word)
                forget()
            return found
        """,
        """
        LIMIT = 3

        def f(words: list[str], other):
            for word in words:
                other.index(word)
                print(str(LIMIT))

        def raised():
            global LIMIT
            LIMIT += 1
        """,
        """
        def f(words: list[str], stop: list[str], note):
            return [word for word in words if note(word) or word in stop]
        """,
        """
        def f(words: list[str], stop: list[str], note):
            return [word for word in note(stop) if word in stop]
        """,
    ],
    ids=[
        "callback",
        "method called get",
        "another name of the same list",
        "context manager",
        "attribute",
        "global",
        "number bound again",
        "callback in a comprehension",
        "callback before a comprehension",
    ],
)
def test_nothing_is_computed_once_where_unknown_code_may_change_it(tmp_path: Path, source: str) -> None:
    made = everything(tmp_path, source, "A.f" if "class A" in source else "f")
    assert not [one for one in made if HOIST in one or SET in one]


def test_what_the_function_made_and_shows_to_nobody_is_computed_once(tmp_path: Path) -> None:
    source = """
        def f(text: str, note):
            words = text.split()
            for word in words:
                note(word, len(words))
            stop = ["a", "b", "c", "d"]
            stop.append("e")
            return [word for word in words if note(word) and word in stop]
    """
    hoisted = rewritten(tmp_path, HOIST, source)
    assert hoisted is not None
    assert "words_len = len(words)\n    for word in words" in hoisted
    searched = rewritten(tmp_path, SET, source)
    assert searched is not None
    assert "stop_set = set(stop)" in searched


@pytest.mark.parametrize(
    "expression",
    [
        "[word for word in words if term.find(words[0])]",
        "[len(found) for word in words for found in [term.copy()]]",
        "[x for x in words if x in term.keys()]",
        "[x for x in words if x in list(term.keys())]",
        "[max(term) for word in words]",
        "[sum(term) for word in words]",
    ],
)
def test_an_object_of_a_type_that_nobody_knows_is_asked_as_often_as_before(tmp_path: Path, expression: str) -> None:
    made = everything(tmp_path, f"def f(words: list[str], term):\n    return {expression}\n")
    assert [one for one in made if "ruff" not in one] == []


@pytest.mark.parametrize("call", ["re.compile(pattern)", "math.sqrt(n)", "max(xs)", "pow(n, -1, 4)"])
def test_what_may_fail_is_not_done_before_a_loop_that_may_have_no_turn(tmp_path: Path, call: str) -> None:
    source = f"""
        import math
        import re

        def f(words: list[str], pattern: str, n: int, xs: list[int]):
            return [{call} for word in words]
    """
    assert rewritten(tmp_path, HOIST, source) is None


def test_a_regular_expression_compiled_in_a_loop_is_compiled_before_it(tmp_path: Path) -> None:
    source = r"""
        import re

        NUMBER = r"\d+"

        def f(lines: list[str]):
            found = []
            for line in lines:
                pattern = re.compile(r"[a-z]+")
                found.append((pattern.findall(line), re.search(NUMBER, line) is None))
            return found
    """
    after = rewritten(tmp_path, HOIST, source)
    assert after is not None
    assert after.index("re.compile(NUMBER)") < after.index("for line in lines")
    assert after.index('re.compile(r"[a-z]+")') < after.index("for line in lines")
    check_equal(source, after, [([],), (["a1", "b"],)])


def test_no_name_is_imported_that_the_rest_of_the_module_means_otherwise(tmp_path: Path) -> None:
    source = """
        from re import search

        def f(lines: list[str]):
            return [line for line in lines if search("a+", line)]
    """
    assert rewritten(tmp_path, HOIST, source) is None


def test_the_end_of_an_iterator_comes_out_as_it_did(tmp_path: Path) -> None:
    source = """
        def f(words: list[str], numbers: list[int]):
            numbers = iter(numbers)
            counts = {}
            for word in words:
                if next(numbers):
                    counts[word] = counts.get(word, 0) + 1
            return counts
    """
    after = rewritten(tmp_path, COUNT, source)
    assert after is not None
    check_equal(source, after, [(["a", "b"], [1]), (["a", "a", "b"], [1, 2, 0]), ([], [])])


@pytest.mark.parametrize(
    "body",
    [
        "return (a ** n) % m",
        "r = 1\n    for _ in range(n):\n        r = r * a % m\n    return r",
    ],
)
def test_numbers_that_may_be_floats_keep_their_power(tmp_path: Path, body: str) -> None:
    assert rewritten(tmp_path, "pow-mod", f"def f(a, n, m):\n    {body}\n") is None


def test_parts_that_may_be_no_text_are_joined_only_where_nothing_else_happens(tmp_path: Path) -> None:
    loop = "    for part in parts:\n        {}text += part\n    return text\n"
    assert rewritten(tmp_path, "concatenation-to-join", f"def f(parts):\n    text = ''\n{loop.format('')}") is not None
    noted = f"def f(parts, note):\n    text = ''\n{loop.format('note(part); ')}"
    assert rewritten(tmp_path, "concatenation-to-join", noted) is None

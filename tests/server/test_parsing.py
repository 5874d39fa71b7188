from __future__ import annotations

import ast
import gc
import threading
import time
import warnings
from collections.abc import Iterator

import pytest

from codeens_server.syntax.parsing import ParseFailure, parse, parse_expression, symbol_table

LARGE = ("x = " + "+".join(["(a * (b - c))"] * 40) + "\n") * 10


class LetsOthersRun:
    """Garbage whose finalizer gives way to another thread, as one that waits for a lock or writes a file does."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        time.sleep(0)


@pytest.fixture
def _frequent_collections() -> Iterator[None]:
    usual = gc.get_threshold()
    gc.set_threshold(50)
    yield
    gc.set_threshold(*usual)


@pytest.mark.usefixtures("_frequent_collections")
def test_threads_parse_at_the_same_time_while_garbage_is_collected() -> None:
    failures: list[BaseException] = []

    def parse_often() -> None:
        for _ in range(5):
            for _ in range(20):
                LetsOthersRun()
            try:
                parse(LARGE)
            except SystemError as error:
                failures.append(error)

    threads = [threading.Thread(target=parse_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_what_python_would_warn_of_is_not_told() -> None:
    assert isinstance(parse(r"pattern = '\d'"), ast.Module)


def test_an_expression_may_have_blanks_around_it() -> None:
    expression = parse_expression("  f( 1 )\n")
    assert isinstance(expression, ast.expr)
    assert ast.unparse(expression) == "f(1)"


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("x = 1\nreturn (", "syntax error: '(' was never closed (line 2)"),
        ("-" * 100_000 + "1", "it cannot be parsed: "),
        ("x = 1\0", ""),
    ],
)
def test_a_text_that_python_refuses_gives_the_reason(text: str, failure: str) -> None:
    for refused in (parse(text), symbol_table(text)):
        assert isinstance(refused, ParseFailure)
        assert str(refused).startswith(failure)


def test_a_statement_is_no_expression() -> None:
    assert isinstance(parse_expression("x = 1"), ParseFailure)


def test_the_caller_s_filters_of_warnings_stay_as_they_are() -> None:
    before = list(warnings.filters)
    symbol_table(r"pattern = '\d'")
    parse("return (")
    assert list(warnings.filters) == before

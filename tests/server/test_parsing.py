from __future__ import annotations

import ast
import gc
import threading
import time
from collections.abc import Iterator

import pytest

from codeens_server.parsing import parse_expression, parse_module

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
                parse_module(LARGE)
            except SystemError as error:
                failures.append(error)

    threads = [threading.Thread(target=parse_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_what_python_would_warn_of_is_not_told() -> None:
    assert isinstance(parse_module(r"pattern = '\d'"), ast.Module)


def test_an_expression_may_have_blanks_around_it() -> None:
    assert ast.unparse(parse_expression("  f( 1 )\n")) == "f(1)"


def test_a_text_that_is_no_expression_is_a_syntax_error() -> None:
    with pytest.raises(SyntaxError):
        parse_expression("x = 1")

"""Checks: test source in one process, the function in another."""

from __future__ import annotations

import pytest

from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.driver.prefetch import CallPrefetch
from codeens_sandbox_backends.driver.sandbox import run_job
from codeens_sandbox_backends.jobs import CheckJob, Limits
from codeens_sandbox_backends.programs import Died, Raised, TimedOut, Unencodable
from tests.sandbox_backends.plain_launcher import PlainLauncher, PlainProcess
from tests.sandbox_backends.programs import program, run_check


def test_tests_that_hold_pass() -> None:
    result = run_check(
        "def f(x): return x + 1", "def check(candidate):\n    assert candidate(1) == 2\n    assert candidate(x=2) == 3"
    )
    assert (result.passed, result.failure, result.calls) == (True, None, 2)


def test_bare_asserts_that_name_the_function_are_tests_too() -> None:
    assert run_check("def f(x): return x", "assert f(1) == 1\nassert f([]) == []").passed


def test_a_failed_assertion_shows_the_line_of_the_test() -> None:
    result = run_check("def f(x): return x", "def check(c):\n    assert c(1) == 2, 'not two'")
    assert isinstance(result.failure, Raised)
    assert (result.passed, result.failure.type, result.failure.message) == (False, "AssertionError", "not two")
    assert "assert c(1) == 2, 'not two'" in result.failure.traceback


@pytest.mark.parametrize(
    ("statement", "kind", "text"),
    [
        ("raise ValueError('bad')", "ValueError", "bad"),
        ("raise KeyError('k')", "LookupError", "'k'"),
        (
            "b'\\xff'.decode()",
            "UnicodeDecodeError",
            "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
        ("class Own(Exception): pass\n    raise Own('mine')", "Exception", "mine"),
    ],
)
def test_an_exception_reaches_the_test_as_its_type(statement: str, kind: str, text: str) -> None:
    result = run_check(
        f"def f():\n    {statement}",
        f"""
        def check(c):
            try:
                c()
            except {kind} as error:
                assert str(error) == {text!r}, str(error)
            else:
                assert False
        """,
    )
    assert result.passed, result.failure


def test_an_exception_that_no_test_catches_fails_with_both_tracebacks() -> None:
    result = run_check("def f():\n    return 1 // 0", "def check(c):\n    c()")
    assert isinstance(result.failure, Raised)
    assert result.failure.type == "ZeroDivisionError"
    assert "return 1 // 0" in result.failure.traceback
    assert "c()" in result.failure.traceback


def test_changed_arguments_are_changed_for_the_caller_in_place() -> None:
    result = run_check(
        """
        def f(items, table, group, nested, same):
            items.append(3)
            items.remove(1)
            table["b"] = table.pop("a")
            group |= {9}
            nested[0]["x"].append(1)
        """,
        """
        from collections import deque
        def check(c):
            items, table, group, inner, same = [1, 2], {"a": 1}, {1}, [], deque([1])
            nested, alias = ({"x": inner},), items
            c(items, table, group, nested, same=same)
            assert alias == [2, 3] and table == {"b": 1} and group == {1, 9}
            assert inner == [1] and nested[0]["x"] is inner
            assert same == deque([1])
        """,
    )
    assert result.passed, result.failure


def test_helpers_that_the_tests_call_come_from_the_prelude() -> None:
    result = run_check(
        "def f(x): return -x",
        "def check(c):\n    assert twice(c(1)) == -2 and twice(f(1)) == -2",
        prelude="def twice(x): return 2 * x\ndef f(x): raise NotImplementedError",
    )
    assert result.passed, result.failure


def test_tests_that_are_no_python_fail_and_say_so() -> None:
    result = run_check("def f(): pass", "def check(c:")
    assert isinstance(result.failure, Raised)
    assert result.failure.type == "SyntaxError"


def test_values_that_are_not_plain_data_can_not_be_judged_apart() -> None:
    returned = run_check("class C: pass\ndef f(): return C()", "def check(c):\n    c()")
    assert returned.failure == Unencodable(type="solution:C", where="value")
    given = run_check("def f(g): return g(1)", "def check(c):\n    assert c(lambda x: x) == 1")
    assert given.failure == Unencodable(type="function", where="0")


def test_no_value_can_pretend_to_be_equal() -> None:
    liar = "class Liar(int):\n    def __eq__(self, other): return True\ndef f(): return Liar(5)"
    result = run_check(liar, "def check(c):\n    assert c() == 7")
    assert not result.passed


def test_the_candidate_can_not_end_the_tests() -> None:
    for statement in ("import os; os._exit(0)", "raise SystemExit(0)"):
        result = run_check(f"def f():\n    {statement}", "def check(c):\n    c()\n    assert False")
        assert not result.passed


def test_how_the_candidate_ended_is_the_failure() -> None:
    died = run_check("import os\ndef f(): os._exit(0)", "def check(c):\n    c()")
    assert died.failure == Died(reason="exit", detail="exit code 0")
    hung = run_check("def f():\n    while True: pass", "def check(c):\n    c()", limits=Limits(call_s=0.3))
    assert hung.failure == TimedOut(limit="call", seconds=0.3)
    unloaded = run_check("def g(): pass", "def check(c):\n    c()")
    assert isinstance(unloaded.failure, Raised)
    assert "'f'" in unloaded.failure.message


def test_tests_that_hang_end_with_the_job() -> None:
    result = run_check("def f(): pass", "while True: pass", limits=Limits(wall_s=0.5))
    assert result.failure == TimedOut(limit="wall", seconds=0.5)


def test_a_function_called_check_is_not_taken_for_the_tests() -> None:
    result = run_check("def f(x): return x", "assert check(1) == 1", name="check", prelude="def check(x): return None")
    assert (result.passed, result.calls) == (True, 1)


def test_builtin_types_are_plain_data() -> None:
    assert run_check("def f(x, kind): return kind", "assert f(1, int) is int").passed


_FORMS = {
    "functions": "def test_a(): assert f(1) == 2\ndef test_b(): assert f(2) == {}",
    "a class": "class TestF:\n    def test_a(self): assert f(1) == 2\n    def test_b(self): assert f(2) == {}",
    "unittest": """
        import unittest
        class Case(unittest.TestCase):
            def setUp(self): self.one = 1
            def test_a(self): self.assertEqual(f(self.one), 2)
            def test_b(self):
                with self.subTest(n=2):
                    self.assertEqual(f(2), {})
        if __name__ == "__main__":
            unittest.main()
    """,
    "parameters": """
        import pytest
        @pytest.fixture
        def two(): return 2
        @pytest.mark.parametrize("n", [1])
        def test_a(n): assert f(n) == 2
        def test_b(two): assert f(two) == {}
    """,
    "setup": "def setup_module(): global two; two = 2\ndef test_b(): assert f(two) == {}",
    "a coroutine": "async def test_b(): assert f(2) == {}",
    "its module": "from solution import f as tested\ndef test_b(): assert tested(2) == {}",
    "raises": """
        import pytest
        def test_b():
            with pytest.raises(TypeError):
                f("x")
            assert f(2) == {}
    """,
}


@pytest.mark.parametrize("form", _FORMS)
def test_tests_are_found_as_pytest_and_unittest_find_them(form: str) -> None:
    right, wrong = (run_check("def f(x): return x + 1", _FORMS[form].replace("{}", text)) for text in ("3", "4"))
    assert (right.passed, right.failure) == (True, None)
    assert right.calls > 0
    assert isinstance(wrong.failure, Raised)
    assert (wrong.passed, wrong.failure.type) == (False, "AssertionError")


@pytest.mark.parametrize(
    "tests",
    [
        "def helper(): assert f(1) == 2",
        "assert True",
        "import unittest\nclass Case(unittest.TestCase):\n    @unittest.skip('')\n    def test_a(self): f(1)",
        "import pytest\n@pytest.mark.skip\ndef test_a(): f(1)",
        "def f(x): return x\ndef test_a(): assert f(1) == 1",
    ],
)
def test_tests_that_never_call_the_function_have_not_passed(tests: str) -> None:
    result = run_check("def f(x): return x + 1", tests)
    assert (result.passed, result.failure, result.calls) == (False, None, 0)


@pytest.mark.parametrize(
    "made",
    [
        "{20, 3, 5, 1, 9}",
        "set([20, 3, 5, 1, 9])",
        "{33, 1} | {17}",
        "frozenset({100, 7, 23, 64})",
        "{(33, 1), (2, 1.5)}",
    ],
)
def test_a_set_iterates_for_the_function_as_for_the_tests(made: str) -> None:
    tests = f"given = {made}\nbefore = list(given)\nassert f(given) == tuple(given)\nassert list(given) == before"
    assert run_check("def f(s): return tuple(s)", tests).passed


class _Counting(PlainLauncher):
    def __init__(self) -> None:
        super().__init__()
        self.kinds: list[WorkerKind] = []

    def launch(self, kind: WorkerKind, limits: Limits) -> PlainProcess:
        self.kinds.append(kind)
        return super().launch(kind, limits)


def test_answers_with_which_the_tests_once_passed_need_no_tests_again() -> None:
    known = CallPrefetch()
    tests = "assert len(f(3)) == 3\nassert f(f(1)) == 'xx'"  # which nobody can guess before one has passed
    for source, passes, kinds in (
        ("def f(n): return 'x' * n if type(n) is int else n * 2", True, {"calls", "check"}),
        ("def f(n): return n + n if isinstance(n, str) else n * 'x'", True, {"calls"}),
        ("def f(n): return 'y' * n if type(n) is int else n * 2", False, {"calls", "check"}),
    ):
        launcher = _Counting()
        with launcher:
            job = CheckJob(program=program(source), name="f", tests=tests)
            assert run_job(launcher, job, Limits(), known).passed == passes
        assert {*launcher.kinds} == kinds

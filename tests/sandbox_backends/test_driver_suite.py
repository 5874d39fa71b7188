"""Suites: the user's own tests, and the calls that they make."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Literal

import pytest

from codeens_sandbox_backends.jobs import Limits, RecordedCall, SuiteJob, SuiteResult
from codeens_sandbox_backends.programs import CallInput, Died, ModuleSource, Program, Raised, Returned, Unencodable
from tests.sandbox_backends.programs import run_suite

CORE = """
    import functools

    def f(x, *, times=1):
        '''Says.

        >>> f(1)
        2
        >>> f(2)
        3

        And then:

        >>> f(3)
        5
        '''
        if x < 0:
            raise ValueError("below")
        return f(x - 1) + 1 if x > 10 else x + times

    def deep(n):
        return 0 if n == 0 else 1 + deep(n - 1)

    def items(n):
        yield from range(n)

    def squares(n):
        return map(lambda x: x * x, range(n))

    async def later(x):
        return x

    class C:
        def __init__(self, v):
            self.v = v
        def add(self, by):
            super().__init__()
            self.v += by
            return self.v
        @classmethod
        def made(cls, v):
            return cls(v)

    @functools.lru_cache
    def cached(n):
        return n if n < 2 else cached(n - 1) + cached(n - 2)
"""

TESTS = """
    import asyncio, threading
    import pytest
    from pkg.core import f as alias
    from pkg import core

    @pytest.fixture
    def made():
        return alias(5)

    def test_direct(): assert alias(1) == 2
    def test_fixture(made): assert made == 6
    @pytest.mark.parametrize("x", [1, 2])
    def test_many(x): assert alias(x, times=2) == x + 2
    def test_recursion(): assert alias(12) == 13
    def test_raises():
        with pytest.raises(ValueError): alias(-1)
    def test_wrong(): assert alias(1) == 3
    def test_elsewhere(): pass
    def test_thread():
        thread = threading.Thread(target=alias, args=(7,))
        thread.start()
        thread.join()
    def test_odd():
        with pytest.raises(TypeError): alias(object())
    @pytest.mark.skip
    def test_left_out(): pass
    def test_deep(): assert core.deep(800) == 800
    def test_items():
        assert list(core.items(2)) == [0, 1]
        next(core.items(5))
        assert list(core.squares(3)) == [0, 1, 4]
    def test_later():
        async def both(): return await asyncio.gather(core.later(1), core.later(2))
        assert asyncio.run(both()) == [1, 2]
    def test_method(): assert core.C(1).add(2) == 3
    def test_made(): assert core.C.made(4).v == 4
    def test_cached(): assert core.cached(15) == 610
    @pytest.fixture
    def broken(): raise RuntimeError
    def test_of_broken_fixture(broken): pass
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "pkg").mkdir()
    (folder / "pkg" / "__init__.py").write_text("", encoding="utf-8")
    (folder / "pkg" / "core.py").write_text(textwrap.dedent(CORE), encoding="utf-8")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_core.py").write_text(textwrap.dedent(TESTS), encoding="utf-8")
    return folder


def suite(
    root: Path,
    qualname: str = "f",
    *selection: str,
    kind: Literal["pytest", "doctest"] = "pytest",
    source: str | None = None,
    record: bool = True,
    max_recorded: int = 500,
    limits: Limits | None = None,
) -> SuiteResult:
    path = str(root / "pkg" / "core.py")
    modules = (ModuleSource(name="pkg.core", source=textwrap.dedent(source), path=path),) if source else ()
    code = Program(module="pkg.core", qualname=qualname, modules=modules, sys_path=(str(root),))
    return run_suite(
        SuiteJob(
            kind=kind,
            root=str(root),
            program=code,
            selection=selection,
            record=record,
            max_recorded=max_recorded,
            limits=limits,
        )
    )


@pytest.fixture(scope="module")
def whole(root: Path) -> SuiteResult:
    return suite(root, "f", "tests")


def test_each_test_is_reported_with_its_outcome(whole: SuiteResult) -> None:
    outcomes = {report.id.rpartition("::")[2]: report.outcome for report in whole.tests}
    unusual = {name: outcome for name, outcome in outcomes.items() if outcome != "passed"}
    assert whole.failure is None
    assert len(outcomes) == 18
    assert unusual == {"test_wrong": "failed", "test_left_out": "skipped", "test_of_broken_fixture": "error"}
    assert whole.tests[0].id == "tests/test_core.py::test_direct"
    assert "assert 2 == 3" in next(report.message for report in whole.tests if report.outcome == "failed")


def test_entries_are_counted_per_test_through_aliases_fixtures_and_threads(whole: SuiteResult) -> None:
    entered = {report.id.rpartition("::")[2] for report in whole.tests if report.entered}
    assert entered == {
        "test_direct",
        "test_fixture",
        "test_many[1]",
        "test_many[2]",
        "test_recursion",
        "test_raises",
        "test_wrong",
        "test_thread",
        "test_odd",
    }


def test_distinct_outermost_calls_are_recorded_with_what_came_of_them(whole: SuiteResult) -> None:
    inputs = [(call.input.args, call.input.kwargs) for call in whole.recorded]
    assert inputs == [
        ((1,), {}),
        ((5,), {}),
        ((1,), {"times": 2}),
        ((2,), {"times": 2}),
        ((12,), {}),
        ((-1,), {}),
        ((7,), {}),
    ]
    assert whole.recorded[0] == RecordedCall(
        test="tests/test_core.py::test_direct", input=CallInput(args=(1,)), outcome=Returned(value=2, args=(1,))
    )
    raised = whole.recorded[5].outcome
    assert isinstance(raised, Raised)
    assert (raised.type, raised.message, raised.args) == ("ValueError", "below", (-1,))
    assert whole.unencodable_types == ("object",)


@pytest.mark.parametrize(
    ("qualname", "recorded"),
    [
        ("deep", [((800,), 800)]),
        ("items", [((2,), ["iter", "generator", 0, 1]), ((5,), None)]),
        ("squares", [((3,), None)]),
        ("later", [((1,), 1), ((2,), 2)]),
        ("C.add", [((["object", "pkg.core:C", ["v", 1]], 2), 3)]),
        ("C.made", [((4,), ["object", "pkg.core:C", ["v", 4]])]),
        ("cached", [((15,), 610)]),
    ],
)
def test_every_kind_of_function_is_recorded(root: Path, qualname: str, recorded: list[object]) -> None:
    result = suite(root, qualname, "tests")
    assert [(call.input.args, getattr(call.outcome, "value", None)) for call in result.recorded] == recorded
    assert {report.outcome for report in result.tests if report.entered} == {"passed"}


@pytest.mark.parametrize(("qualname", "kind"), [("items", "generator"), ("squares", "map")])
def test_an_iterator_is_left_to_the_test_and_its_call_is_kept_without_an_outcome(
    root: Path, qualname: str, kind: str
) -> None:
    result = suite(root, qualname, "tests")
    assert result.recorded[-1].outcome == Unencodable(type=kind, where="value")
    assert result.unencodable_types == ()


def test_recording_is_bounded_and_says_what_was_left_out(root: Path) -> None:
    result = suite(root, "f", "tests", max_recorded=2)
    assert (len(result.recorded), result.recorded_dropped) == (2, 5)


def test_a_module_in_memory_is_what_the_tests_see_and_nothing_is_written(root: Path) -> None:
    before = sorted(root.rglob("*"))
    source = "def f(x, *, times=1):\n    return 0\n"
    result = suite(root, "f", "tests/test_core.py::test_direct", source=source, record=False)
    (report,) = result.tests
    assert (report.outcome, report.entered) == ("failed", 0)
    assert sorted(root.rglob("*")) == before


def test_options_of_the_project_that_do_not_work_here_are_dropped(root: Path) -> None:
    config = root / "pytest.ini"
    config.write_text("[pytest]\naddopts = --cov --no-such-option\nmarkers = slow\n", encoding="utf-8")
    try:
        result = suite(root, "f", "tests/test_core.py::test_direct")
    finally:
        config.unlink()
    assert [report.outcome for report in result.tests] == ["passed"]


def test_a_selection_that_does_not_exist_is_a_failure_of_the_suite(root: Path) -> None:
    result = suite(root, "f", "tests/test_nowhere.py")
    assert result.tests == ()
    assert isinstance(result.failure, Died)
    assert "test_nowhere" in result.stderr + result.stdout


def test_when_pytest_itself_fails_its_last_line_is_quoted(tmp_path: Path) -> None:
    (tmp_path / "nagging.py").write_text(
        'def pytest_sessionstart(session):\n    raise UserWarning("set nagging_mode")\n', encoding="utf-8"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p nagging\n", encoding="utf-8")
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n", encoding="utf-8")
    program = Program(module="m", qualname="f", sys_path=(str(tmp_path),))
    job = SuiteJob(kind="pytest", root=str(tmp_path), program=program, selection=("test_it.py",))
    assert run_suite(job).failure == Died(
        reason="exit", detail="pytest failed internally: UserWarning: set nagging_mode"
    )


def test_when_pytest_cannot_start_its_own_words_are_quoted(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("import no_such_thing\n", encoding="utf-8")
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n", encoding="utf-8")
    program = Program(module="m", qualname="f", sys_path=(str(tmp_path),))
    job = SuiteJob(kind="pytest", root=str(tmp_path), program=program, selection=("test_it.py",))
    failure = run_suite(job).failure
    assert isinstance(failure, Died)
    assert failure.detail.startswith("pytest could not start with this project's options: ")
    assert failure.detail.endswith("ModuleNotFoundError: No module named 'no_such_thing'")


def test_a_file_that_can_not_be_imported_does_not_keep_the_others_from_running(root: Path) -> None:
    broken = root / "tests" / "test_broken.py"
    broken.write_text("import nowhere", encoding="utf-8")
    try:
        result = suite(root, "f", "tests/test_broken.py", "tests/test_core.py::test_direct")
    finally:
        broken.unlink()
    assert [(report.id, report.outcome) for report in result.tests] == [
        ("tests/test_broken.py", "error"),
        ("tests/test_core.py::test_direct", "passed"),
    ]


def test_what_ended_before_the_process_did_is_kept(root: Path) -> None:
    killer = root / "tests" / "test_killer.py"
    killer.write_text(
        "import os\nfrom pkg.core import f\ndef test_a(): f(1)\ndef test_b(): os._exit(0)", encoding="utf-8"
    )
    try:
        result = suite(root, "f", "tests/test_killer.py")
    finally:
        killer.unlink()
    assert [report.id for report in result.tests] == ["tests/test_killer.py::test_a"]
    assert len(result.recorded) == 1
    assert result.failure == Died(reason="exit", detail="exit code 0")


def test_doctests_are_run_group_by_group_and_recorded(root: Path) -> None:
    result = suite(root, kind="doctest")
    assert [(report.id, report.outcome, report.entered) for report in result.tests] == [
        ("doctest:f:7", "passed", 2),
        ("doctest:f:14", "failed", 1),
    ]
    assert [call.input.args for call in result.recorded] == [(1,), (2,), (3,)]
    assert "Got:\n    4" in result.tests[1].message


def test_a_target_that_can_not_be_loaded_fails_the_doctests(root: Path) -> None:
    result = suite(root, "nothing", kind="doctest")
    assert isinstance(result.failure, Raised)
    assert "nothing" in result.failure.message

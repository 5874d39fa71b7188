"""Jobs of calls: what the code did is in the outcomes, whatever it did."""

from __future__ import annotations

import sys

import pytest

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import (
    CallInput,
    Died,
    ModuleSource,
    Program,
    Raised,
    Returned,
    TimedOut,
    Unencodable,
)
from codeens_sandbox_backends.registry import get_backend
from codeens_sandbox_backends.worker.values.codec import encode
from tests.sandbox_backends.programs import call, program, run_calls

SHORT_CALLS = Limits(call_s=0.4, wall_s=30.0)


def test_each_input_has_its_outcome_with_the_arguments_as_they_were_left() -> None:
    result = run_calls(
        """
        def f(items, *, more=()):
            items.extend(more)
            return len(items)
        """,
        call([1]),
        call([], more=(2, 3)),
    )
    assert result.loaded
    assert result.outcomes == (
        Returned(value=1, args=(["list", 1],)),
        Returned(value=2, args=(["list", 2, 3],), kwargs={"more": ["tuple", 2, 3]}),
    )


def test_arguments_changed_to_an_equal_value_of_another_type_are_seen() -> None:
    result = run_calls("def f(items): items[0] = True", call([1]))
    (outcome,) = result.outcomes
    assert isinstance(outcome, Returned)
    assert outcome.args[0][1] is True


def test_what_a_call_raises_is_an_outcome_with_a_traceback_of_the_code_only() -> None:
    result = run_calls("def f(x):\n    x.append(1)\n    raise KeyError('gone')", call([]))
    (outcome,) = result.outcomes
    assert isinstance(outcome, Raised)
    assert (outcome.type, outcome.message, outcome.args) == ("KeyError", "'gone'", (["list", 1],))
    assert "raise KeyError('gone')" in outcome.traceback
    assert "codeens_worker" not in outcome.traceback


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("raise SystemExit(0)", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("return f()", "RecursionError"),
        ("raise MemoryError", "MemoryError"),
        ("class E(Exception): __str__ = lambda self: 1/0\n    raise E", "solution:f.<locals>.E"),
    ],
)
def test_no_exception_ends_the_worker(statement: str, kind: str) -> None:
    result = run_calls(f"def f():\n    {statement}", call(), call())
    assert [getattr(outcome, "type", outcome) for outcome in result.outcomes] == [kind, kind]


@pytest.mark.anyio
async def test_a_call_that_takes_all_memory_in_small_pieces_is_refused_it_and_the_next_one_is_run() -> None:
    hoarding = "def f(few):\n    kept = []\n    while not few: kept.append(bytearray(100_000))\n    return few"
    limits = Limits(memory_bytes=128 << 20, call_s=100, wall_s=200)
    sandbox = await get_backend("unsafe").open(SandboxSpec(python=sys.executable))
    result = await sandbox.run(CallsJob(program=program(hoarding), inputs=(call(0), call(1)), limits=limits))
    await sandbox.aclose()
    assert [getattr(outcome, "type", outcome) for outcome in result.outcomes] == [
        "MemoryError",
        Returned(value=1, args=(1,)),
    ]


def test_a_hung_call_is_reported_as_timeout_and_the_others_are_run() -> None:
    result = run_calls("def f(x):\n    while x == 1: pass\n    return x", call(0), call(1), call(2), limits=SHORT_CALLS)
    assert result.outcomes == (
        Returned(value=0, args=(0,)),
        TimedOut(limit="call", seconds=0.4),
        Returned(value=2, args=(2,)),
    )


def test_a_call_that_ends_the_process_costs_only_itself() -> None:
    result = run_calls(
        """
        import os
        def f(x):
            if x == 1: os._exit(0)
            if x == 2: os.kill(os.getpid(), 11)
            return x
        """,
        call(1),
        call(2),
        call(3),
    )
    assert result.outcomes == (
        Died(reason="exit", detail="exit code 0"),
        Died(reason="signal", detail="SIGSEGV"),
        Returned(value=3, args=(3,)),
    )


def test_a_program_that_keeps_dying_is_not_restarted_for_ever() -> None:
    result = run_calls("import os\ndef f(): os._exit(3)", *[call()] * 9)
    assert result.outcomes[:6] == (Died(reason="exit", detail="exit code 3"),) * 6
    assert result.outcomes[6:] == (Died(reason="exit", detail="not run: the program hung or died 6 times before"),) * 3


def test_the_whole_job_has_a_limit_too() -> None:
    result = run_calls("def f():\n    while True: pass", *[call()] * 3, limits=Limits(wall_s=0.5))
    assert result.outcomes == (TimedOut(limit="wall", seconds=0.5),) * 3
    assert result.loaded


def test_a_process_over_its_cpu_time_is_reported_as_such() -> None:
    result = run_calls("def f():\n    while True: pass", call(), limits=Limits(cpu_s=1.0, call_s=20.0, wall_s=20.0))
    assert result.outcomes == (TimedOut(limit="cpu", seconds=1.0),)


@pytest.mark.parametrize(
    ("source", "qualname", "said"),
    [
        ("def f(:", "f", "SyntaxError"),
        ("import nowhere", "f", "ModuleNotFoundError"),
        ("raise SystemExit", "f", "SystemExit"),
        ("x = 1", "f", "has no 'f'"),
        ("f = 1", "f", "not a function"),
        ("def f():\n    def g(): pass", "f.<locals>.g", "inside a function"),
    ],
)
def test_when_loading_fails_every_outcome_is_that_failure(source: str, qualname: str, said: str) -> None:
    result = run_calls(program(source, qualname), call(), call())
    assert not result.loaded
    assert result.outcomes[0] == result.outcomes[1]
    assert isinstance(result.outcomes[0], Raised)
    assert said in f"{result.outcomes[0].type} {result.outcomes[0].message}"


def test_a_program_that_ends_the_process_when_loaded_is_not_loaded() -> None:
    result = run_calls("import os; os._exit(0)", call(), call())
    assert not result.loaded
    assert result.outcomes == (Died(reason="exit", detail="exit code 0"),) * 2


CLASS = """
class C:
    start = 10
    def __init__(self, v): self.v = v
    def method(self, by):
        self.v += by
        return self.v
    @property
    def prop(self): return -self.v
    @classmethod
    def made(cls, v): return cls.start + v
    @staticmethod
    def static(v): return v * 2
"""


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("method", [["object", "solution:C", ["v", 1]], 2], 3),
        ("prop", [["object", "solution:C", ["v", 1]]], -1),
        ("made", [5], 15),
        ("static", [5], 10),
    ],
)
def test_methods_are_called_with_the_instance_as_first_argument(name: str, arguments: list[object], value: int) -> None:
    result = run_calls(program(CLASS, f"C.{name}"), CallInput(args=tuple(arguments)))
    (outcome,) = result.outcomes
    assert isinstance(outcome, Returned)
    assert outcome.value == value
    if name == "method":
        assert outcome.args[0] == ["object", "solution:C", ["v", 3]]


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("async def f(n):\n    return n", 3),
        ("def f(n):\n    yield from range(n)", ["iter", "generator", 0, 1, 2]),
        ("async def f(n):\n    for i in range(n): yield i", ["iter", "async_generator", 0, 1, 2]),
        ("def f(n): return map(str, range(n))", ["iter", "map", "0", "1", "2"]),
    ],
)
def test_coroutines_are_run_and_iterators_read(source: str, tree: object) -> None:
    assert run_calls(source, call(3)).outcomes == (Returned(value=tree, args=(3,)),)


@pytest.mark.parametrize(
    ("source", "where"),
    [
        ("def f(x, y): return [object()]", "value"),
        ("def f(x, y): x.append(object())", "0"),
        ("def f(x, y): y.append(object())", "y"),
        ("def f(x, y):\n    y.append(object())\n    raise ValueError", "y"),
    ],
)
def test_what_can_not_be_encoded_is_exotic_and_says_where(source: str, where: str) -> None:
    assert run_calls(source, call([], y=[])).outcomes == (Unencodable(type="object", where=where),)


def test_each_call_gets_arguments_of_its_own() -> None:
    given = call([1])
    result = run_calls("def f(x):\n    x.append(2)\n    return len(x)", given, given)
    assert [getattr(outcome, "value", None) for outcome in result.outcomes] == [2, 2]


def test_what_the_code_prints_is_kept_and_says_nothing_else() -> None:
    result = run_calls("import sys\ndef f():\n    print('out')\n    print('err', file=sys.stderr)", call(), memory=True)
    assert (result.stdout, result.stderr) == ("out\n", "err\n")
    assert result.outcomes == (Returned(value=None),)


def test_memory_between_calls_is_the_peak_of_each_call_alone() -> None:
    result = run_calls("def f(n): return len(bytearray(n))", call(10), call(1_000_000), call(10), memory=True)
    assert len(result.peak_bytes) == 3
    assert result.peak_bytes[1] >= 1_000_000 > 100_000 > max(result.peak_bytes[0], result.peak_bytes[2])


@pytest.mark.parametrize(
    "hides",
    [
        "tracemalloc.clear_traces()",
        "tracemalloc.reset_peak()",
        "tracemalloc.stop()",
        "tracemalloc.stop()\n    tracemalloc.start()",
        "from tracemalloc import _tracemalloc\n    tracemalloc.clear_traces()",
    ],
)
def test_code_does_not_hide_what_it_allocates_with_the_means_of_tracing(hides: str) -> None:
    source = f"import tracemalloc\ndef f(n):\n    size = len(bytearray(n))\n    {hides}\n    return size\n"
    result = run_calls(source, call(1_000_000), memory=True)
    assert result.peak_bytes[0] >= 1_000_000
    assert result.watched == result.outcomes


def test_code_that_clears_traces_behind_the_back_of_the_watch_has_no_peak() -> None:
    source = """
        import sys
        def f(n):
            size = len(bytearray(n))
            sys.modules.pop("_tracemalloc", None)
            import _tracemalloc
            _tracemalloc.clear_traces()
            return size
    """
    assert run_calls(source, call(1_000_000), memory=True).peak_bytes == ()


def test_what_is_answered_while_memory_is_watched_is_told() -> None:
    source = "import tracemalloc\nloads = len(tracemalloc.__dict__)\ndef f(n):\n    return tracemalloc.is_tracing()\n"
    result = run_calls(source, call(1), memory=True)
    assert result.watched == result.outcomes == (Returned(value=False, args=(1,)),)
    assert result.watched_rss_bytes is None or result.watched_rss_bytes > 1 << 20


def test_coverage_tells_the_lines_of_the_function_alone() -> None:
    source = '''
        import functools
        def other():
            return 1
        @functools.lru_cache
        def f(x):
            """Says."""
            if x:
                return [i for i in range(x)]
            def inner():
                return 2
            return inner
    '''
    result = run_calls(source, call(1), coverage=True)
    assert result.lines_total == (8, 9, 10, 11, 12)
    assert result.lines_hit == (8, 9)


def test_coverage_and_counts_see_lines_that_other_threads_run() -> None:
    source = """
        from concurrent.futures import ThreadPoolExecutor
        def f(items):
            def double(item):
                return 2 * item
            with ThreadPoolExecutor(1) as pool:
                return list(pool.map(double, items))
    """
    result = run_calls(source, call([1, 2, 3]), coverage=True, counts=True)
    assert result.lines_hit == result.lines_total == (4, 5, 6, 7)
    assert dict(result.line_counts)[5] == 3


def test_counts_tell_how_often_each_line_of_the_function_ran() -> None:
    source = """
        def other(x):
            for _ in range(100):
                x += 1
            return x
        def f(x):
            total = 0
            for item in range(x):
                total += other(item)
            return [each for each in (total,)] if x else f(3)
    """
    result = run_calls(source, call(5), call(0), counts=True)
    assert result.loaded
    counts = dict(result.line_counts)
    assert counts.keys() == {7, 8, 9, 10}
    assert (counts[7], counts[8], counts[9]) == (3, 5 + 1 + 3 + 1 + 1, 8)


def test_modules_in_memory_stand_beside_those_in_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("work")
    package = folder / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("where = 'file'", encoding="utf-8")
    (package / "helper.py").write_text("def double(x): return 2 * x", encoding="utf-8")
    (package / "core.py").write_text("def f(x): raise NotImplementedError", encoding="utf-8")
    replaced = ModuleSource(
        name="pkg.core",
        source="from . import where\nfrom .helper import double\ndef f(x): return double(x), where, __file__[-7:]",
        path=str(package / "core.py"),
    )
    code = Program(module="pkg.core", qualname="f", modules=(replaced,), sys_path=(str(folder),))
    assert run_calls(code, call(4)).outcomes == (Returned(value=["tuple", 8, "file", "core.py"], args=(4,)),)
    assert not list(folder.rglob("__pycache__"))


def test_tracebacks_show_the_text_in_memory_not_the_file_at_its_path(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("work") / "solution.py"
    file.write_text("def f():\n    return 'the old text'\n", encoding="utf-8")
    module = ModuleSource(name="solution", source="def f():\n    return 1 / 0\n", path=str(file))
    result = run_calls(Program(module="solution", qualname="f", modules=(module,)), call())
    (outcome,) = result.outcomes
    assert isinstance(outcome, Raised)
    assert "return 1 / 0" in outcome.traceback


def test_a_package_in_memory_is_a_package(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("work") / "pkg"
    folder.mkdir()
    (folder / "part.py").write_text("x = 5", encoding="utf-8")
    module = ModuleSource(name="pkg", source="from .part import x\ndef f(): return x", path=str(folder / "__init__.py"))
    assert run_calls(Program(module="pkg", qualname="f", modules=(module,)), call()).outcomes == (Returned(value=5),)


def test_arguments_that_the_program_can_not_make_are_its_failure() -> None:
    given = CallInput(args=(["object", "solution:Gone", ["x", 1]],))
    (outcome,) = run_calls("def f(x): return x", given).outcomes
    assert isinstance(outcome, Raised)
    assert outcome.message.startswith("the arguments cannot be made here")


def test_no_inputs_still_tell_whether_the_program_loads() -> None:
    assert run_calls("def f(): pass").loaded
    assert not run_calls("def g(): pass").loaded


def test_values_pass_in_both_directions_exactly() -> None:
    values = [1, True, 1.0, -0.0, float("nan"), "é\ud800", 1 << 90, b"\0", {1, 2}, {"a": (None,)}, 1e16, 2.0**60]
    result = run_calls("def f(x): return x", *[call(value) for value in values])
    assert [repr(getattr(outcome, "value", None)) for outcome in result.outcomes] == [repr(encode(v)) for v in values]

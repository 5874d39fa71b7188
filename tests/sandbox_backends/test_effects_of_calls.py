"""What a job of calls reports beside results, where effects are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codeens_sandbox_backends.jobs import SuiteJob
from codeens_sandbox_backends.programs import CallInput, ModuleSource, Outcome, Program, Raised, Returned
from codeens_sandbox_backends.values.outcomes import ARGUMENTS, IDENTITY, ORDER, RESULT, differing, same_outcome
from codeens_sandbox_backends.values.render import render_outcome_pair
from codeens_sandbox_backends.worker.values.codec import encode
from tests.sandbox_backends.programs import call, run_calls, run_suite


def observed(source: str, *inputs: CallInput) -> tuple[Outcome, ...]:
    return run_calls(source, *inputs, effects=True).outcomes


def effects_of(outcome: Outcome) -> dict[str, Any]:
    assert isinstance(outcome, (Returned, Raised))
    return outcome.effects


def test_no_call_sees_what_the_one_before_has_left() -> None:
    source = """
        import os
        SEEN = []
        TABLE = {"a": {1}}
        class Last:
            name = None
        def f(name):
            known = len(SEEN), sorted(TABLE["a"]), Last.name, os.environ.get("LAST")
            SEEN.append(name)
            TABLE["a"].add(2)
            Last.name = os.environ["LAST"] = name
            open("/tmp/codeens-left", "w").close()
            return list(known)
    """
    first, second = observed(source, call("x"), call("y"))
    assert isinstance(first, Returned)
    assert isinstance(second, Returned)
    assert first.value == second.value == ["list", 0, ["list", 1], None, None]
    assert effects_of(second)["global solution.SEEN"] == ["list", "y"]
    assert effects_of(second)["class solution.Last.name"] == "y"
    assert effects_of(second)["files"] == ["dict", ["/tmp/codeens-left", encode(b"")]]
    assert not Path("/tmp/codeens-left").exists()


def test_an_equal_value_put_in_the_place_of_another_is_no_effect() -> None:
    source = """
        LIMIT = [1000]
        def f(n):
            global LIMIT
            LIMIT = [10 ** 3]
            LIMIT.append(n)
            LIMIT.pop()
            return n
    """
    assert [effects_of(outcome) for outcome in observed(source, call(1), call(2))] == [{}, {}]


def test_what_a_module_loaded_by_the_call_does_is_seen_from_the_first_call_on() -> None:
    source = "def f(n):\n    import logging, random\n    random.seed(n)\n    logging.warning('x')\n"
    first, again = observed(source, call(7), call(7))
    assert differing(first, again) == frozenset()
    assert {"log", "random random"} <= effects_of(first).keys()


def test_an_object_that_is_given_twice_is_one_object_inside() -> None:
    twice = CallInput(args=(["shared", 0, ["list", 1]], ["ref", 0]))
    (outcome,) = observed("def f(a, b):\n    a.append(2)\n    return a is b\n", twice)
    assert outcome == Returned(value=True, args=(["shared", 0, ["list", 1, 2]], ["ref", 0]))


def test_a_recorded_call_tells_which_arguments_are_one_object(tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text("def f(a, b):\n    return len(a) + len(b)\n", encoding="utf-8")
    test = "from mod import f\n\ndef test_f():\n    x = [1]\n    assert f(x, x) == 2\n    assert f([1], [1]) == 2\n"
    (tmp_path / "test_mod.py").write_text(test, encoding="utf-8")
    program = Program(
        module="mod",
        qualname="f",
        modules=(ModuleSource(name="mod", source=(tmp_path / "mod.py").read_text(), path=str(tmp_path / "mod.py")),),
        sys_path=(str(tmp_path),),
    )
    result = run_suite(SuiteJob(kind="pytest", root=str(tmp_path), program=program, record=True))
    assert [recorded.input.args for recorded in result.recorded] == [
        (["shared", 0, ["list", 1]], ["ref", 0]),
        (["list", 1], ["list", 1]),
    ]


def test_labels_are_compared_as_what_they_stand_for_only() -> None:
    one = Returned(value=["list", ["shared", 3, ["list"]], ["ref", 3]])
    other = Returned(value=["list", ["shared", 0, ["list"]], ["ref", 0]])
    apart = Returned(value=["list", ["list"], ["list"]])
    crossed = Returned(
        value=["list", ["shared", 0, ["list"]], ["shared", 1, ["list"]], ["ref", 0], ["ref", 1]],
    )
    straight = Returned(
        value=["list", ["shared", 0, ["list"]], ["shared", 1, ["list"]], ["ref", 1], ["ref", 0]],
    )
    assert differing(one, other) == frozenset()
    assert differing(one, apart) == {IDENTITY}
    assert differing(crossed, straight) == {IDENTITY}
    assert same_outcome(one, apart, value_only=True)
    assert same_outcome(one, apart, uncompared=(IDENTITY,))
    assert render_outcome_pair(apart, one) == ("[[], []], leaving ()", "[#3=[], #3#], leaving ()")


def test_a_label_of_nothing_is_equal_to_nothing() -> None:
    hollow = Returned(value=["list", ["ref", 5]])
    assert differing(hollow, Returned(value=["list", ["list"]])) == {RESULT}
    bomb: Any = ["list"]
    for label in range(40):
        bomb = ["list", ["shared", label, bomb], ["ref", label]]
    assert RESULT in differing(Returned(value=bomb), Returned(value=["list", bomb]))


def test_order_of_dicts_and_arguments_after_a_raise_are_told_apart() -> None:
    here = Returned(value=["dict", ["a", 1], ["b", 2]])
    assert differing(here, Returned(value=["dict", ["b", 2], ["a", 1]])) == {ORDER}
    raised = Raised(type="ValueError", args=(["list", 1],))
    assert differing(raised, Raised(type="ValueError", args=(["list"],))) == {ARGUMENTS}


def test_what_cannot_be_encoded_is_said_to_have_changed() -> None:
    source = "import threading\nLOCK = None\ndef f():\n    global LOCK\n    LOCK = threading.Lock()\n"
    (outcome,) = observed(source, call())
    assert isinstance(outcome, Returned)
    assert outcome.unseen == ("global solution.LOCK",)
    assert not same_outcome(outcome, outcome)


def test_an_array_that_is_a_view_of_an_argument_is_told_from_a_copy() -> None:
    numpy: Any = pytest.importorskip("numpy")
    array = call(numpy.arange(4))
    (view,) = observed("def f(a):\n    return [a[1:], a[:0].copy()]\n", array)
    (copy,) = observed("def f(a):\n    return [a[1:].copy(), a[:0].copy()]\n", array)
    assert effects_of(view) == {"memory": ["list", ["tuple", 0, 1]]}
    assert effects_of(copy) == {}
    assert differing(view, copy) == {"memory"}


TOUCHING = """
    import copyreg
    import csv
    import gc
    import logging
    import mimetypes
    import resource
    import subprocess
    import sys
    import tempfile
    import threading
    import time
    import weakref

    class Other:
        pass

    KEPT, LOCK, EVENT, LEFT = Other(), threading.Lock(), threading.Event(), threading.Semaphore(3)

    def f(name):
        WAYS[name]()
        return LOCK.locked(), EVENT.is_set(), tempfile.gettempdir() != "/elsewhere"

    WAYS = {
        "arguments": lambda: sys.argv.append("x"),
        "digits of integers": lambda: sys.set_int_max_str_digits(5000),
        "dialects of csv": lambda: csv.register_dialect("mine", delimiter=";"),
        "garbage collector": lambda: gc.set_threshold(500),
        "names of levels": lambda: logging.addLevelName(33, "LOUD"),
        "resource limits": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, resource.RLIM_INFINITY)),
        "stack size of threads": lambda: threading.stack_size(1 << 20),
        "switch interval": lambda: sys.setswitchinterval(0.01),
        "types of files": lambda: mimetypes.add_type("a/b", ".abz"),
        "ways to pickle": lambda: copyreg.pickle(Other, str),
        "attribute tempfile.tempdir": lambda: setattr(tempfile, "tempdir", "/elsewhere"),
        "inside global solution.LOCK": lambda: LOCK.acquire(blocking=False),
        "inside global solution.EVENT": lambda: EVENT.set(),
        "inside global solution.LEFT": lambda: LEFT.acquire(),
        "attribute builtins.mark": lambda: setattr(len.__self__, "mark", 1),
        "finalizers": lambda: weakref.finalize(KEPT, print),
        "threads": lambda: threading.Thread(target=time.sleep, args=(60,), daemon=True).start(),
        "child processes": lambda: subprocess.Popen(["sleep", "60"]),
    }
"""
TOUCHED = (
    *("arguments", "digits of integers", "dialects of csv", "garbage collector", "names of levels", "resource limits"),
    *("stack size of threads", "switch interval", "types of files", "ways to pickle", "attribute tempfile.tempdir"),
    *("inside global solution.LOCK", "inside global solution.EVENT", "inside global solution.LEFT", "finalizers"),
    *("attribute builtins.mark", "threads", "child processes"),
)


@pytest.fixture(scope="module")
def touched() -> dict[str, list[Outcome]]:
    """Each call twice, all in one process."""
    outcomes = observed(TOUCHING, *(call(name) for name in TOUCHED for _ in range(2)))
    return {name: list(outcomes[2 * place : 2 * place + 2]) for place, name in enumerate(TOUCHED)}


@pytest.mark.parametrize("channel", TOUCHED)
def test_what_a_call_leaves_for_all_of_the_process_is_told_each_time(
    touched: dict[str, list[Outcome]], channel: str
) -> None:
    for outcome in touched[channel]:
        # With the first finalizer a function comes that is called at exit.
        assert effects_of(outcome).keys() - {"again", "after another", "at exit"} == {channel}


def test_what_can_be_put_back_no_later_call_sees(touched: dict[str, list[Outcome]]) -> None:
    seen = {tuple(outcome.value[1:]) for outcome in touched["threads"] if isinstance(outcome, Returned)}
    assert seen == {(False, False, True)}


@pytest.mark.parametrize(("said", "is_told"), [("tempfile.gettempdir()", False), ("'/elsewhere'", True)])
def test_a_folder_for_files_that_python_finds_by_itself_is_no_effect(said: str, is_told: bool) -> None:
    source = f"import tempfile\n\ndef f():\n    tempfile.tempdir = {said}\n"
    for outcome in observed(source, call(), call()):
        assert ("attribute tempfile.tempdir" in effects_of(outcome)) is is_told


def test_exceptions_of_a_group_count_and_not_in_what_they_were_given() -> None:
    source = """
        def f(how):
            raise ExceptionGroup("some", HOW[how]([ValueError(1), KeyError(2)]))
        HOW = {"list": list, "tuple": tuple, "fewer": lambda errors: errors[:1]}
    """
    as_list, as_tuple, fewer = observed(source, call("list"), call("tuple"), call("fewer"))
    assert isinstance(as_list, Raised)
    assert isinstance(as_tuple, Raised)
    assert isinstance(fewer, Raised)
    assert as_list.attributes == as_tuple.attributes
    assert as_list.attributes["args"] != fewer.attributes["args"]


def made_up(*kind: str) -> CallInput:
    return CallInput(args=(["list", 7, 7, *range(9)], [*kind, ["list", 0, 1, 2, 3], ["list"], ["list"]]))


def test_a_function_that_answers_anew_each_time_shows_who_keeps_one_answer_for_equal_items() -> None:
    each = "def f(items, g): return [g(item) for item in items]"
    last = "def f(items, g):\n    known = [(i, g(i)) for i in items]\n    return [*map(dict(known).get, items)]"
    steady, turning = (
        [run_calls(source, made_up(kind), effects=True).outcomes[0] for source in (each, last)]
        for kind in ("callback", "turning")
    )
    assert same_outcome(*steady)
    assert differing(*turning) == {RESULT}


def test_a_function_that_raises_shows_how_far_its_caller_was() -> None:
    late = "def f(items, g): items[:] = [g(item) for item in items]"
    soon = "def f(items, g):\n    for place, item in enumerate(items): items[place] = g(item)"
    call = made_up("raising", "builtins:UnicodeDecodeError")
    outcomes = [run_calls(source, call, effects=True).outcomes[0] for source in (late, soon)]
    assert [outcome.type for outcome in outcomes if isinstance(outcome, Raised)] == ["UnicodeDecodeError"] * 2
    assert ARGUMENTS in differing(*outcomes)

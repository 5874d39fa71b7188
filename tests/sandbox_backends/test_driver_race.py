"""Races: the shape of what is measured. How fast anything is here is not tested: a loaded machine decides that."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.programs import CallInput, Died, Raised, Returned, TimedOut
from codeens_sandbox_backends.races import RaceResult
from tests.sandbox_backends.programs import call, run_race

SLOW = "def f(n):\n    return sum(i * i for i in range(n))"
FAST = "def f(n):\n    return (n - 1) * n * (2 * n - 1) // 6"
CLOSED = "def f(n):\n    return n * (n - 1) * (2 * n - 1) // 6"


def values(result: RaceResult, side: int) -> list[object]:
    return [getattr(outcome, "value", None) for outcome in result.outcomes[side]]


@pytest.mark.parametrize("direct", [True, False])
def test_all_sides_are_timed_in_each_round_and_give_their_outputs(direct: bool) -> None:
    result = run_race(SLOW, FAST, CLOSED, inputs=[call(5000), call(20)], rounds=2, direct=direct)
    assert result.failures == (None, None, None)
    assert result.clock == ("processor" if direct else "wall")
    assert [len(sides) for sides in result.rounds] == [3, 3]
    for times in (side for sides in result.rounds for side in sides):
        assert times is not None
        assert min(*times.passes_s, *times.busy_passes_s, times.first_s, times.load_s) > 0
        assert times.first_s > times.load_s
    assert result.outcomes == ((Returned(value=41654167500, args=(5000,)), Returned(value=2470, args=(20,))),) * 3


def test_samples_hold_more_passes_the_faster_a_side_is() -> None:
    original, fast = run_race(SLOW, FAST, inputs=[call(100_000)]).plans
    assert fast.inner > 10 * original.inner
    original, slow = run_race(FAST, SLOW, inputs=[call(1000)]).plans
    assert original.samples > slow.samples == 1


def test_a_long_pass_is_cut_into_groups_of_inputs() -> None:
    plan = run_race(SLOW, SLOW, inputs=[call(100_000)] * 4).plans[0]
    assert len(plan.groups) > 1
    assert (plan.groups[0][0], plan.groups[-1][1]) == (0, 4)
    assert all(before[1] == after[0] for before, after in zip(plan.groups, plan.groups[1:], strict=False))


@pytest.mark.parametrize("n", [20, 100_000])
def test_parts_of_a_pass_are_timed_apart_and_make_up_the_whole(n: int) -> None:
    result = run_race(SLOW, FAST, inputs=[call(n)] * 5, parts=(0, 3))
    assert all({0, 3} <= {first for first, _ in plan.groups} for plan in result.plans)
    for times in result.rounds[0]:
        assert times is not None
        assert [sum(turn) for turn in zip(*times.parts_s, strict=True)] == pytest.approx(times.passes_s, abs=1e-6)


@pytest.mark.parametrize("direct", [True, False])
def test_parts_that_are_raced_apart_have_samples_as_long_as_each_needs(direct: bool) -> None:
    result = run_race(SLOW, FAST, inputs=[call(20), call(100_000)], parts=(0, 1), apart=True, rounds=2, direct=direct)
    short, long = result.parts
    assert (result.rounds, result.plans) == ((), ())
    assert [plan.groups for plan in (*short.plans, *long.plans)] == [((0, 1),)] * 2 + [((1, 2),)] * 2
    assert short.plans[0].inner > 100 * long.plans[0].inner
    for quick, slow in zip(short.rounds, long.rounds, strict=True):
        assert quick[0] is not None
        assert slow[0] is not None
        assert min(quick[0].passes_s) > 0
        assert min(slow[0].passes_s) > 100 * min(quick[0].passes_s)
    assert values(result, 0) == values(result, 1)


def test_first_passes_are_timed_by_themselves_only_where_they_may_decide() -> None:
    slower = "def f(n):\n    return sum(i * i for _ in range(2) for i in range(n)) // 2"
    close, far = (run_race(SLOW, other, inputs=[call(400_000)]).rounds[0][0] for other in (SLOW, slower))
    assert close is not None
    assert far is not None
    assert close.fresh_s > 0
    assert far.fresh_s == 0


def test_what_is_known_of_the_sides_is_used_by_the_next_job_of_the_race() -> None:
    known = run_race(SLOW, FAST, inputs=[call(300)]).plans
    again = run_race(SLOW, FAST, inputs=[call(300)], plans=known)
    assert again.plans == known
    assert again.failures == (None, None)


def test_every_pass_gets_arguments_that_no_other_pass_has_changed() -> None:
    result = run_race(
        "def f(x):\n    x.sort()\n    return x[0]", "def f(x):\n    return x.pop(0)", inputs=[call([2, 1])]
    )
    assert result.outcomes[0] == (Returned(value=1, args=(["list", 1, 2],)),)
    assert result.outcomes[1] == (Returned(value=2, args=(["list", 1],)),)


def test_arguments_that_the_original_leaves_alone_are_not_copied_for_every_pass() -> None:
    total, popped = "def f(x):\n    return sum(x)", "def f(x):\n    return x.pop()"
    assert {plan.arguments for plan in run_race(total, total, inputs=[call([2, 1])]).plans} == {"same"}
    assert {plan.arguments for plan in run_race(popped, total, inputs=[call([2, 1])]).plans} == {"copied"}
    deep = "def f(x):\n    return x[0].pop()"
    assert {plan.arguments for plan in run_race(deep, deep, inputs=[call([[2, 1]])]).plans} == {"own"}


def test_who_changes_arguments_that_the_original_leaves_alone_is_seen_to_be_wrong() -> None:
    result = run_race("def f(x):\n    return x[-1]", "def f(x):\n    return x.pop()", inputs=[call([2, 1])])
    assert result.outcomes[0] == (Returned(value=1, args=(["list", 2, 1],)),)
    assert result.outcomes[1] != result.outcomes[0]


def test_calls_are_timed_by_position_and_by_name_and_where_they_are_not_alike() -> None:
    code = "def f(a, *rest, b=0, **more):\n    return [a, list(rest), b, sorted(more)]"
    alike = run_race(code, code, inputs=[call(1, b=2), call(3, b=4)])
    assert values(alike, 1) == [["list", 1, ["list"], 2, ["list"]], ["list", 3, ["list"], 4, ["list"]]]
    mixed = run_race(code, code, inputs=[call(1, 2), CallInput(args=(3,), kwargs={"class": 4})])
    assert values(mixed, 1) == [["list", 1, ["list", 2], 0, ["list"]], ["list", 3, ["list"], 0, ["list", "class"]]]


def test_no_state_of_one_series_of_samples_is_seen_by_the_next() -> None:
    counting = """
        calls = []
        def f(x):
            calls.append(x)
            x[0].append(sum(range(300_000)))
            return len(calls) <= 2
    """
    result = run_race(counting, counting, inputs=[call([[]])])
    assert result.plans[0].arguments == "own"
    assert [*values(result, 0), *values(result, 1)] == [True] * 2


def test_what_one_side_does_to_the_interpreter_no_other_side_sees() -> None:
    breaking = "import builtins\nbuiltins.sum = lambda *_: 0\ndef f(n): return sum(range(n))"
    result = run_race("def f(n): return sum(range(n))", breaking, "def f(n): return sum(range(n))", inputs=[call(4)])
    assert [values(result, side) for side in range(3)] == [[6], [0], [6]]


def test_code_that_is_right_only_in_the_first_sample_is_seen_to_be_wrong(tmp_path: Path) -> None:
    mark = tmp_path / "been here"
    once = f"""
        import os
        def f(x):
            if os.path.exists({str(mark)!r}):
                return 0
            open({str(mark)!r}, "w").close()
            return x
    """
    result = run_race("def f(x): return x", once, inputs=[call(1)], rounds=2)
    assert values(result, 0) == [1]
    assert values(result, 1) == [0]


def test_code_that_is_right_only_in_the_first_pass_of_a_process_is_seen_to_be_wrong() -> None:
    once = "count = 0\ndef f(x):\n    global count\n    count += 1\n    return x if count == 1 else 0"
    assert values(run_race("def f(x): return x", once, inputs=[call(7)]), 1) == [0]


def test_answers_that_are_no_plain_data_are_compared_as_a_whole() -> None:
    fractions = "from fractions import Fraction\ndef f(n): return Fraction(n, 7)"
    result = run_race(fractions, fractions, inputs=[call(3)])
    assert [plan.digests for plan in result.plans[1:]] == [False]
    assert result.outcomes[0] == result.outcomes[1]
    assert len(result.outcomes[0]) == 1


def test_generators_and_coroutines_are_run_to_their_end_on_the_clock() -> None:
    waiting = "import asyncio\nasync def f(n):\n    await asyncio.sleep(0.05)"
    result = run_race("def f(n):\n    yield from range(n)", waiting, inputs=[call(3)])
    assert result.outcomes[0] == (Returned(value=["iter", "generator", 0, 1, 2], args=(3,)),)
    assert result.outcomes[1] == (Returned(value=None, args=(3,)),)
    (times,) = (sides[1] for sides in result.rounds)
    assert times is not None
    # What the driver waits for a processor meanwhile is not counted, and may be most of it.
    assert min(times.busy_passes_s) > 0.005


def test_what_is_raised_while_the_clock_runs_is_an_outcome() -> None:
    result = run_race("def f(x): raise ValueError(x)", "def f(x): return x", inputs=[call(1)])
    (outcome,) = result.outcomes[0]
    assert isinstance(outcome, Raised)
    assert outcome.type == "ValueError"


@pytest.mark.parametrize("direct", [True, False])
def test_sides_that_do_not_run_leave_the_race_to_the_others(direct: bool) -> None:
    hanging, dying = "def f(n):\n    while True: pass", "import os\ndef f(n): os._exit(5)"
    killed, absent = "import os\ndef f(n): os.kill(os.getpid(), 11)", "def g(): pass"
    result = run_race(
        SLOW, hanging, FAST, dying, killed, absent, inputs=[call(9)], direct=direct, limits=Limits(wall_s=1.0)
    )
    assert result.failures[:2] == (None, TimedOut(limit="wall", seconds=1.0))
    assert result.failures[2] is None
    assert result.failures[3:5] == (
        Died(reason="exit", detail="exit code 5"),
        Died(reason="signal", detail="SIGSEGV"),
    )
    assert isinstance(result.failures[5], Raised)
    assert [len(outcomes) for outcomes in result.outcomes] == [1, 0, 1, 0, 0, 0]


def test_an_original_that_dies_ends_the_race() -> None:
    result = run_race("import os\ndef f(n): os.kill(os.getpid(), 11)", SLOW, inputs=[call(1)])
    assert result.failures == (Died(reason="signal", detail="SIGSEGV"), None)
    assert result.rounds == ()


def test_who_answers_from_another_process_is_out_of_the_race() -> None:
    forking = """
        import os
        def f(n):
            if os.fork():
                os.wait()
                os._exit(0)
            return n
    """
    result = run_race("def f(n): return n", forking, inputs=[call(1)])
    assert result.failures[1] == Died(reason="exit", detail="exit code 0")


def test_no_new_round_is_begun_when_the_budget_is_used_up() -> None:
    assert len(run_race(SLOW, FAST, inputs=[call(100)], rounds=5, budget_s=0.0).rounds) == 1


@pytest.mark.parametrize("direct", [True, False])
def test_arguments_of_classes_that_a_program_brings_along_are_made_by_each_side(direct: bool) -> None:
    source = """
        import enum
        class Point:
            def __init__(self, x): self.x = x
        class Side(enum.Enum):
            LEFT = 1
        def f(point, side):
            point.x += side.value
            return point.x
    """
    point, side = ["object", "solution:Point", ["x", 4]], ["enum", "solution:Side", "LEFT"]
    result = run_race(source, source, inputs=[CallInput(args=(point, side))], direct=direct)
    assert result.failures == (None, None)
    assert [values(result, number) for number in range(2)] == [[5], [5]]
    assert len(result.rounds) == 1

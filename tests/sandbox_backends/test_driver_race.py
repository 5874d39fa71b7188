"""Races: the shape of what is measured. How fast anything is here is not tested: a loaded machine decides that."""

from __future__ import annotations

from pathlib import Path

from codeens_sandbox_backends.base import Died, Limits, Raised, Returned, TimedOut
from tests.sandbox_backends.programs import call, run_timing

SLOW = "def f(n):\n    return sum(i * i for i in range(n))"
FAST = "def f(n):\n    return (n - 1) * n * (2 * n - 1) // 6"


def test_a_race_has_as_many_times_on_both_sides_and_the_outputs_of_both() -> None:
    result = run_timing(SLOW, FAST, call(500), call(20))
    assert result.failure is None
    assert len(result.pairs) == 4
    for pair in result.pairs:
        assert len(pair.a) == len(pair.b) == 2
        assert len(pair.cold_a) == len(pair.cold_b) >= 1
        assert all(seconds > 0 for seconds in (*pair.a, *pair.b, *pair.cold_a, *pair.cold_b))
    assert result.inner > 1
    assert (
        result.outcomes_a
        == result.outcomes_b
        == (
            Returned(value=41541750, args=(500,)),
            Returned(value=2470, args=(20,)),
        )
    )


def test_every_pass_gets_arguments_that_no_other_pass_has_changed() -> None:
    result = run_timing("def f(x):\n    x.sort()\n    return x[0]", "def f(x):\n    return x.pop(0)", call([2, 1]))
    assert result.outcomes_a == (Returned(value=1, args=(["list", 1, 2],)),)
    assert result.outcomes_b == (Returned(value=2, args=(["list", 1],)),)


def test_nothing_that_a_sample_leaves_behind_is_seen_by_the_next() -> None:
    counting = "calls = []\ndef f(x):\n    calls.append(x)\n    return len(calls) <= 60_000"
    result = run_timing(counting, counting, call(1), call(2))
    assert {getattr(outcome, "value", None) for outcome in (*result.outcomes_a, *result.outcomes_b)} == {True}


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
    result = run_timing("def f(x): return x", once, call(1))
    assert result.outcomes_a == (Returned(value=1, args=(1,)),)
    assert result.outcomes_b == (Returned(value=0, args=(1,)),)


def test_when_the_quickest_passes_do_not_agree_more_are_taken() -> None:
    unsteady = """
        from random import SystemRandom
        sum(range(SystemRandom().randrange(10_000_000)))
        def f(n):
            return (n - 1) * n * (2 * n - 1) // 6
    """
    result = run_timing(SLOW, unsteady, call(300_000))
    bare = result.pairs[4:]
    assert bare
    for pair in bare:
        assert (pair.a, pair.b) == ((), ())
        assert min(pair.whole_a, pair.whole_b, pair.load_a, pair.load_b) > 0


def test_generators_and_coroutines_are_run_to_their_end_on_the_clock() -> None:
    result = run_timing(
        "def f(n):\n    yield from range(n)", "import asyncio\nasync def f(n):\n    await asyncio.sleep(0)", call(3)
    )
    assert result.outcomes_a == (Returned(value=["iter", "generator", 0, 1, 2], args=(3,)),)
    assert result.outcomes_b == (Returned(value=None, args=(3,)),)


def test_what_is_raised_while_the_clock_runs_is_an_outcome() -> None:
    result = run_timing("def f(x): raise ValueError(x)", "def f(x): return x", call(1))
    (outcome,) = result.outcomes_a
    assert isinstance(outcome, Raised)
    assert outcome.type == "ValueError"


def test_a_side_that_can_not_be_loaded_fails_the_race() -> None:
    result = run_timing(SLOW, "def g(): pass", call(1))
    assert result.failed_side == "b"
    assert isinstance(result.failure, Raised)


def test_a_side_that_dies_fails_the_race() -> None:
    result = run_timing(SLOW, "import os\ndef f(n): os._exit(5)", call(1))
    assert (result.failed_side, result.failure) == ("b", Died(reason="exit", detail="exit code 5"))
    killed = run_timing("import os\ndef f(n): os.kill(os.getpid(), 11)", SLOW, call(1))
    assert (killed.failed_side, killed.failure) == ("a", Died(reason="signal", detail="SIGSEGV"))


def test_a_side_that_hangs_fails_the_race_after_the_limit() -> None:
    result = run_timing(SLOW, "def f(n):\n    while True: pass", call(1), limits=Limits(wall_s=0.5))
    assert (result.failed_side, result.failure) == ("b", TimedOut(limit="wall", seconds=0.5))


def test_no_new_pair_is_begun_when_the_budget_is_used_up_but_three_are_run() -> None:
    result = run_timing(SLOW, FAST, call(100), budget_s=0.0)
    assert len(result.pairs) == 3
    assert [len(pair.a) for pair in result.pairs] == [1, 1, 1]

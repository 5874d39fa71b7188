"""Whole runs with models: real LiteLLM over HTTP, real sandboxes, a real store."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.local.backend import LocalBackend
from codeens_server.errors import NothingGenerated
from codeens_server.run.events import CandidateJudged, CandidateMeasured
from tests.e2e.ensemble import KEY, SECONDS, Bench, by_model, fenced, finished
from tests.loopback.server import Fault, ModelServer
from tests.sandbox_backends.machine import why_not

pytestmark = [
    pytest.mark.scene,
    pytest.mark.anyio,
    pytest.mark.timeout(2 * SECONDS),
    pytest.mark.skipif(why_not("local") != "", reason=f"no isolation here: {why_not('local')}"),
]

STUB = '''\
def digits(number: int) -> int:
    """The sum of the decimal digits of a number that is not negative.

    >>> digits(1203)
    6
    >>> digits(0)
    0
    """
    ...
'''
RIGHT = "def digits(number: int) -> int:\n    return sum(map(int, str(abs(number))))"
ALSO_RIGHT = """\
def digits(number: int) -> int:
    total, number = 0, abs(number)
    while number:
        number, last = divmod(number, 10)
        total += last
    return total"""
WRONG = "def digits(number: int) -> int:\n    return len(str(number))"


@pytest.mark.parametrize("fates", [("429", "ok"), ("500", "ok")])
async def test_what_fails_for_a_moment_is_asked_again(tmp_path: Path, fates: tuple[Fault, ...]) -> None:
    async with ModelServer(answer=by_model({"m": RIGHT}), script={"m": fates}) as server:
        bench = Bench(tmp_path, server, STUB)
        done = await bench.run([bench.model("m")])
    assert done.run.best == "m-plain-0"
    assert done.run.summary.failures == ()
    assert len(server.requests) == len(fates)


REASONS: dict[Fault, str] = {
    "429": "still over the rate limit after the last retry: rate limit reached",
    "500": "the server failed: the server had an error",
    "401": "the key was refused: set LOOPBACK_API_KEY",
    "hang": "no answer within 0.5 s",
    "truncated": "the connection ",
    "dropped": "the connection to http://127.0.0.1:",
    "garbage": "the server failed: Unterminated",
    "no_choices": "the answer has no choices",
    "no_text": "the reply is empty",
    "length": "raise max_tokens",
}


async def test_each_faulty_model_is_named_in_one_line_and_the_healthy_one_s_answer_stands(tmp_path: Path) -> None:
    answer = by_model({"good": RIGHT, **dict.fromkeys(REASONS, ALSO_RIGHT)})
    async with ModelServer(answer=answer, script={fault: [fault] for fault in REASONS}) as server:
        bench = Bench(tmp_path, server, STUB)
        faulty = [bench.model(fault, timeout_s=0.5 if fault == "hang" else 100.0) for fault in REASONS]
        done = await bench.run([*faulty, bench.model("good")])
    assert [row.candidate.id for row in done.run.results] == [done.run.best] == ["good-plain-0"]
    assert done.row("good-plain-0").verdict.status == "passed"
    assert done.run.summary.stopped is None
    failures = {failure.partition(" · plain: ")[0]: failure for failure in done.run.summary.failures}
    assert set(failures) == set(REASONS)
    assert len(failures) == len(done.run.summary.failures)
    assert not [fault for fault, why in REASONS.items() if why not in failures[fault] or "\n" in failures[fault]]


@pytest.mark.parametrize("fault", ["401", "dropped", "hang"])
async def test_a_model_that_always_fails_ends_a_run_of_its_own_with_the_reason(tmp_path: Path, fault: Fault) -> None:
    async with ModelServer(answer=by_model({}), script={"m": [fault]}) as server:
        bench = Bench(tmp_path, server, STUB)
        with pytest.raises(NothingGenerated) as caught:
            await bench.run([bench.model("m", timeout_s=0.5 if fault == "hang" else 60)])
    assert f"no candidate was made: m · plain: {REASONS[fault]}" in str(caught.value)
    assert KEY not in str(caught.value)


async def test_when_every_model_fails_the_error_names_each_reason_and_the_run_can_go_on_later(tmp_path: Path) -> None:
    script: Mapping[str, list[Fault]] = {"a": ["401", "ok"], "b": ["no_text", "no_text", "ok"]}
    async with ModelServer(answer=by_model({"a": RIGHT, "b": RIGHT}), script=script) as server:
        bench = Bench(tmp_path, server, STUB)
        models = [bench.model("a"), bench.model("b")]
        with pytest.raises(NothingGenerated) as caught:
            await bench.run(models)
        with bench.store() as store:
            (listed,) = await store.list_runs(10)
        assert not listed.ended
        done = await bench.run(models, resume=listed.run_id)
    assert "a · plain: the key was refused: set LOOPBACK_API_KEY" in str(caught.value)
    assert "b · plain: the reply is empty" in str(caught.value)
    assert KEY not in str(caught.value)
    assert done.run.run_id == listed.run_id
    assert done.run.summary.generated == 2


async def test_the_same_request_is_paid_for_once_unless_a_fresh_answer_is_asked_for(tmp_path: Path) -> None:
    async with ModelServer(answer=by_model({"m": RIGHT})) as server:
        bench = Bench(tmp_path, server, STUB)
        first = await bench.run([bench.model("m")])
        again = await bench.run([bench.model("m")])
        assert len(server.requests) == 1
        fresh = await bench.run([bench.model("m")], fresh=True)
        assert len(server.requests) == 2
    found = [done.row("m-plain-0").candidate for done in (first, again, fresh)]
    assert [candidate.cached for candidate in found] == [False, True, False]
    assert first.run.summary.cost_usd == fresh.run.summary.cost_usd > 0
    assert again.run.summary.cost_usd == 0.0


async def test_a_resumed_run_does_not_ask_again_for_what_it_has_also_when_fresh_answers_were_wanted(
    tmp_path: Path,
) -> None:
    async with ModelServer(answer=by_model({"m": RIGHT})) as server:
        bench = Bench(tmp_path, server, STUB)
        first = await bench.run([bench.model("m")], fresh=True)
        again = await bench.run([bench.model("m")], resume=first.run.run_id)
        assert len(server.requests) == 1
    assert [row.candidate.id for row in again.run.results] == ["m-plain-0"]
    assert again.run.summary.cost_usd == first.run.summary.cost_usd


async def test_a_resumed_run_counts_what_it_spent_before_against_its_cap(tmp_path: Path) -> None:
    replies = [fenced(RIGHT), "I would rather not.", fenced(ALSO_RIGHT)]
    async with ModelServer(answer=lambda _: replies[len(server.requests) - 1]) as server:
        bench = Bench(tmp_path, server, STUB)
        models = [bench.model("m", max_tokens=500, max_parallel=1)]
        first = await bench.run(models, samples=9, budget_usd=0.0026)
        asked = len(server.requests)
        again = await bench.run(models, resume=first.run.run_id)
        assert len(server.requests) == asked == 3
    assert (first.run.summary.stopped, again.run.summary.stopped) == ("budget", "budget")
    assert again.run.summary.cost_usd == pytest.approx(first.run.summary.cost_usd)
    assert again.run.summary.failures == first.run.summary.failures


@pytest.mark.parametrize("cap", [{"budget_tokens": 1200}, {"budget_usd": 0.0022}])
async def test_the_budget_s_cap_stops_further_calls_and_is_reported(tmp_path: Path, cap: dict[str, Any]) -> None:
    async with ModelServer(answer=by_model({"m": [RIGHT, ALSO_RIGHT]})) as server:
        bench = Bench(tmp_path, server, STUB)
        done = await bench.run([bench.model("m", max_tokens=500)], samples=9, **cap)
    assert done.run.summary.stopped == "budget"
    assert 1 <= done.run.summary.generated == len(server.requests) < 9
    assert done.run.results[0].rank == 1
    assert done.run.summary.cost_usd <= 0.0022


async def test_a_cap_that_can_not_hold_for_want_of_a_price_is_said_so(tmp_path: Path) -> None:
    async with ModelServer(answer=by_model({"m": RIGHT})) as server:
        bench = Bench(tmp_path, server, STUB)
        done = await bench.run([bench.model("m", input_cost_per_token=None)], budget_usd=0.5)
    assert not done.run.summary.cost_known
    assert any("cap of $0.5 does not hold" in failure for failure in done.run.summary.failures)


async def test_an_unusable_answer_is_paid_for_and_counted(tmp_path: Path) -> None:
    replies = {"good": fenced(RIGHT), "chatty": "I would rather not."}
    async with ModelServer(answer=lambda request: replies[request.model]) as server:
        bench = Bench(tmp_path, server, STUB)
        free = {"input_cost_per_token": 0.0, "output_cost_per_token": 0.0}
        done = await bench.run([bench.model("good", **free), bench.model("chatty")])
    assert done.run.summary.failures == ("chatty · plain: the reply holds no Python code that could be the function",)
    assert done.run.summary.cost_usd > 0


async def test_when_all_candidates_fail_they_are_asked_once_more_with_what_failed(tmp_path: Path) -> None:
    source = "def shifted(n: int) -> int:\n    return (n + 1234) ** 2\n"
    wrong, right = (
        f"def shifted(n: int) -> int:\n    moved = n + {shift}\n    return moved * moved" for shift in (1235, 1234)
    )
    async with ModelServer(answer=by_model({"m": [wrong, right]})) as server:
        bench = Bench(tmp_path, server, source)
        done = await bench.run([bench.model("m")])
        first, second = (request.prompt for request in server.requests)
    failure = done.row("m-plain-0").verdict.failure
    assert failure is not None
    assert failure.where.startswith("shifted(")
    assert failure.where in second
    assert failure.got in second
    assert failure.expected
    assert failure.expected in second, "a function that works says itself what is right"
    assert failure.where not in first
    assert done.row("m-plain-0-r1").verdict.status == "passed"
    assert done.row("m-plain-0-r1").rank == 1


async def test_a_model_that_never_learns_is_asked_exactly_once_more(tmp_path: Path) -> None:
    worse = "def digits(number: int) -> int:\n    return number"
    async with ModelServer(answer=by_model({"m": [WRONG, worse]})) as server:
        bench = Bench(tmp_path, server, STUB)
        done = await bench.run([bench.model("m")])
        assert len(server.requests) == 2
    assert [row.verdict.status for row in done.run.results] == ["failed", "failed"]
    assert (done.run.best, done.run.headline) == ("original", "none of 2 candidates passed")


async def test_no_further_round_is_made_when_a_candidate_passed(tmp_path: Path) -> None:
    async with ModelServer(answer=by_model({"good": RIGHT, "bad": WRONG})) as server:
        bench = Bench(tmp_path, server, STUB)
        done = await bench.run([bench.model("good"), bench.model("bad")])
        assert len(server.requests) == 2
    assert done.run.summary.passed == 1


async def test_as_many_rounds_are_made_as_were_asked_for_while_something_fails(tmp_path: Path) -> None:
    async with ModelServer(answer=by_model({"good": RIGHT, "bad": [WRONG, ALSO_RIGHT]})) as server:
        bench = Bench(tmp_path, server, STUB)
        done = await bench.run([bench.model("good"), bench.model("bad")], rounds=3)
        assert len(server.requests) == 3
    assert done.row("bad-plain-0-r1").verdict.status == "passed"


async def test_identical_answers_are_executed_once_and_credited_to_all(tmp_path: Path) -> None:
    commented = RIGHT.replace("    return", "    # Strings know their digits.\n    return")
    async with ModelServer(answer=by_model({"a": RIGHT, "b": commented})) as server:
        bench = Bench(tmp_path, server, STUB)
        done = await bench.run([bench.model("a"), bench.model("b")], samples=2)
    (row,) = done.run.results
    assert sorted([f"{row.candidate.model} · plain", *row.candidate.same_as]) == ["a · plain"] * 2 + ["b · plain"] * 2
    assert (done.run.summary.generated, done.run.summary.executed, done.run.summary.passed) == (4, 1, 1)
    assert sum(isinstance(event, CandidateJudged) for event in done.events) == 1
    (cluster,) = done.run.clusters
    assert cluster.weight == 4


@pytest.mark.parametrize("docstring", ["The sum.\n\n    >>> digits(12)\n    3\n    ", "The sum of the decimal digits."])
async def test_of_answers_that_differ_where_nobody_knows_better_the_larger_group_comes_first(
    tmp_path: Path, docstring: str
) -> None:
    alone = "def digits(number: int) -> int:\n    return 3"
    stub = f'def digits(number: int) -> int:\n    """{docstring}"""\n    ...\n'
    async with ModelServer(answer=by_model({"a": RIGHT, "b": ALSO_RIGHT, "c": alone})) as server:
        bench = Bench(tmp_path, server, stub)
        done = await bench.run([bench.model(name) for name in "abc"])
    first, second, third = done.run.results
    assert {first.candidate.model, second.candidate.model} == {"a", "b"}
    assert first.cluster == second.cluster != third.cluster
    assert first.reason.startswith("agrees with 2 of 3 answers")
    assert third.reason.startswith("agrees with 1 of 3 answers")
    known = ">>>" in docstring
    grades = [row.verdict.evidence for row in done.run.results]
    assert grades == (["tests"] * 3 if known else ["agreement", "agreement", "none"])
    assert ("is chosen by agreement, not proven: it agrees with 2 of 3 answers" in done.run.headline) is not known
    assert done.run.clusters[0].differences[0].call.startswith("digits(")


async def test_without_proof_answers_that_agree_on_most_inputs_come_before_a_larger_group_that_agrees_with_nobody_else(
    tmp_path: Path,
) -> None:
    odd = RIGHT.replace("    return", "    if {}:\n        return -1\n    return")
    stub = 'def digits(number: int) -> int:\n    """The sum of the decimal digits."""\n    ...\n'
    some = {"a": odd.format("number == 0"), "c": odd.format("0 < number < 10")}
    answers = {**some, "b": RIGHT, "d": WRONG, "e": WRONG.replace("str", "repr")}
    async with ModelServer(answer=by_model(answers)) as server:
        bench = Bench(tmp_path, server, stub)
        done = await bench.run([bench.model(name) for name in answers])
    order = [row.candidate.model for row in done.run.results]
    assert (order[0], set(order[1:3]), set(order[3:])) == ("b", {"a", "c"}, {"d", "e"})
    assert done.run.best == "b-plain-0"
    assert set(done.run.clusters[0].members) == {"d-plain-0", "e-plain-0"}
    assert done.run.headline.endswith("and there are no tests or known results")


async def test_an_answer_that_repeats_the_original_is_no_candidate_and_no_error(tmp_path: Path) -> None:
    async with ModelServer(answer=by_model({"m": RIGHT})) as server:
        bench = Bench(tmp_path, server, RIGHT + "\n")
        done = await bench.run([bench.model("m")])
    assert (done.run.results, done.run.best) == ((), "original")
    assert done.run.summary.generated == 1
    assert done.run.summary.cost_usd > 0


SLOW = """\
def common(left: list[int], right: list[int]) -> list[int]:
    found = []
    for item in left:
        if item in [other for other in right for _ in range(300)] and item not in found:
            found.append(item)
    return found
"""
ANSWERS = {
    "fast": """\
def common(left: list[int], right: list[int]) -> list[int]:
    wanted = set(right)
    return list(dict.fromkeys(item for item in left if item in wanted))""",
    "wrong": "def common(left: list[int], right: list[int]) -> list[int]:\n    return sorted(set(left) & set(right))",
    "broken": "def common(left: list[int], right: list[int]) -> list[int]:\n    return intersection(left, right)",
    "liar": """\
class Anything(list):
    def __eq__(self, other):
        return True

    __hash__ = None

def common(left: list[int], right: list[int]) -> list[int]:
    return Anything()""",
    "quitter": "import os\n\ndef common(left: list[int], right: list[int]) -> list[int]:\n    os._exit(0)",
}


@pytest.mark.timed
@pytest.mark.usefixtures("drawn_cases")
async def test_only_the_faster_answer_is_ranked_and_the_others_say_why_not(tmp_path: Path) -> None:
    async with ModelServer(answer=by_model(ANSWERS)) as server:
        bench = Bench(tmp_path, server, SLOW)
        names = ("fast", "wrong", "broken", "liar", "quitter")
        replied = {f"{name}-plain-0": name for name in names}
        done = await bench.run([bench.model(name) for name in names], goal="speed", effort="normal")
    rows = {replied[row.candidate.id]: row for row in done.run.results if row.candidate.round == 0}
    fast = rows.pop("fast")
    assert (fast.rank, done.run.best) == (1, fast.candidate.id)
    assert fast.speed is not None
    assert fast.speed.low > 1.5
    assert fast.verdict.evidence == "differential"
    assert [row.rank for row in rows.values()] == [None] * 4
    assert rows["wrong"].verdict.status == "failed"
    assert rows["wrong"].reason.startswith("differs on ")
    assert rows["broken"].verdict.status == "error"
    assert rows["broken"].verdict.failure is not None
    assert "NameError" in rows["broken"].verdict.failure.got
    assert rows["liar"].verdict.status in {"failed", "refused"}
    assert rows["quitter"].verdict.status in {"error", "refused"}
    assert all(row.reason for row in rows.values())


async def test_what_is_right_only_while_it_is_watched_is_rejected(tmp_path: Path) -> None:
    tired = """\
CALLS = []

def digits(number: int) -> int:
    CALLS.append(number)
    return sum(map(int, str(abs(number)))) if len(CALLS) <= 12 else 0"""
    async with ModelServer(answer=by_model({"m": tired})) as server:
        bench = Bench(tmp_path, server, ALSO_RIGHT + "\n")
        done = await bench.run([bench.model("m")], goal="speed")
        assert len(server.requests) == 2
    (row,) = done.run.results
    assert (row.rank, row.verdict.status) == (None, "failed")
    assert row.reason.startswith("called again, in another order")
    assert done.run.summary.passed == 0


async def test_a_stopped_run_ends_a_call_in_mid_answer_counts_its_cost_and_keeps_what_was_found(tmp_path: Path) -> None:
    answer = by_model({"good": RIGHT, "hangs": RIGHT})
    async with ModelServer(answer=answer, script={"hangs": ["stalled"]}) as server:
        bench = Bench(tmp_path, server, STUB)
        with anyio.fail_after(SECONDS):
            async with bench.started([bench.model("good"), bench.model("hangs")]) as stream:
                async for event in stream:
                    if isinstance(event, CandidateMeasured):
                        assert server.open_connections
                        stream.stop("cancelled")
                        break
                events = await bench.rest_of(stream)
    done = finished(events)
    assert done.run.summary.stopped == "cancelled"
    assert (done.run.best, done.row("good-plain-0").rank) == ("good-plain-0", 1)
    assert done.run.summary.failures == ("hangs · plain: stopped while it answered",)
    assert done.run.summary.cost_usd > (done.row("good-plain-0").candidate.cost_usd or 0.0) > 0
    with bench.store() as store:
        assert (await store.load(done.run.run_id)).document == done.run


async def test_without_a_sandbox_no_model_is_asked_and_nothing_is_left_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unavailable(*_: object) -> None:
        raise SandboxUnavailable("local", "this machine cannot", "Use another")

    monkeypatch.setattr(LocalBackend, "open", unavailable)
    async with ModelServer(answer=by_model({"m": RIGHT})) as server:
        bench = Bench(tmp_path, server, STUB)
        with pytest.raises(SandboxUnavailable):
            await bench.run([bench.model("m")])
        assert server.requests == []
    gc.collect()  # what was not closed warns now
    assert not (tmp_path / "results").exists()


async def test_leaving_a_run_early_ends_everything(tmp_path: Path) -> None:
    async with ModelServer(answer=by_model({}), script={"*": ["hang"]}) as server:
        bench = Bench(tmp_path, server, STUB)
        with anyio.fail_after(SECONDS):
            async with bench.started([bench.model("m")]):
                await server.until_asked()
    assert server.open_connections == 0

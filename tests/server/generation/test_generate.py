"""A round of requests, from models to candidates: real LiteLLM against the loopback server."""

from __future__ import annotations

from functools import partial

import anyio
import anyio.lowlevel
import pytest
from msgspec.structs import replace

from codeens_server.domain.target import Candidate
from codeens_server.domain.verdict import Failure
from codeens_server.generation.budget import Budget
from codeens_server.generation.generate import Answer, Ask, FailedCall, calls_of, generate
from codeens_server.generation.models.client import Models
from codeens_server.generation.prompts import Feedback
from tests.loopback.server import Fault, ModelServer
from tests.server.generation.makers import ANSWER, ENVIRON, MemoryCache, ask, model, variant

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning"),  # pydantic's, of LiteLLM's own code
]


async def _generate(asked: Ask, *, budget: Budget | None = None, cache: MemoryCache | None = None) -> list[Answer]:
    answers: list[Answer] = []

    async def deliver(answer: Answer) -> None:
        answers.append(answer)

    async with Models(asked.models, ENVIRON) as client:
        await generate(asked, client=client, cache=cache or MemoryCache(), budget=budget or Budget(), deliver=deliver)
    return answers


def _candidates(answers: list[Answer]) -> dict[str, Candidate]:
    return {answer.id: answer for answer in answers if isinstance(answer, Candidate)}


async def test_all_models_variants_and_samples_are_asked() -> None:
    variants = (variant("baseline"), variant("fast"))
    async with ModelServer(answer=lambda _: ANSWER) as server:
        asked = ask(model("A/b", server.url), model("c", server.url), variants=variants, samples=2)
        events = await _generate(asked)
    found = _candidates(events)
    assert set(found) == {
        f"{name}-{kind}-{sample}" for name in ("a-b", "c") for kind in ("baseline", "fast") for sample in (0, 1)
    }
    candidate = found["a-b-fast-1"]
    assert (candidate.model, candidate.variant, candidate.sample, candidate.round) == ("A/b", "fast", 1, 0)
    assert candidate.replacement.function == 'def double(n: int) -> int:\n    """Twice n."""\n    return n + n'
    assert candidate.source == candidate.replacement.function + "\n"
    assert candidate.response == ANSWER
    assert "Write double." in candidate.prompt
    assert candidate.rationale == "Addition is enough."
    assert candidate.cost_usd
    assert len({candidate.digest for candidate in found.values()}) == 1


async def test_a_failed_model_and_an_unusable_answer_are_told_and_do_not_stop_the_rest() -> None:
    def answer(request: object) -> str:
        return ANSWER if "good" in repr(request) else "I won't."

    async with ModelServer(answer=answer, script={"down": ["401"]}) as server:
        events = await _generate(ask(*(model(name, server.url) for name in ("good", "down", "chatty"))))
    assert list(_candidates(events)) == ["good-baseline-0"]
    failures = {answer.model: answer.why for answer in events if isinstance(answer, FailedCall)}
    assert failures["down"].startswith("the key was refused")
    assert failures["chatty"] == "the reply holds no Python code that could be the function"


@pytest.mark.parametrize("fault", ["truncated", "stalled"])
async def test_what_came_of_an_answer_before_it_was_torn_is_paid_for(fault: Fault) -> None:
    budget = Budget(usd=1.0)
    async with ModelServer(answer=lambda _: ANSWER, script={"m": [fault]}) as server:
        (event,) = await _generate(ask(model("m", server.url, timeout_s=5.0)), budget=budget)
    assert isinstance(event, FailedCall)
    assert event.cost_usd == budget.spent_usd > 0
    assert event.tokens == budget.spent_tokens > 0
    assert (event.can_retry, event.reply) == (True, None)


async def test_a_call_that_is_cancelled_in_mid_answer_is_delivered_with_what_it_cost() -> None:
    answers: list[Answer] = []
    budget = Budget()

    async def deliver(answer: Answer) -> None:
        await anyio.lowlevel.checkpoint()
        answers.append(answer)

    async with ModelServer(answer=lambda _: ANSWER, script={"m": ["stalled"]}) as server:
        asked = ask(model("m", server.url))
        async with Models(asked.models, ENVIRON) as client, anyio.create_task_group() as group:
            group.start_soon(
                partial(generate, asked, client=client, cache=MemoryCache(), budget=budget, deliver=deliver)
            )
            with anyio.fail_after(60):
                await server.half_sent.wait()
                for _ in range(100):  # turns of the event loop: what was sent is read
                    await anyio.lowlevel.checkpoint()
                await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
    (event,) = answers
    assert isinstance(event, FailedCall)
    assert event.why == "stopped while it answered"
    assert event.cost_usd == budget.spent_usd > 0


async def test_an_answer_cut_for_its_length_says_which_setting_to_raise() -> None:
    async with ModelServer(answer=lambda _: ANSWER, script={"m": ["length"]}) as server:
        (event,) = await _generate(ask(model("m", server.url)))
    assert isinstance(event, FailedCall)
    assert "raise max_tokens" in event.why


async def test_a_reply_with_two_answers_makes_two_candidates_and_is_paid_for_once() -> None:
    two = f"{ANSWER}\nOr:\n```python\ndef double(n: int) -> int:\n    return 2 * n\n```"
    async with ModelServer(answer=lambda _: two) as server:
        found = _candidates(await _generate(ask(model("m", server.url))))
    assert {name: candidate.source.strip()[-5:] for name, candidate in found.items()} == {
        "m-baseline-0": "2 * n",
        "m-baseline-0.2": "n + n",
    }
    assert [candidate.cost_usd == 0.0 for candidate in found.values()] == [False, True]
    assert all("one of 2 different definitions" in candidate.receipt for candidate in found.values())


async def test_the_same_request_is_paid_for_once() -> None:
    cache = MemoryCache()
    async with ModelServer(answer=lambda _: ANSWER) as server:
        asked = ask(model("m", server.url), samples=2)
        await _generate(asked, cache=cache)
        assert len(server.requests) == 2
        again = _candidates(await _generate(asked, cache=cache))
        assert len(server.requests) == 2
        await _generate(replace(asked, fresh=True), cache=cache)
        assert len(server.requests) == 4
    assert len(again) == 2
    assert all(candidate.cached and candidate.cost_usd == 0.0 for candidate in again.values())


async def test_no_request_is_begun_that_does_not_fit_the_budget() -> None:
    async with ModelServer(answer=lambda _: ANSWER) as server:
        asked = ask(model("m", server.url, max_tokens=1000, max_parallel=1), samples=5)
        budget = Budget(tokens=2500)
        events = await _generate(asked, budget=budget)
    assert budget.exhausted
    assert 1 <= len(events) == len(server.requests) < 5
    assert budget.spent_tokens <= 2500


async def test_another_round_asks_only_those_that_failed_and_tells_them_why() -> None:
    async with ModelServer(answer=lambda _: ANSWER) as server:
        asked = ask(model("m", server.url), model("n", server.url))
        first = _candidates(await _generate(asked))["m-baseline-0"]
        feedback = Feedback(candidate=first, failure=Failure(where="double(-1)", expected="-2", got="-3"))
        again = replace(asked, round=1, feedback=(feedback,))
        events = await _generate(again)
    assert [call.id for call in calls_of(again)] == list(_candidates(events)) == ["m-baseline-0-r1"]
    assert "double(-1)" in server.requests[-1].prompt


def test_models_with_like_names_get_different_ids() -> None:
    asked = ask(model("a/b", ""), model("a-b", ""), model("…", ""))
    assert len({call.id for call in calls_of(asked)}) == 3

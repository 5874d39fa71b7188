"""One item of a benchmark: ask, judge, and where it is wrong tell what went wrong and ask again."""

from __future__ import annotations

from anyio import current_time
from msgspec import Struct
from msgspec.structs import replace

from codeens_server.bench.judging import Judge
from codeens_server.bench.preparing import PreparedTask
from codeens_server.bench.records import Attempt
from codeens_server.bench.scripts import script_of
from codeens_server.config.settings import ModelSettings
from codeens_server.domain.target import Candidate, Replacement
from codeens_server.domain.verdict import Failure
from codeens_server.generation.budget import Budget
from codeens_server.generation.generate import Answer, Ask, FailedCall, generate
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import ResponseCache
from codeens_server.generation.prompts import Feedback
from codeens_server.ranking.selector.features import Submission
from codeens_server.ranking.selector.order import Order
from codeens_server.tasks.schema import Task
from codeens_variants.manifest import Variant


class Trial(Struct, frozen=True, kw_only=True):
    """What one line of the results is about."""

    ready: PreparedTask
    model: ModelSettings
    variant: Variant
    sample: int

    @property
    def key(self) -> tuple[str, str, str, int]:
        """As the record's."""
        return self.ready.item.task.id, self.model.name, self.variant.name, self.sample


class Tools(Struct, frozen=True, kw_only=True):
    """What all items of a benchmark share."""

    client: Models
    cache: ResponseCache
    budget: Budget
    judge: Judge | None
    """None: nothing is run."""
    order: Order
    """Which of the answers that wait is run first."""
    rounds: int = 1
    fresh: bool = False


class _Told(Struct, frozen=True, kw_only=True):
    """An answer with the program that it is, and what may be told of it."""

    candidate: Candidate | None
    attempt: Attempt
    failure: Failure | None = None


async def solve(trial: Trial, tools: Tools) -> tuple[Attempt, ...]:
    """Return the attempts of an item, one for each round; none: there is no budget left to begin.

    It ends with the first that passes; where a task has public tests, with the first that passes these, since nobody
    may know more. A call that fails ends it too.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the program.
    """
    attempts: list[Attempt] = []
    feedback: Feedback | None = None
    for number in range(tools.rounds):
        told = await _round(trial, tools, number, feedback)
        if told is None:
            break
        attempts.append(told.attempt)
        if told.candidate is None or told.failure is None:
            break
        feedback = Feedback(candidate=replace(told.candidate, model=trial.model.name), failure=told.failure)
    return tuple(attempts)


async def _round(trial: Trial, tools: Tools, number: int, feedback: Feedback | None) -> _Told | None:
    began = current_time()
    answer = await _ask(trial, tools, number, feedback)
    if answer is None:
        return None
    asked_s = current_time() - began
    text, source, attempt = _read(answer, trial.ready.item.task, asked_s)
    if not source:
        return _Told(candidate=None, attempt=attempt)
    if tools.judge is None:
        return _Told(candidate=None, attempt=replace(attempt, ending="not_run"))
    began, is_last = current_time(), number + 1 == tools.rounds
    submission = Submission(code=attempt.source, model=trial.model.name, variant=trial.variant.name)
    async with tools.order.turn(submission, trial.ready.item.task.id):
        judged = await tools.judge.judged(trial.ready.item, source, is_last=is_last)
    said = {name: getattr(judged, name) for name in judged.__struct_fields__ if name != "failure"}
    attempt = replace(attempt, judge_s=current_time() - began, **said)
    candidate = answer if isinstance(answer, Candidate) else _as_candidate(answer, trial, text)
    return _Told(candidate=candidate, attempt=attempt, failure=judged.failure)


async def _ask(trial: Trial, tools: Tools, number: int, feedback: Feedback | None) -> Answer | None:
    """Return the first thing that a model's reply holds; None: the budget is used up."""
    answers: list[Answer] = []

    async def take(answer: Answer) -> None:
        answers.append(answer)

    ask = Ask(
        target=trial.ready.target,
        context=trial.ready.context,
        mode=trial.ready.item.mode,
        models=(trial.model,),
        variants=(trial.variant,),
        first_sample=trial.sample,
        round=number,
        feedback=(feedback,) if feedback else (),
        fresh=tools.fresh,
    )
    await generate(ask, client=tools.client, cache=tools.cache, budget=tools.budget, deliver=take)
    return answers[0] if answers else None


def _read(answer: Answer, task: Task, asked_s: float) -> tuple[str, str, Attempt]:
    """Return what the model wrote, the program to be judged (empty: none), and the attempt as far as it is known."""
    if isinstance(answer, Candidate):
        written, response = answer.source, answer.response
        tokens_in, tokens_out = answer.tokens_in, answer.tokens_out
    else:
        reply = answer.reply
        written, response = "", reply.text if reply else ""
        tokens_in, tokens_out = (reply.tokens_in, reply.tokens_out) if reply else (answer.tokens, 0)
    if task.wants_script:
        written = program = script_of(response, written)
    else:
        program = task.program(written) if written else ""
    failed = isinstance(answer, FailedCall) and not program
    attempt = Attempt(
        ending="no_answer" if failed and not response else "no_code",
        reason=answer.why if isinstance(answer, FailedCall) and failed else "",
        source=written,
        ask_s=0.0 if answer.cached else asked_s,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost_usd=answer.cost_usd,
        cached=answer.cached,
    )
    return written, program, attempt


def _as_candidate(call: FailedCall, trial: Trial, written: str) -> Candidate:
    """Return a script in which no `main` was found as what can be told of."""
    return Candidate(
        id=call.id,
        model=trial.model.name,
        variant=trial.variant.name,
        source=written,
        replacement=Replacement(function=written),
        sample=trial.sample,
        digest="",
    )

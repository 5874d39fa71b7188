"""Where the candidates of a run come from: those that were given, offline rewrites, models. One protocol for all."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeAlias

import anyio
import anyio.to_thread
from msgspec import Struct
from msgspec.structs import replace

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.programs import CallInput
from codeens_server.config.settings import ModelSettings
from codeens_server.domain.evidence import Evidence, MissedChange
from codeens_server.domain.systems import PastRuns, System, SystemRecord
from codeens_server.domain.target import Candidate, Context, Target
from codeens_server.domain.terms import ModeRequest
from codeens_server.domain.verdict import Failure
from codeens_server.errors import Hint, InputError
from codeens_server.evidence.hot_lines import hot_lines
from codeens_server.generation.announcing import announcement
from codeens_server.generation.budget import Budget
from codeens_server.generation.facts import with_evidence
from codeens_server.generation.generate import Answer, Ask, Replies, calls_of, generate
from codeens_server.generation.models.client import Models
from codeens_server.generation.models.exchange import ResponseCache
from codeens_server.generation.prompts import Feedback
from codeens_server.run.asking import CALLABLE, InputQuestion, ask_for_inputs
from codeens_server.run.events import (
    CandidateGenerated,
    GenerationFailed,
    InputsAsked,
    ModelsBriefed,
    Noted,
    RunStopped,
)
from codeens_server.run.request import RunRequest
from codeens_server.run.state import RunState
from codeens_server.text import one_line
from codeens_server.workspace.context import context_of
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.text import snapshot
from codeens_variants.manifest import Variant

Produced: TypeAlias = CandidateGenerated | GenerationFailed | Noted | RunStopped
Deliver: TypeAlias = Callable[[Produced], Coroutine[Any, Any, None]]
"""Takes in what a producer made, kept when it returns. It may be called by several tasks at once."""
_MOST_TRIED = 4
_LONGEST_REMARK = 200


class CandidateProducer(Protocol):
    """Makes candidates, round by round. What it knows of earlier rounds is what the state says."""

    def expected(self, state: RunState, number: int) -> int:
        """Return how many answers it brings in a round, counted from 0; a round for which all say 0 is not begun."""
        ...

    async def produce(self, state: RunState, number: int, deliver: Deliver) -> None:
        """Deliver the answers of a round as they come, without those that the state has.

        The run ends this by cancelling it. What was paid for is delivered all the same.
        """
        ...

    def ending(self, state: RunState, number: int) -> str:
        """Return why it brings nothing in a round that could have been made, and what is saved; empty: it could not."""
        ...


class GivenCandidates:
    """Candidates that somebody else made."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates

    def expected(self, state: RunState, number: int) -> int:
        """Return all of them, in the first round."""
        del state
        return 0 if number else len(self._candidates)

    async def produce(self, state: RunState, number: int, deliver: Deliver) -> None:
        """Deliver those that the state has not."""
        if not self.expected(state, number):
            return
        async with anyio.create_task_group() as group:
            for candidate in self._candidates:
                if candidate.id not in state.answered:
                    group.start_soon(deliver, CandidateGenerated(candidate=candidate))

    def ending(self, state: RunState, number: int) -> str:
        """Return nothing: all of them were there in the first round."""
        del state, number
        return ""


class OfflineRewrites(GivenCandidates):
    """What rules make of the target. They keep what a function does, so that only a working one is worth it."""

    def expected(self, state: RunState, number: int) -> int:
        """Return all of them, in the first round of a run that improves."""
        return super().expected(state, number) if state.mode == "improve" else 0


async def offline_rewrites(target: Target, variants: Sequence[Variant]) -> list[Candidate]:
    """Return what the rules that the variants name make of the target.

    It is made beside the gathering of evidence, which ends when there is nothing to judge.
    """
    return await anyio.to_thread.run_sync(_rewritten, target, variants)


def _rewritten(target: Target, variants: Sequence[Variant]) -> list[Candidate]:
    from codeens_server.generation.rewrites.offline import offline_candidates

    return offline_candidates(target, snapshot(target).text, variants)


class GenerationPlan(Struct, frozen=True, kw_only=True):
    """Whom to ask, and how."""

    models: tuple[ModelSettings, ...]
    variants: tuple[Variant, ...]
    systems: tuple[System, ...]
    """Names of a model and a variant each: who is asked in the first round."""
    samples: int
    rounds: int
    budget_usd: float | None
    budget_tokens: int | None
    budget_calls: int | None
    fresh: bool
    packages: tuple[str, ...] = ()
    """Distributions that the workspace's interpreter has."""
    records: tuple[SystemRecord, ...] = ()
    """What earlier runs say of models and variants."""
    past: PastRuns | None = None
    """How they went; None: too few are known."""


class Asker:
    """Asks the models of a run, within one budget for all who ask."""

    def __init__(self, plan: GenerationPlan, client: Models, cache: ResponseCache) -> None:
        self.plan = plan
        self._client = client
        self._cache = cache
        self._budget: Budget | None = None

    async def ask(self, state: RunState, ask: Ask, deliver: Deliver) -> None:
        """Say what will be asked, ask all of it at once, and deliver the answers as they come."""
        budget = self._spending(state)

        async def take(answer: Answer) -> None:
            await deliver(_event_of(answer))

        if said := await announcement(
            ask,
            self._client,
            self._cache,
            budget,
            state.brief.records if state.brief else (),
            None if ask.round else self.plan.past,
        ):
            await deliver(Noted(kind="plan", message=said))
        await generate(ask, client=self._client, cache=self._cache, budget=budget, deliver=take)
        if budget.remark:
            await deliver(Noted(kind="budget", message=budget.remark))
        if budget.exhausted:
            await deliver(RunStopped(reason="budget"))

    def source(self, state: RunState) -> Replies:
        """Return where a single reply comes from."""
        return Replies(self._client, self._cache, self._spending(state), self.plan.fresh)

    def _spending(self, state: RunState) -> Budget:
        if self._budget is None:
            plan = self.plan
            self._budget = Budget(
                usd=plan.budget_usd,
                tokens=plan.budget_tokens,
                calls=plan.budget_calls,
                spent_usd=state.cost_usd,
                spent_tokens=state.tokens,
                spent_calls=state.calls,
            )
        return self._budget


class ModelAnswers:
    """Answers of models: all that was asked for in the first round, then those again that were wrong."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    async def brief(self, target: Target, known: Evidence, limits: Limits, sandbox: Sandbox) -> ModelsBriefed:
        """Return what the models are told of a function.

        Args:
            target: the function.
            known: what the evidence says so far.
            limits: what each job may take.
            sandbox: where the original is called.
        """

        def tell() -> Context:
            return with_evidence(context_of(target), target, known, self._asker.plan.packages)

        context = await anyio.to_thread.run_sync(tell)
        if known.mode == "improve":
            program = await anyio.to_thread.run_sync(program_for, target, None)
            hot = await hot_lines(program, known.cases, limits=limits, sandbox=sandbox)
            context = replace(context, hot=hot)
        return ModelsBriefed(mode=known.mode, context=context, records=self._asker.plan.records)

    def expected(self, state: RunState, number: int) -> int:
        """Return how many calls a round makes; none before there is a brief.

        There are as many rounds as were asked for, and one more when no candidate passed.
        """
        return len(calls_of(ask)) if (ask := self._ask(state, number)) else 0

    async def produce(self, state: RunState, number: int, deliver: Deliver) -> None:
        """Ask all of a round at once."""
        if ask := self._ask(state, number):
            await self._asker.ask(state, ask, deliver)

    def ending(self, state: RunState, number: int) -> str:
        """Return nothing: whoever is wrong is asked again."""
        del state, number
        return ""

    async def inputs(
        self, state: RunState, missed: Sequence[MissedChange], tell: Callable[[InputsAsked], Coroutine[Any, Any, None]]
    ) -> tuple[CallInput, ...]:
        """Return inputs that the first model writes against changes of the original; see `ask_for_inputs`."""
        models = self._asker.plan.models
        if not models or state.target.kind not in CALLABLE:
            return ()
        via = InputQuestion(models[0], self._asker.source(state))
        return await ask_for_inputs(state.target, missed, via, tell)

    def _ask(self, state: RunState, number: int) -> Ask | None:
        """Return what to ask in a round; None for nothing."""
        plan, brief = self._asker.plan, state.brief
        rounds = plan.rounds
        if brief is None or state.stopped or number > rounds or (number and number == rounds and state.passed):
            return None
        told = state.failed_in(number - 1) if number else []
        if number and not told:
            return None
        return Ask(
            target=state.target,
            context=brief.context,
            mode=brief.mode,
            models=plan.models,
            variants=plan.variants,
            systems=plan.systems,
            samples=plan.samples,
            round=number,
            feedback=tuple(
                Feedback(candidate=candidate, failure=failure, others=_tried(told, candidate))
                for candidate, failure in told
            ),
            fresh=plan.fresh,
            known=frozenset(state.answered),
        )


def _tried(told: Sequence[tuple[Candidate, Failure]], own: Candidate) -> tuple[str, ...]:
    """Return what other answers that were wrong said of themselves, each way once."""
    said = (one_line(candidate.rationale) for candidate, _ in told if candidate.id != own.id)
    return tuple(dict.fromkeys(text[:_LONGEST_REMARK] for text in said if text))[:_MOST_TRIED]


def _event_of(answer: Answer) -> CandidateGenerated | GenerationFailed:
    if isinstance(answer, Candidate):
        return CandidateGenerated(candidate=answer)
    return GenerationFailed(
        call=answer.id,
        model=answer.model,
        variant=answer.variant,
        why=answer.why,
        remedy=answer.remedy,
        cost_usd=answer.cost_usd,
        tokens=answer.tokens,
        latency_s=answer.latency_s,
        can_retry=answer.can_retry,
    )


def wants_rewrites(request: RunRequest, models: Sequence[ModelSettings]) -> bool:
    """Return whether offline rewrites are to be made for a run that asks these models."""
    if request.rewrites == "never" or request.mode in {"implement", "repair"}:
        return False
    return request.rewrites == "always" or not models or request.goal != "correctness"


_NAMED = 3


def refuse_without_model(
    mode: ModeRequest, target: Target, models: Sequence[ModelSettings], *, failing: Sequence[str] = ()
) -> None:
    """Refuse what offline rewrites cannot do: they change how a working function works, not what it does.

    `failing` are tests that the original fails, for which it is to be repaired.

    Raises:
        InputError: there is no model, and the mode needs one.
    """
    if not models and mode in {"implement", "repair"}:
        message = f"offline rewrites cannot {mode} {target.qualname}, and no model can be reached."
        if mode == "repair" and failing:
            more = f" and {len(failing) - _NAMED} more" if len(failing) > _NAMED else ""
            message += (
                f" It is to be repaired because tests that reach it fail before any change: "
                f"{', '.join(failing[:_NAMED])}{more}. The mode improve sets such tests aside."
            )
        raise InputError(message, code="no_model", hint=Hint("model"))

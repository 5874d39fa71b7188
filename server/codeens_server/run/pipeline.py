"""The stages of one run, joined: evidence, then rounds of candidates, then the behaviour map and the ranking."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence

import anyio
from anyio.streams.memory import MemoryObjectSendStream
from msgspec.structs import replace

from codeens_sandbox_backends.executor import Executor
from codeens_server.domain import Candidate, Case, Evidence
from codeens_server.errors import NothingGenerated, RunError
from codeens_server.evidence.gather import EvidencePlan, gather
from codeens_server.generation.budget import Budget
from codeens_server.generation.models.exchange import Reply
from codeens_server.generation.prompts import Feedback
from codeens_server.generation.reply.assemble import digest
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateMeasured,
    EvidenceGathered,
    GenerationFailed,
    Progress,
    RunEvent,
    RunFinished,
    RunStarted,
)
from codeens_server.run.plan import Plan, refuse_without_model
from codeens_server.run.producers import open_sources, rewrites_of
from codeens_server.run.report import conclude, original_replacement
from codeens_server.run.rounds import Round
from codeens_server.run.state import RunState
from codeens_server.store.runs import RunStore
from codeens_server.store.stored import StoredRun


class Pipeline:
    """One run from evidence to ranking. Every event goes to the store first, then to the door."""

    def __init__(self, plan: Plan, executor: Executor, store: RunStore, send: MemoryObjectSendStream[RunEvent]) -> None:
        self.plan = plan
        self._executor = executor
        self._store = store
        self._send = send
        self._started = time.monotonic()
        self._stopped = ""
        self._is_stored = plan.stored is not None
        self._work = anyio.CancelScope()
        self._state = RunState(digest(original_replacement(plan.target)))

    def stop(self, reason: str) -> None:
        """End the work at once; what was found is ranked and kept."""
        self._stopped = self._stopped or reason
        self._work.cancel()

    async def run(self) -> None:
        """Run all stages.

        Raises:
            EvidenceError: the evidence forbids the mode; nothing was written.
            NothingGenerated: no model and no rewrite gave a candidate.
        """
        await self._emit(
            RunStarted(
                run_id=self.plan.run_id,
                request=self.plan.request,
                target=self.plan.target,
                resumed=self._is_stored,
            )
        )
        evidence: Evidence | None = None
        with self._work as scope:
            scope.deadline = self._deadline()
            rewrites = await self._rewrites()
            evidence = await self._evidence()
            await self._candidates(evidence, rewrites)
        if scope.cancelled_caught and not self._stopped:
            self._stopped = "timeout"
        if evidence is None:
            message = f"the run was stopped ({self._stopped}) before the evidence was gathered; nothing was kept."
            raise RunError(message)
        await self._finish(evidence)

    def _deadline(self) -> float:
        limit = self.plan.request.timeout_s or self.plan.settings.timeout_s
        return anyio.current_time() + limit if limit else math.inf

    async def _emit(self, event: RunEvent) -> None:
        self._state.apply(event)
        if self._is_stored:
            await self._store.record(self.plan.run_id, event)
        await self._send.send(event)

    async def _say(self, message: str) -> None:
        await self._emit(Progress(message=message))

    async def _rewrites(self) -> list[Candidate]:
        """Made before the evidence is gathered, which takes long and is for nothing when there is nothing to judge.

        Raises:
            NothingGenerated: there is nothing, and no model to ask.
        """
        plan = self.plan
        rewrites = await rewrites_of(plan)
        if not rewrites and not plan.models and plan.stored is None:
            why = "are switched off" if plan.settings.rewrites == "never" else "find nothing to change in it"
            message = (
                f"no candidate was made for {plan.target.qualname}: offline rewrites {why}, and no model can be "
                "reached. Configure a model: --model openai/NAME with OPENAI_API_KEY set, or start Ollama, or see "
                "docs/configuration.md."
            )
            raise NothingGenerated(message)
        return rewrites

    async def _evidence(self) -> Evidence:
        stored = self.plan.stored
        if stored is not None and stored.evidence is not None:
            await self._replay(stored)
            return replace(stored.evidence, cases=_with_kept(stored.evidence.cases, stored.kept))
        plan = self.plan
        needed = EvidencePlan(
            mode=plan.request.mode,
            tests=plan.request.tests,
            max_inputs=plan.settings.max_inputs,
            timeout_s=plan.request.timeout_s or plan.settings.timeout_s,
            limits=plan.settings.limits,
        )
        evidence = await gather(plan.target, needed, sandbox=self._executor, say=self._say)
        if not plan.judge_again and plan.given is None:
            refuse_without_model(evidence.mode, plan.target, plan.models)
        if not self._is_stored:
            await self._store.create(plan.run_id, plan.request, plan.target, plan.given)
            self._is_stored = True
        await self._emit(EvidenceGathered(evidence=evidence))
        return evidence

    async def _replay(self, stored: StoredRun) -> None:
        """What an earlier process found is told again to the door, and is not stored twice."""
        for event in _events_of(stored, judged=not self.plan.judge_again):
            self._state.apply(event)
            await self._send.send(event)

    async def _candidates(self, evidence: Evidence, rewrites: Sequence[Candidate]) -> None:
        plan, state = self.plan, self._state
        asked, own = plan.request, plan.settings
        budget = Budget(
            usd=own.budget_usd if asked.budget_usd is None else asked.budget_usd,
            tokens=own.budget_tokens if asked.budget_tokens is None else asked.budget_tokens,
            spent_usd=state.cost_usd,
            spent_tokens=state.tokens,
        )
        async with open_sources(plan, evidence.mode, rewrites, budget, self._store.cache(Reply)) as sources:
            number, feedback = 0, list[Feedback]()
            while number == 0 or feedback:
                await Round(plan.target, evidence, self._executor, state, self._emit, number).run(sources, feedback)
                self._stopped = self._stopped or ("budget" if budget.exhausted else "")
                number += 1
                feedback = self._feedback(number)
        if budget.remark:
            state.failures.append(budget.remark)

    def _feedback(self, number: int) -> list[Feedback]:
        """What models are told in the next round; empty when there is to be none.

        There are as many rounds as were asked for, and one more when no candidate passed.
        """
        rounds = self.plan.request.rounds
        if self._stopped or not self.plan.models or number > rounds or (number == rounds and self._state.passed()):
            return []
        return self._state.feedback(number - 1)

    async def _finish(self, evidence: Evidence) -> None:
        if not self._state.seen and not self._stopped:
            reasons = "; ".join(dict.fromkeys(self._state.failures)) or "no offline rewrite applies to it"
            message = f"no candidate was made: {reasons}. Configure a model (docs/configuration.md) or fix the above."
            raise NothingGenerated(message)
        wall_s = time.monotonic() - self._started
        run = await conclude(self.plan, evidence, self._state, self._executor, wall_s=wall_s, stopped=self._stopped)
        await self._emit(RunFinished(run=run))


def _with_kept(cases: tuple[Case, ...], kept: tuple[Case, ...]) -> tuple[Case, ...]:
    ids = {case.id for case in kept}
    return (*(case for case in cases if case.id not in ids), *kept)


def _events_of(stored: StoredRun, *, judged: bool) -> Iterator[RunEvent]:
    """The events that a stored run is made of, in an order in which they could have come.

    Calls that failed and cost nothing are made again, and are told again if they fail again.
    """
    yield from (
        failure for failure in stored.failures if isinstance(failure, GenerationFailed) and failure.cost_usd != 0
    )
    for candidate in stored.candidates:
        yield CandidateGenerated(candidate=candidate, duplicate_of=stored.duplicates.get(candidate.id))
    if judged:
        yield from stored.judged.values()
    for key, measurement in stored.measured.items():
        yield CandidateMeasured(candidate_id=key, measurement=measurement)

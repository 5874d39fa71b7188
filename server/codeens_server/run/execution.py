"""One run under way: evidence, rounds of candidates that are judged and measured as they come, the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from functools import partial

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from msgspec.structs import replace

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.executor import Executor
from codeens_sandbox_backends.programs import CallInput
from codeens_server.config.settings import Settings
from codeens_server.crash_log import innermost
from codeens_server.domain.document import Cluster
from codeens_server.domain.evidence import Case, Evidence, MissedChange
from codeens_server.domain.measurement import Measurement
from codeens_server.domain.target import Candidate
from codeens_server.domain.terms import ORIGINAL, StopReason
from codeens_server.errors import CodeensError, Hint, NothingGenerated, RunError
from codeens_server.evidence.gather import EvidencePlan, gather
from codeens_server.evidence.live import find_live
from codeens_server.generation.reply.assemble import digest
from codeens_server.judging.judge import Agreement, agreeing, judge
from codeens_server.measuring.growth import compare_growth
from codeens_server.measuring.machine import this_machine
from codeens_server.ranking.selector.features import Submission
from codeens_server.ranking.selector.model import Selector
from codeens_server.ranking.selector.order import Order
from codeens_server.run import report
from codeens_server.run.effort import EFFORTS
from codeens_server.run.environments import FurtherEnvironments
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    CandidatePlanned,
    EvidenceGathered,
    Noted,
    Progress,
    RunFinished,
    RunStopped,
    SandboxFailed,
    StoredEvent,
)
from codeens_server.run.log import RunLog
from codeens_server.run.measuring import Measuring
from codeens_server.run.probing import Prober
from codeens_server.run.producers import CandidateProducer, ModelAnswers, Produced
from codeens_server.run.thoroughness import Suggest, with_mutation_score
from codeens_server.workspace.edit import program_for


class Execution:
    """Joins the stages. All that it finds goes into the log; what is left to do it learns from the log's state."""

    def __init__(
        self,
        log: RunLog,
        executor: Executor,
        producers: Callable[[Sandbox], AbstractAsyncContextManager[Sequence[CandidateProducer]]],
        *,
        accept: Callable[[Evidence], None],
        settings: Settings,
        selector: Selector | None = None,
        further: Mapping[str, Executor] | None = None,
    ) -> None:
        """Get ready.

        Args:
            log: of a run that is new, or gone on with.
            executor: runs code.
            producers: opens what makes candidates, with a sandbox to look at them; closed when the rounds are over.
            accept: raises where the run cannot go on with the evidence that was found, before anything is written.
            settings: limits of each job, and what candidates are ranked by.
            selector: says which of the candidates that wait is judged first; None: the one that came first.
            further: run code with other interpreters, by the interpreter's path: candidates must hold there too.
        """
        self.log = log
        self._state = log.state
        self._executor = executor
        self._open_producers = producers
        self._accept = accept
        self._settings = settings
        self._plan = EFFORTS[log.state.request.effort]
        self._started = time.monotonic()
        self._scope = anyio.CancelScope()
        self._stopped: StopReason | None = None
        # The first candidates shall have their verdicts before the last ones have their first jobs.
        self._order = Order(executor.parallel, selector)
        self._measuring = Measuring(
            log, executor, self._unseen, self._agreement, self._measure_elsewhere, self._plan.patience
        )
        self._found: Evidence | CodeensError | SandboxError | None = None
        self._is_found = anyio.Event()
        self._known: Evidence | None = None
        """What is known before all of it is found, once that is enough to ask models."""
        self._is_known = anyio.Event()
        self._briefing = anyio.Lock()
        self._prober: Prober | None = None
        self._can_begin = anyio.Event()
        """Set once candidates can be asked for: models are briefed, or there are none and the evidence is there."""
        self._gathered = anyio.Event()
        self._further = FurtherEnvironments(log.state.target, further or {}, refused=settings.refused_conditions)

    def stop(self, reason: StopReason) -> None:
        """End the work at once; what was found is ranked and kept."""
        self._stopped = self._stopped or reason
        self._scope.cancel()

    async def run(self, first: Sequence[StoredEvent]) -> None:
        """Do all that is left to do.

        Args:
            first: what happens before that.

        Raises:
            EvidenceError: the evidence forbids the mode; no model was asked.
            NothingGenerated: no producer gave a candidate.
            RunError: it was stopped before there was evidence; or the store failed.
        """
        for event in first:
            await self.log.emit(event)
        with self._scope as scope:
            scope.deadline = anyio.current_time() + self._state.request.timeout_s
            try:
                with _told_alone():
                    async with anyio.create_task_group() as beside:
                        # What producers need to be opened, as rewrites that are made, is ready when the evidence is.
                        beside.start_soon(self._find)
                        async with self._open_producers(self._executor) as producers:
                            beside.start_soon(self._brief_early, producers)
                            beside.start_soon(self._gather, producers, beside)
                            await self._rounds(producers)
                        beside.cancel_scope.cancel()
            except NothingGenerated:
                await self._refuse_what_nobody_runs()
                raise
            await self._compare_growth()
        await self._note_stop(scope)
        if self._state.evidence is None:
            raise self._stopped_early()
        await self._conclude(self._state.evidence)

    def _stopped_early(self) -> RunError:
        state = self._state
        kept = f"run {state.run_id} can be gone on with" if state.has_paid else "nothing was kept"
        message = f"the run was stopped ({state.stopped}) before the evidence was gathered; {kept}."
        return RunError(message, code="stopped_early")

    async def _refuse_what_nobody_runs(self) -> None:
        program = await anyio.to_thread.run_sync(program_for, self._state.target, None)
        with suppress(SandboxError):
            await find_live(program, limits=self._settings.limits, sandbox=self._executor)

    async def _note_stop(self, scope: anyio.CancelScope) -> None:
        if scope.cancelled_caught:
            await self.log.emit(RunStopped(reason=self._stopped or "timeout"))

    async def _find(self) -> None:
        """Find the evidence, or why there is none, as far as nobody who makes candidates is needed for it."""
        if self._state.evidence is not None:
            return
        request = self._state.request
        plan = EvidencePlan(
            mode=request.mode,
            tests=request.tests,
            deselect=request.deselect,
            calls=request.calls,
            bench=request.bench,
            max_inputs=request.max_inputs,
            timeout_s=request.timeout_s,
            limits=self._settings.limits,
        )
        # What a further interpreter refuses is to be known before anything is spent.
        tell = None if self._further.there_are else self._tell
        try:
            self._found = await gather(self._state.target, plan, sandbox=self._executor, say=self._say, tell=tell)
        except (CodeensError, SandboxError) as error:
            # That there is nobody to make candidates is said first.
            self._found = error
        self._is_found.set()

    async def _tell(self, known: Evidence) -> None:
        self._known = known
        self._is_known.set()

    async def _brief_early(self, producers: Sequence[CandidateProducer]) -> None:
        await self._is_known.wait()
        assert self._known is not None, "it is set before"
        await self._brief(producers, self._known)

    async def _gather(self, producers: Sequence[CandidateProducer], beside: TaskGroup) -> None:
        """Gather the evidence; `beside` goes on with what is to be ready when candidates have passed."""
        if self._state.evidence is None:
            await self._gather_all(producers, beside)
        else:
            await self._brief(producers, self._state.evidence)
        self._gathered.set()
        self._can_begin.set()

    async def _gather_all(self, producers: Sequence[CandidateProducer], beside: TaskGroup) -> None:
        target, request = self._state.target, self._state.request
        await self._is_found.wait()
        found = self._found
        assert found is not None, "it is set before"
        if not isinstance(found, Evidence):
            raise found
        self._accept(found)
        evidence = await self._further.gather(found, self._settings.limits)
        await self._brief(producers, evidence)
        await self._say("trying small changes of the original on the evidence")
        if evidence.mode == "improve":
            self._prober = await self._new_prober(evidence)
            beside.start_soon(partial(self._prober.prepare, growing=self._plan.grown > 0))
        evidence = await with_mutation_score(
            target,
            evidence,
            most=min(self._settings.max_mutants, self._plan.most_mutants),
            run_timeout_s=request.timeout_s,
            limits=self._settings.limits,
            sandbox=self._executor,
            draws=self._plan.draws,
            suggest=self._suggesting(producers),
        )
        if self._prober is not None:
            self._prober.evidence = evidence
        await self.log.emit(EvidenceGathered(evidence=evidence))

    async def _brief(self, producers: Sequence[CandidateProducer], known: Evidence) -> None:
        """Settle what models are told, and let them be asked: they answer while what is left is gathered.

        An earlier process may have settled it, so that the same questions are asked.
        """
        models = [producer for producer in producers if isinstance(producer, ModelAnswers)]
        async with self._briefing:
            if models and self._state.brief is None:
                limits, sandbox = self._settings.limits, self._executor
                await self.log.emit(await models[0].brief(self._state.target, known, limits, sandbox))
        if self._state.brief is not None:
            self._can_begin.set()

    def _suggesting(self, producers: Sequence[CandidateProducer]) -> Suggest | None:
        """Return what asks a model for inputs; None where there is none, or it would take longer than is wanted."""
        models = [producer for producer in producers if isinstance(producer, ModelAnswers)]
        if not models or not self._plan.asks_for_inputs:
            return None

        async def suggest(missed: Sequence[MissedChange]) -> tuple[CallInput, ...]:
            await self._say("asking a model for inputs on which other changes show")
            return await models[0].inputs(self._state, missed, self.log.emit)

        return suggest

    async def _say(self, message: str) -> None:
        await self.log.emit(Progress(message=message))

    async def _rounds(self, producers: Sequence[CandidateProducer]) -> None:
        await self._can_begin.wait()
        number, expected = 0, self._expected(producers, 0)
        while number == 0 or expected:
            await self.log.emit(CandidatePlanned(count=expected, round=number))
            await self._round(producers, number)
            number += 1
            if expected := self._expected(producers, number):
                await self._compare_growth()
        for producer in producers:
            if said := producer.ending(self._state, number):
                await self.log.emit(Noted(kind="ending", message=said))

    def _expected(self, producers: Sequence[CandidateProducer], number: int) -> int:
        return sum(producer.expected(self._state, number) for producer in producers)

    async def _round(self, producers: Sequence[CandidateProducer], number: int) -> None:
        """Every answer of the round is judged, and measured if it passed; so is what an earlier process left over."""
        async with anyio.create_task_group() as group:

            async def admit(produced: Produced) -> None:
                await self._admit(produced, group)

            for candidate in self._state.unjudged():
                group.start_soon(self._examine, candidate)
            for candidate in self._state.unmeasured():
                group.start_soon(self._measure, candidate)
            if self._state.original is None:
                group.start_soon(self._measure_original)
            for producer in producers:
                group.start_soon(producer.produce, self._state, number, admit)

    async def _admit(self, produced: Produced, group: TaskGroup) -> None:
        if not isinstance(produced, CandidateGenerated):
            await self.log.emit(produced)
            return
        candidate = produced.candidate
        if candidate.id in self._state.answered:
            return
        twin = self._twin_of(candidate)
        await self.log.emit(replace(produced, duplicate_of=twin))
        if twin is None:
            group.start_soon(self._examine, candidate)

    def _twin_of(self, candidate: Candidate) -> str | None:
        if candidate.digest == digest(report.original_replacement(self._state.target)):
            return ORIGINAL
        return self._state.twin_of(candidate)

    async def _examine(self, candidate: Candidate) -> None:
        """Judge a candidate, and measure it if it passed."""
        with self._measuring.coming():
            await self._gathered.wait()
            if not await self._judge(candidate):
                return
            await self._measuring.take(candidate)
        await self._measuring.race()

    async def _judge(self, candidate: Candidate) -> bool:
        """Return whether the candidate passed."""
        target, evidence = self._state.target, self._evidence()
        try:
            async with self._order.turn(_submission(candidate)):
                judged = await judge(
                    candidate,
                    target=target,
                    evidence=evidence,
                    sandbox=self._executor,
                    sandbox_label=self._executor.label,
                    refused=self._settings.refused_conditions,
                )
                if judged.verdict.passes and evidence.mode == "improve" and self._settings.max_mutants:
                    judged = await (await self._get_prober(evidence)).probe(candidate, judged)
                judged = await self._further.judge(candidate, judged, evidence)
        except SandboxError as error:
            await self.log.emit(SandboxFailed(candidate_id=candidate.id, why=str(error)))
            return False
        await self.log.emit(
            CandidateJudged(candidate_id=candidate.id, verdict=judged.verdict, outcomes=judged.outcomes)
        )
        return judged.verdict.passes

    async def _get_prober(self, evidence: Evidence) -> Prober:
        """Return what makes inputs against candidates; what was pinned meanwhile is known to it."""
        if self._prober is None or self._prober.evidence is not evidence:
            self._prober = await self._new_prober(evidence)
        return self._prober

    async def _new_prober(self, evidence: Evidence) -> Prober:
        make = partial(
            Prober,
            self._state.target,
            evidence,
            run_id=self._state.run_id,
            run_timeout_s=self._state.request.timeout_s,
            limits=self._settings.limits,
            sandbox=self._executor,
            refused=self._settings.refused_conditions,
        )
        return await anyio.to_thread.run_sync(make)

    async def _unseen(self, evidence: Evidence) -> tuple[Case, ...]:
        return await (await self._get_prober(evidence)).unseen()

    async def _measure_original(self) -> None:
        await self._gathered.wait()
        await self._measuring.original()

    async def _measure(self, candidate: Candidate) -> None:
        """Measure a candidate that an earlier process has judged."""
        with self._measuring.coming():
            await self._measuring.take(candidate)
        await self._measuring.race()

    async def _measure_elsewhere(self, candidate: Candidate, measured: Measurement) -> Measurement:
        return await self._further.measure(candidate, measured, self._evidence())

    def _agreement(self, candidate_id: str) -> Agreement | None:
        """Return what says whether a candidate does what it passed with; None where that is being equal."""
        verdict = self._state.verdicts[candidate_id]
        if not verdict.conditions:
            return None
        return agreeing(verdict, self._evidence(), self._state.outcomes[candidate_id])

    async def _compare_growth(self) -> None:
        """See how the time of the fastest candidates grows: it takes too long for all of them."""
        known = self._measuring.baseline
        state, holder = self._state, self._evidence().holder
        grown = [
            candidate
            for candidate in state.fastest(self._plan.grown)
            if state.measurements[candidate.id].growth is None and not state.verdicts[candidate.id].conditions
        ]
        if known is None or not known.compared or not grown:
            return
        sized = await (await self._get_prober(self._evidence())).growing()
        programs = await anyio.to_thread.run_sync(
            lambda: [program_for(state.target, candidate.replacement, holder=holder) for candidate in grown]
        )
        try:
            compared = await compare_growth(
                known.program, programs, sized, seconds=self._plan.growth_s, sandbox=self._executor
            )
        except SandboxError as error:
            for candidate in grown:
                message = f"{candidate.id}: growth not measured: {error}"
                await self.log.emit(Noted(kind="measuring", subject=candidate.id, message=message))
            return
        for candidate, one in zip(grown, compared, strict=True):
            if one.growth is not None or one.mismatch:
                measured = replace(state.measurements[candidate.id], growth=one.growth, mismatch=one.mismatch)
                await self.log.emit(CandidateMeasured(candidate_id=candidate.id, measurement=measured))

    def _evidence(self) -> Evidence:
        evidence = self._state.evidence
        assert evidence is not None, "candidates are made once there is evidence"
        return evidence

    async def _conclude(self, evidence: Evidence) -> None:
        state = self._state
        if not state.generated and not state.stopped:
            reasons = "; ".join(state.failures) or "no offline rewrite applies to it"
            message = f"no candidate was made: {reasons}."
            raise NothingGenerated(message, hint=Hint("model"))
        outcomes = report.all_outcomes(state, evidence)
        clusters = await report.behaviour_map(state, evidence, outcomes)
        if len(clusters) > 1 and not state.stopped:
            clusters = await self._with_differences(evidence, clusters, outcomes)
        ranking = await report.ranked(
            state, evidence, clusters, outcomes, settings=self._settings, label=self._executor.label
        )
        for note in ranking.notes:
            await self.log.emit(Noted(kind="scorer", subject=note, message=note))
        wall_s = time.monotonic() - self._started
        machine = await anyio.to_thread.run_sync(this_machine)
        run = report.document(
            state,
            evidence,
            clusters,
            ranking,
            equality=self._settings.equality,
            wall_s=wall_s,
            machine=machine,
        )
        await self.log.emit(RunFinished(run=run))

    async def _with_differences(
        self, evidence: Evidence, clusters: tuple[Cluster, ...], outcomes: report.Outcomes
    ) -> tuple[Cluster, ...]:
        """Search the smallest inputs that tell clusters apart; who stops the run ends this search too."""
        self._scope = anyio.CancelScope()
        with self._scope as scope:
            try:
                clusters = await report.with_differences(
                    self._state, evidence, clusters, outcomes, sandbox=self._executor
                )
            except SandboxError as error:
                message = f"behaviour map: smallest inputs not searched: {error}"
                await self.log.emit(Noted(kind="differences", message=message))
        await self._note_stop(scope)
        return clusters


def _submission(candidate: Candidate) -> Submission:
    return Submission(code=candidate.source, model=candidate.model, variant=candidate.variant)


@contextmanager
def _told_alone() -> Generator[None]:
    """Raise the error that ended a task group instead of the group."""
    try:
        yield
    except ExceptionGroup as several:
        raise innermost(several) from None

"""One run under way: evidence, rounds of candidates that are judged and measured as they come, the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import anyio
from anyio.abc import TaskGroup
from msgspec.structs import replace

from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.executor import Executor
from codeens_server.config.settings import Settings
from codeens_server.domain import ORIGINAL, Candidate, Cluster, Evidence, StopReason
from codeens_server.errors import Hint, NothingGenerated, RunError
from codeens_server.evidence.gather import EvidencePlan, gather
from codeens_server.generation.reply.assemble import digest
from codeens_server.judging.judge import judge
from codeens_server.measuring.measure import Baseline, baseline, measure
from codeens_server.run import report
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    CandidatePlanned,
    EvidenceGathered,
    Noted,
    OriginalMeasured,
    Progress,
    RunFinished,
    RunStopped,
    SandboxFailed,
    StoredEvent,
)
from codeens_server.run.log import RunLog
from codeens_server.run.producers import CandidateProducer, Produced


class Execution:
    """Joins the stages. All that it finds goes into the log; what is left to do it learns from the log's state."""

    def __init__(
        self,
        log: RunLog,
        executor: Executor,
        producers: Callable[[], AbstractAsyncContextManager[Sequence[CandidateProducer]]],
        *,
        accept: Callable[[Evidence], None],
        settings: Settings,
    ) -> None:
        """Get ready.

        Args:
            log: of a run that is new, or gone on with.
            executor: runs code.
            producers: opens what makes candidates; connections are closed when the rounds are over.
            accept: raises where the run cannot go on with the evidence that was found, before anything is written.
            settings: limits of each job, and what candidates are ranked by.
        """
        self.log = log
        self._state = log.state
        self._executor = executor
        self._open_producers = producers
        self._accept = accept
        self._settings = settings
        self._started = time.monotonic()
        self._scope = anyio.CancelScope()
        self._stopped: StopReason | None = None
        # The first candidates shall have their verdicts before the last ones have their first jobs.
        self._judging = anyio.CapacityLimiter(executor.parallel)
        self._measuring = anyio.Lock()
        self._baseline: Baseline | None = None
        self._cannot_measure = False

    def stop(self, reason: StopReason) -> None:
        """End the work at once; what was found is ranked and kept."""
        self._stopped = self._stopped or reason
        self._scope.cancel()

    async def run(self, first: Sequence[StoredEvent]) -> None:
        """Do all that is left to do.

        Args:
            first: what happens before that.

        Raises:
            EvidenceError: the evidence forbids the mode; nothing was written.
            NothingGenerated: no producer gave a candidate.
            RunError: it was stopped before there was evidence; or the store failed.
        """
        for event in first:
            await self.log.emit(event)
        with self._scope as scope:
            scope.deadline = anyio.current_time() + self._state.request.timeout_s
            async with self._open_producers() as producers:
                await self._gather()
                await self._rounds(producers)
        await self._note_stop(scope)
        if self._state.evidence is None:
            message = f"the run was stopped ({self._state.stopped}) before the evidence was gathered; nothing was kept."
            raise RunError(message, code="stopped_early")
        await self._conclude(self._state.evidence)

    async def _note_stop(self, scope: anyio.CancelScope) -> None:
        if scope.cancelled_caught:
            await self.log.emit(RunStopped(reason=self._stopped or "timeout"))

    async def _gather(self) -> None:
        if self._state.evidence is not None:
            return
        target, request = self._state.target, self._state.request
        plan = EvidencePlan(
            mode=request.mode,
            tests=request.tests,
            max_inputs=request.max_inputs,
            timeout_s=request.timeout_s,
            limits=self._settings.limits,
        )
        evidence = await gather(target, plan, sandbox=self._executor, say=self._say)
        self._accept(evidence)
        await self.log.emit(EvidenceGathered(evidence=evidence))

    async def _say(self, message: str) -> None:
        await self.log.emit(Progress(message=message))

    async def _rounds(self, producers: Sequence[CandidateProducer]) -> None:
        number, expected = 0, self._expected(producers, 0)
        while number == 0 or expected:
            await self.log.emit(CandidatePlanned(count=expected, round=number))
            await self._round(producers, number)
            number += 1
            expected = self._expected(producers, number)

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
        target, evidence = self._state.target, self._evidence()
        try:
            async with self._judging:
                judged = await judge(
                    candidate,
                    target=target,
                    evidence=evidence,
                    sandbox=self._executor,
                    sandbox_label=self._executor.label,
                )
        except SandboxError as error:
            await self.log.emit(SandboxFailed(candidate_id=candidate.id, why=str(error)))
            return
        await self.log.emit(
            CandidateJudged(candidate_id=candidate.id, verdict=judged.verdict, outcomes=judged.outcomes)
        )
        if judged.verdict.status == "passed":
            await self._measure(candidate)

    async def _measure(self, candidate: Candidate) -> None:
        """Measure a candidate; one at a time, since what runs beside a race is in its noise."""
        target, evidence = self._state.target, self._evidence()
        async with self._measuring:
            if (known := await self._measured_original()) is None:
                return
            try:
                measured = await measure(
                    candidate, target=target, evidence=evidence, sandbox=self._executor, baseline=known
                )
            except SandboxError as error:
                message = f"{candidate.id}: not measured: {error}"
                await self.log.emit(Noted(kind="measuring", subject=candidate.id, message=message))
                return
        await self.log.emit(CandidateMeasured(candidate_id=candidate.id, measurement=measured))

    async def _measure_original(self) -> None:
        async with self._measuring:
            await self._measured_original()

    async def _measured_original(self) -> Baseline | None:
        """Return the original's side of all comparisons, measured once in every process; None if it cannot be."""
        if self._baseline is None and not self._cannot_measure:
            try:
                self._baseline = await baseline(self._state.target, self._evidence(), self._executor)
            except SandboxError as error:
                self._cannot_measure = True
                await self.log.emit(Noted(kind="original", message=f"nothing was measured: {error}"))
            else:
                await self.log.emit(OriginalMeasured(measurement=self._baseline.measurement))
        return self._baseline

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
        await self.log.emit(RunFinished(run=report.document(state, evidence, clusters, ranking, wall_s=wall_s)))

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

"""One round of candidates: generated, executed and measured at the same time, each as soon as it is there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from msgspec.structs import replace

from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.executor import Executor
from codeens_server.domain import Candidate, Evidence, Failure, Target
from codeens_server.generation.prompts import Feedback
from codeens_server.judging.judge import judge
from codeens_server.measuring.measure import WRONG_WHEN_TIMED, baseline, measure
from codeens_server.run.events import (
    CandidateGenerated,
    CandidateJudged,
    CandidateMeasured,
    CandidatePlanned,
    GenerationFailed,
    RunEvent,
    SandboxFailed,
)
from codeens_server.run.producers import Answer, Sources
from codeens_server.run.state import RunState

Emit = Callable[[RunEvent], Awaitable[None]]


class Round:
    """Joins the stages by streams; nothing waits for a whole stage to end but the ranking."""

    def __init__(
        self, target: Target, evidence: Evidence, executor: Executor, state: RunState, emit: Emit, number: int
    ) -> None:
        self._target = target
        self._evidence = evidence
        self._executor = executor
        # The first candidates shall have their verdicts before the last ones have their first jobs.
        self._judging = anyio.CapacityLimiter(executor.parallel)
        self._state = state
        self._emit = emit
        self._number = number

    async def run(self, sources: Sources, feedback: Sequence[Feedback]) -> None:
        """Run to the end: every answer of the round is judged, and measured if it passed."""
        await self._emit(CandidatePlanned(count=sources.count(self._number, feedback), round=self._number))
        answers_in, answers = anyio.create_memory_object_stream[Answer](64)
        judge_in, to_judge = anyio.create_memory_object_stream[Candidate](1024)
        measure_in, to_measure = anyio.create_memory_object_stream[Candidate](1024)
        async with anyio.create_task_group() as group:
            group.start_soon(sources.generate, self._number, feedback, answers_in)
            group.start_soon(self._admit, answers, judge_in)
            group.start_soon(self._judge_all, to_judge, measure_in)
            group.start_soon(self._measure_all, to_measure)

    async def _admit(
        self, answers: MemoryObjectReceiveStream[Answer], judge_in: MemoryObjectSendStream[Candidate]
    ) -> None:
        async with answers, judge_in:
            if self._number == 0:
                for candidate in self._state.unfinished():
                    await judge_in.send(candidate)
            async for answer in answers:
                if isinstance(answer, GenerationFailed):
                    await self._emit(answer)
                elif answer.candidate.id not in self._state.seen:
                    twin = self._state.twin_of(answer.candidate)
                    await self._emit(CandidateGenerated(candidate=answer.candidate, duplicate_of=twin))
                    if twin is None:
                        await judge_in.send(answer.candidate)

    async def _judge_all(
        self, to_judge: MemoryObjectReceiveStream[Candidate], measure_in: MemoryObjectSendStream[Candidate]
    ) -> None:
        async with to_judge, measure_in, anyio.create_task_group() as group:
            if self._number == 0:
                for candidate in self._state.passed():
                    if candidate.id not in self._state.measurements:
                        await measure_in.send(candidate)
            async for candidate in to_judge:
                group.start_soon(self._judge, candidate, measure_in)

    async def _judge(self, candidate: Candidate, measure_in: MemoryObjectSendStream[Candidate]) -> None:
        try:
            async with self._judging:
                judged = await judge(
                    candidate,
                    target=self._target,
                    evidence=self._evidence,
                    sandbox=self._executor,
                    sandbox_label=self._executor.label,
                )
        except SandboxError as error:
            await self._emit(SandboxFailed(candidate_id=candidate.id, why=str(error)))
            return
        await self._emit(CandidateJudged(candidate_id=candidate.id, verdict=judged.verdict, outcomes=judged.outcomes))
        if judged.verdict.status == "passed":
            await measure_in.send(candidate)

    async def _measure_all(self, to_measure: MemoryObjectReceiveStream[Candidate]) -> None:
        async with to_measure:
            await self._measure_original()
            async for candidate in to_measure:
                await self._measure(candidate)

    async def _measure_original(self) -> None:
        if self._state.baseline is not None:
            return
        try:
            self._state.baseline = await baseline(self._target, self._evidence, self._executor)
        except SandboxError as error:
            self._state.failures.append(f"nothing was measured: {error}")

    async def _measure(self, candidate: Candidate) -> None:
        if (known := self._state.baseline) is None:
            return
        try:
            measured = await measure(
                candidate, target=self._target, evidence=self._evidence, sandbox=self._executor, baseline=known
            )
        except SandboxError as error:
            self._state.failures.append(f"{candidate.id}: not measured: {error}")
            return
        if WRONG_WHEN_TIMED in measured.notes:
            await self._reject(candidate)
        await self._emit(CandidateMeasured(candidate_id=candidate.id, measurement=measured))

    async def _reject(self, candidate: Candidate) -> None:
        """What answered rightly when it was judged and wrongly when it was timed is not right."""
        verdict = replace(
            self._state.verdicts[candidate.id],
            status="failed",
            reason=WRONG_WHEN_TIMED,
            failure=Failure(
                where="the same calls, many times in one process", got="other outcomes than the first time"
            ),
        )
        outcomes = self._state.outcomes[candidate.id]
        await self._emit(CandidateJudged(candidate_id=candidate.id, verdict=verdict, outcomes=outcomes))

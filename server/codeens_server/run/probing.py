"""What is tried on one candidate that passed: known inputs again in another order, inputs beside its own constants, and
inputs drawn as nobody could foresee."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial

import anyio
import anyio.to_thread
from msgspec.structs import replace

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.jobs import CallsJob, Limits
from codeens_sandbox_backends.programs import CallInput, Program
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.target import Candidate, Target
from codeens_server.domain.terms import ConditionKind
from codeens_server.evidence.function_domain import with_domain
from codeens_server.evidence.telling import InputSearch
from codeens_server.judging.judge import Judged, judge_again, judge_further
from codeens_server.measuring.growth import FITTED, SIZES, SizedCase
from codeens_server.workspace.edit import program_for
from codeens_server.workspace.text import snapshot

_SECONDS = 15.0
"""For each candidate; a busy machine needs most of it to start processes."""
_SHARE_OF_RUN = 0.2
_MAKING_SECONDS = 60.0
_SHARE_OF_MAKING = 0.5
"""For inputs that nobody has seen: without any, no candidate can be said to be faster."""
_SLOWER = 4.0
"""Lines that are watched run slower."""
_FIRST = 16
"""Inputs that mostly run all lines; watching is slow, so the others are for the lines that these leave."""
_MOST_TELLING = 24
"""Inputs on which a candidate differs: the smallest may be about conditions, behind which others must not hide."""
_MOST_LINES = 5
_LONGEST_LINE = 80


class Prober:
    """Probes the candidates of one run. What is drawn follows from the run's id: nobody knows it before."""

    def __init__(
        self,
        target: Target,
        evidence: Evidence,
        *,
        run_id: str,
        run_timeout_s: float,
        limits: Limits,
        sandbox: Sandbox,
        refused: Collection[ConditionKind] = (),
    ) -> None:
        """Get ready. Blocks; the parameters are those of the run."""
        self._target = target
        self.evidence = evidence
        self._limits = limits
        self._sandbox = sandbox
        self._refused = refused
        self._seed = run_id
        self._seconds = min(_SECONDS, _SHARE_OF_RUN * run_timeout_s)
        self._making_seconds = min(_MAKING_SECONDS, _SHARE_OF_MAKING * run_timeout_s)
        self._unseen: tuple[Case, ...] | None = None
        self._growing: tuple[SizedCase, ...] | None = None
        self._making_unseen, self._making_growing = anyio.Lock(), anyio.Lock()
        self._search = InputSearch(target, evidence, seed=run_id, limits=limits, sandbox=sandbox)

    async def prepare(self, *, growing: bool) -> None:
        """Make cases to time on ahead of time, where wanted also growing ones: nothing of it hangs on a candidate."""
        await self.unseen()
        if growing:
            await self.growing()

    async def unseen(self) -> tuple[Case, ...]:
        """Return `fresh_cases`, made once."""
        async with self._making_unseen:
            if self._unseen is None:
                self._unseen = await self.fresh_cases()
            return self._unseen

    async def growing(self) -> tuple[SizedCase, ...]:
        """Return `sized_cases`, made once."""
        async with self._making_growing:
            if self._growing is None:
                self._growing = await self.sized_cases()
            return self._growing

    async def fresh_cases(self) -> tuple[Case, ...]:
        """Return cases to time on that no model has seen; none where none can be made in time."""
        with suppress(SandboxError), anyio.move_on_after(self._making_seconds):
            cases = await self._search.fresh(self.evidence.cases)
            return await anyio.to_thread.run_sync(self._with_domain, cases)
        return ()

    async def sized_cases(self) -> tuple[SizedCase, ...]:
        """Return cases of growing size; none where nothing can be grown, or not in time."""
        with suppress(SandboxError), anyio.move_on_after(self._making_seconds):
            found = await self._search.sized(self.evidence.cases, SIZES, fewest=FITTED)
            return tuple(SizedCase(size=size, case=case) for size, case in found)
        return ()

    async def probe(self, candidate: Candidate, judged: Judged) -> Judged:
        """Return the verdict on a candidate that passed after inputs against it were tried.

        What there is no time for is not counted as tried, but a difference that was noticed in time is looked into; a
        sandbox that fails here leaves the verdict as it was.
        """
        program = await anyio.to_thread.run_sync(
            lambda: program_for(self._target, candidate.replacement, holder=self.evidence.holder)
        )
        with suppress(SandboxError), anyio.move_on_after(self._seconds) as in_time:

            def prolong() -> None:
                in_time.deadline = max(in_time.deadline, anyio.current_time() + self._seconds)

            judged = await self._again(program, judged)
            if not judged.verdict.passes:
                return judged
            tried: tuple[CallInput, ...] = ()
            cases: tuple[Case, ...] = ()
            for make in (self._beside(candidate), self._drawn(candidate)):
                calls = await anyio.to_thread.run_sync(make, abandon_on_cancel=True)
                known = (*self.evidence.cases, *cases)
                found = await self._search.telling([program], known, calls, _MOST_TELLING, prolong)
                if found.cases:
                    cases += found.cases
                    judged = await self._held_to(cases, program, judged)
                    if not judged.verdict.passes:
                        return judged
                tried += found.tried
                judged = replace(judged, verdict=replace(judged.verdict, searched=len(tried)))
            unreached = await self._unreached(program, tried)
            judged = replace(judged, verdict=replace(judged.verdict, unreached=unreached))
        return judged

    async def _again(self, program: Program, judged: Judged) -> Judged:
        return await judge_again(
            judged,
            program,
            target=self._target,
            evidence=self.evidence,
            sandbox=self._sandbox,
            seed=self._seed,
            refused=self._refused,
        )

    def _beside(self, candidate: Candidate) -> Callable[[], list[CallInput]]:
        return partial(self._search.beside, self.evidence.cases, [candidate.source, self._target.source])

    def _drawn(self, candidate: Candidate) -> Callable[[], list[CallInput]]:
        return partial(self._search.drawn, self.evidence.cases, [candidate.source, self._target.source], 0)

    async def _held_to(self, cases: tuple[Case, ...], program: Program, judged: Judged) -> Judged:
        return await judge_further(
            judged,
            program,
            await anyio.to_thread.run_sync(self._with_domain, cases),
            target=self._target,
            evidence=self.evidence,
            sandbox=self._sandbox,
            refused=self._refused,
        )

    def _with_domain(self, cases: tuple[Case, ...]) -> tuple[Case, ...]:
        """Return the cases with what all cases together say of the function's domain."""
        known = (*self.evidence.cases, *cases)
        return with_domain(self._target, snapshot(self._target).text, known)[len(self.evidence.cases) :]

    async def _unreached(self, program: Program, searched: tuple[CallInput, ...]) -> tuple[str, ...]:
        """Return the lines of the candidate's function that no input runs, as text; none where they are not known."""
        inputs = (*(case.input for case in self.evidence.cases), *searched)
        if not inputs or not program.modules:
            return ()
        missed: set[int] = set()
        for some in (inputs[:: max(1, len(inputs) // _FIRST)], inputs):
            missed = await self._missed_lines(program, some)
            if not missed:
                break
        text = program.modules[0].source.splitlines()
        lines = [text[at - 1].strip() for at in sorted(missed) if at <= len(text)]
        return tuple(line[:_LONGEST_LINE] for line in lines[:_MOST_LINES])

    async def _missed_lines(self, program: Program, inputs: tuple[CallInput, ...]) -> set[int]:
        limits = replace(self._limits, wall_s=self._limits.wall_s * _SLOWER, cpu_s=self._limits.cpu_s * _SLOWER)
        ran = await self._sandbox.run(CallsJob(program=program, inputs=inputs, coverage=True, limits=limits))
        return {*ran.lines_total} - {*ran.lines_hit}

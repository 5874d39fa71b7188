"""Measures a run's candidates: each by itself beside other work, and their speed in races of all that are there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from contextlib import aclosing, contextmanager
from typing import NamedTuple

import anyio
import anyio.to_thread

from codeens_sandbox_backends.errors import SandboxError
from codeens_sandbox_backends.executor import Executor
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.measurement import Measurement
from codeens_server.domain.target import Candidate
from codeens_server.measuring.measure import Agrees, Baseline, baseline, measure
from codeens_server.measuring.race import Entrant, Patience, SpeedComparison, claimable, race, with_speed, without_race
from codeens_server.run.events import CandidateMeasured, Noted, OriginalMeasured
from codeens_server.run.log import RunLog
from codeens_server.workspace.edit import program_for


class _Waiting(NamedTuple):
    """A candidate of which all but the speed is measured."""

    candidate: Candidate
    measured: Measurement


class Measuring:
    """What is measured goes into the log. Who is judged meanwhile holds the next race back, for it may join it."""

    def __init__(
        self,
        log: RunLog,
        executor: Executor,
        unseen: Callable[[Evidence], Awaitable[tuple[Case, ...]]],
        agreement: Callable[[str], Agrees | None],
        elsewhere: Callable[[Candidate, Measurement], Awaitable[Measurement]],
        patience: Patience,
    ) -> None:
        """Get ready.

        Args:
            log: of the run.
            executor: runs code.
            unseen: makes cases to time on.
            agreement: what says whether the candidate of an id does what it passed with; None: where that is equality.
            elsewhere: adds what is measured of a candidate with further interpreters.
            patience: for how long a race is gone on.
        """
        self._log = log
        self._executor = executor
        self._unseen = unseen
        self._agreement = agreement
        self._elsewhere = elsewhere
        self._patience = patience
        self._baseline: Baseline | None = None
        self._cannot_measure = False
        self._first = anyio.Lock()
        self._racing = anyio.Lock()
        self._waiting: dict[str, _Waiting] = {}
        self._coming = 0
        self._all_there = anyio.Event()

    @contextmanager
    def coming(self) -> Generator[None]:
        """While a candidate is judged: no race begins."""
        if not self._coming:
            self._all_there = anyio.Event()
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1
            if not self._coming:
                self._all_there.set()

    async def take(self, candidate: Candidate) -> None:
        """Measure all but the speed of a candidate that passed; it then waits for a race."""
        if (known := await self.original()) is None:
            return
        target = self._log.state.target
        try:
            measured = await measure(
                candidate,
                target=target,
                sandbox=self._executor,
                baseline=known,
                agrees=self._agreement(candidate.id),
            )
            found = SpeedComparison() if measured.mismatch else None
            found = found or await without_race(candidate, target=target, baseline=known)
            if found is None:
                self._waiting[candidate.id] = _Waiting(candidate, measured)
            else:
                await self._tell(candidate, measured, found)
        except SandboxError as error:
            await self._give_up(candidate, error)

    async def race(self) -> None:
        """Race all that wait, once nobody else is coming; at once where another task has done so."""
        async with self._racing:
            while self._coming:
                await self._all_there.wait()
            waiting, self._waiting = tuple(self._waiting.values()), {}
            if waiting and self._baseline is not None:
                await self._race(self._baseline, waiting)

    async def _race(self, known: Baseline, waiting: tuple[_Waiting, ...]) -> None:
        left = dict(enumerate(waiting))
        entrants = [await self._entrant(candidate) for candidate, _ in waiting]
        try:
            async with aclosing(race(known, entrants, self._executor, self._patience)) as decided:
                async for index, found in decided:
                    candidate, measured = left[index]
                    await self._tell(candidate, measured, claimable(found, candidate, known))
                    del left[index]
        except SandboxError as error:
            for candidate, _ in left.values():
                await self._give_up(candidate, error)

    async def _entrant(self, candidate: Candidate) -> Entrant:
        program = await anyio.to_thread.run_sync(program_for, self._log.state.target, candidate.replacement)
        return Entrant(program=program, agrees=self._agreement(candidate.id))

    async def _tell(self, candidate: Candidate, measured: Measurement, found: SpeedComparison) -> None:
        whole = await self._elsewhere(candidate, with_speed(measured, found))
        await self._log.emit(CandidateMeasured(candidate_id=candidate.id, measurement=whole))

    @property
    def baseline(self) -> Baseline | None:
        """The original's side of all comparisons; None before this process has measured it."""
        return self._baseline

    async def original(self) -> Baseline | None:
        """Return the original's side of all comparisons, measured once in every process; None if it cannot be."""
        async with self._first:
            if self._baseline is None and not self._cannot_measure:
                try:
                    evidence = self._log.state.evidence
                    assert evidence is not None, "candidates are made once there is evidence"
                    cases = await self._unseen(evidence) if evidence.mode == "improve" else ()
                    self._baseline = await baseline(self._log.state.target, evidence, self._executor, cases)
                except SandboxError as error:
                    self._cannot_measure = True
                    await self._log.emit(Noted(kind="original", message=f"nothing was measured: {error}"))
                else:
                    await self._log.emit(OriginalMeasured(measurement=self._baseline.measurement))
            return self._baseline

    async def _give_up(self, candidate: Candidate, error: SandboxError) -> None:
        message = f"{candidate.id}: not measured: {error}"
        await self._log.emit(Noted(kind="measuring", subject=candidate.id, message=message))

"""Race candidates against the original, all together, until it is known of each how fast it is."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from math import inf

import anyio.to_thread
from msgspec import Struct, structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.programs import CallInput, Program
from codeens_sandbox_backends.races import MOST_CANDIDATES, RaceJob, RacePlan, RaceResult
from codeens_sandbox_backends.values.render import render_outcome
from codeens_server.domain.evidence import Case
from codeens_server.domain.measurement import Interval, Measurement
from codeens_server.domain.target import Candidate, Target
from codeens_server.domain.terms import OFFLINE
from codeens_server.measuring.bytecode import SAME, same_bytecode
from codeens_server.measuring.measure import Agrees, Baseline, all_expected, measure
from codeens_server.measuring.parts import LIKE_BENCHMARK, part_speeds, parts_of
from codeens_server.measuring.statistics import (
    BUSY_NOTE,
    FIRST_NOTE,
    LOOKS,
    REMEMBERS_NOTE,
    WAITING_NOTE,
    PairedRound,
    is_decided,
    is_too_wide,
    speed_interval,
)
from codeens_server.workspace.edit import program_for

NOTHING_TO_COMPARE = "speed not measured: there is no working original to compare with"
SEEN_NOTE = "timed only on inputs that can be looked up, which shows nothing"
BENCHMARK_NOTE = "not seen to be faster on inputs like the benchmark's, which can be looked up"
NO_INPUT = "speed not measured: no input is known on which the original returns a comparable value"
TOO_FEW = f"speed not measured: fewer than {LOOKS[0]} rounds fitted into the time"
UNSTEADY = "speed not measured: the original itself answered differently in the timed run"
WRONG = "wrong in the timed run"
_NOT_OF_PASSES = (FIRST_NOTE, REMEMBERS_NOTE, WAITING_NOTE)
"""What a ratio is of that is not of processor time of timed passes, as the parts of a pass are."""


class SpeedComparison(Struct, frozen=True, kw_only=True):
    """How fast a candidate is beside the original, or in `note` why that is not known."""

    speed: Interval | None = None
    mismatch: bool = False
    """It answered otherwise than it must."""
    note: str = ""


class Patience(Struct, frozen=True):
    """Seconds after which a race is not gone on with."""

    race_s: float = 60.0
    candidate_s: float = 10.0
    """Added for each candidate."""


PATIENT = Patience()


class Entrant(Struct, frozen=True, kw_only=True):
    """A candidate in a race."""

    program: Program
    agrees: Agrees | None = None
    """Whether its outcomes are such as it passes with; None: they must be equal to what is expected."""


async def without_race(candidate: Candidate, *, target: Target, baseline: Baseline) -> SpeedComparison | None:
    """Return what is known of a candidate's speed, or that nothing can be; None where only a race tells."""
    if not baseline.compared:
        return SpeedComparison(note=NOTHING_TO_COMPARE)
    if not baseline.steady:
        return SpeedComparison(note=UNSTEADY)
    if await anyio.to_thread.run_sync(same_bytecode, target, candidate.replacement):
        return SpeedComparison(speed=Interval(ratio=1.0, low=1.0, high=1.0, note=SAME))
    return None if baseline.cases else SpeedComparison(note=NO_INPUT)


def claimable(found: SpeedComparison, candidate: Candidate, baseline: Baseline) -> SpeedComparison:
    """Return it without a claim to be faster where the candidate may have been written with the inputs at hand.

    Whoever has seen them can answer from a table, and a benchmark can be read: there it must be faster on others too.
    """
    if found.speed is None or not found.speed.faster or candidate.model == OFFLINE:
        return found
    others = [part for part in found.speed.parts if part.of == LIKE_BENCHMARK]
    if not baseline.unseen:
        doubt = SEEN_NOTE
    elif baseline.benchmark and not (others and others[0].low > 1.0):
        doubt = BENCHMARK_NOTE
    else:
        return found
    note = "; ".join(filter(None, [found.speed.note, doubt]))
    return structs.replace(found, speed=structs.replace(found.speed, confirmed=False, note=note))


async def race(
    baseline: Baseline, candidates: Sequence[Entrant], sandbox: Sandbox, patience: Patience = PATIENT
) -> AsyncGenerator[tuple[int, SpeedComparison]]:
    """Race candidates against the original, and yield the index of each with its speed as soon as it is decided.

    Args:
        baseline: of a working original, with cases.
        candidates: those of which only a race tells.
        sandbox: where all run.
        patience: for how long it is gone on.

    Raises:
        SandboxError: the sandbox failed.
    """
    for begin in range(0, len(candidates), MOST_CANDIDATES):
        heat = _Race(baseline, candidates[begin : begin + MOST_CANDIDATES], sandbox, patience)
        async for index, found in heat.run():
            yield begin + index, found


def with_speed(measured: Measurement, found: SpeedComparison) -> Measurement:
    """Return what was measured with what a race found."""
    return structs.replace(
        measured,
        speed=found.speed,
        mismatch=measured.mismatch or found.mismatch,
        notes=(found.note, *measured.notes) if found.note else measured.notes,
    )


async def measure_alone(
    candidate: Candidate, *, target: Target, sandbox: Sandbox, baseline: Baseline, agrees: Agrees | None = None
) -> Measurement:
    """Put one candidate into numbers, its speed by a race of its own; the parameters are those of `measure`.

    Raises:
        SandboxError: the sandbox failed.
    """
    measured = await measure(candidate, target=target, sandbox=sandbox, baseline=baseline, agrees=agrees)
    found = await without_race(candidate, target=target, baseline=baseline)
    if found is None:
        program = await anyio.to_thread.run_sync(program_for, target, candidate.replacement)
        entrant = Entrant(program=program, agrees=agrees)
        ((_, found),) = [decided async for decided in race(baseline, (entrant,), sandbox)]
    return with_speed(measured, claimable(found, candidate, baseline))


class _Race:
    def __init__(self, baseline: Baseline, candidates: Sequence[Entrant], sandbox: Sandbox, patience: Patience) -> None:
        self._original = baseline.program
        self._cases = baseline.cases
        self._inputs: tuple[CallInput, ...] = tuple(case.input for case in baseline.cases)
        self._parts = parts_of(baseline.cases)
        self._benchmark = baseline.benchmark
        self._candidates = candidates
        self._sandbox = sandbox
        self._live = list(range(len(candidates)))
        self._pairs: dict[int, list[PairedRound]] = {index: [] for index in self._live}
        self._plans: dict[int, RacePlan] = {}
        self._original_plan: RacePlan | None = None
        self._over_at = time.monotonic() + patience.race_s + patience.candidate_s * len(candidates)

    async def run(self) -> AsyncGenerator[tuple[int, SpeedComparison]]:
        done = 0
        for look in LOOKS:
            result = await self._sandbox.run(self._job(look - done))
            done = look
            self._remember(result)
            last = look == LOOKS[-1] or time.monotonic() >= self._over_at or self._gone_wrong(result)
            decided = self._decided(result, last=last)
            self._live = [index for index in self._live if index not in decided]
            for index, found in decided.items():
                yield index, found
            if not self._live:
                return

    def _job(self, rounds: int) -> RaceJob:
        first = () if self._original_plan is None else (self._original_plan,)
        return RaceJob(
            original=self._original,
            candidates=tuple(self._candidates[index].program for index in self._live),
            inputs=self._inputs,
            parts=tuple(part.first for part in self._parts),
            rounds=rounds,
            plans=(*first, *(self._plans[index] for index in self._live if first)),
            budget_s=max(0.0, self._over_at - time.monotonic()),
        )

    def _remember(self, result: RaceResult) -> None:
        if result.plans:
            self._original_plan = result.plans[0]
            self._plans = dict(zip(self._live, result.plans[1:], strict=True))
        for times in result.rounds:
            for index, candidate in zip(self._live, times[1:], strict=True):
                if times[0] is not None and candidate is not None:
                    self._pairs[index].append(PairedRound(original=times[0], candidate=candidate))

    def _gone_wrong(self, result: RaceResult) -> bool:
        return result.failures[0] is not None or not all_expected(self._cases, result.outcomes[0])

    def _decided(self, result: RaceResult, *, last: bool) -> dict[int, SpeedComparison]:
        """Return those of which nothing more is to be found out; all of them where there is no further round."""
        found: dict[int, SpeedComparison] = {}
        repeated = self._original_plan.inner if self._original_plan else 1
        speeds = {
            index: speed_interval(self._pairs[index], repeated=repeated, inputs=len(self._inputs), clock=result.clock)
            for index in self._live
        }
        best_low = max((speed.low for speed in speeds.values() if speed and speed.faster), default=-inf)
        for side, index in enumerate(self._live, start=1):
            speed = speeds[index]
            if problem := _problem(result, side, self._cases, self._candidates[index].agrees):
                found[index] = problem
            elif last or (speed is not None and is_decided(speed, best_low)):
                found[index] = _comparison(speed and self._by_part(index, speed))
        return found

    def _by_part(self, index: int, speed: Interval) -> Interval:
        """Return it with the speed on each kind of inputs; not where the ratio is not that of timed passes."""
        told = structs.replace(speed, note="; ".join(filter(None, (speed.note, self._benchmark))))
        if self._original_plan is None or any(note in speed.note for note in _NOT_OF_PASSES):
            return told
        found = part_speeds(self._pairs[index], self._parts, (self._original_plan, self._plans[index]))
        return structs.replace(told, parts=found)


def _comparison(speed: Interval | None) -> SpeedComparison:
    if speed is None:
        return SpeedComparison(note=TOO_FEW)
    return SpeedComparison(note=BUSY_NOTE) if is_too_wide(speed) else SpeedComparison(speed=speed)


def _problem(result: RaceResult, side: int, cases: Sequence[Case], agrees: Agrees | None) -> SpeedComparison | None:
    """Return why the times of a side mean nothing; None when they mean something."""
    for who, failure in (("original", result.failures[0]), ("candidate", result.failures[side])):
        if failure is not None:
            return SpeedComparison(
                note=f"speed not measured: in the timed run the {who} failed: {render_outcome(failure)}"
            )
    if not all_expected(cases, result.outcomes[0]):
        return SpeedComparison(note=UNSTEADY)
    if not (agrees or all_expected)(cases, result.outcomes[side]):
        return SpeedComparison(mismatch=True, note=WRONG)
    return None

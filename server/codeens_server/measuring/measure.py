"""Measure one candidate against the original: runtime, memory, readability, size of the edit."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence

import anyio.to_thread
import msgspec
from msgspec import Struct

from codeens_sandbox_backends.base import (
    CallInput,
    CallsJob,
    CallsResult,
    Outcome,
    Program,
    Returned,
    Sandbox,
    TimingJob,
    TimingResult,
)
from codeens_sandbox_backends.values import compare as trees
from codeens_server.domain import (
    Candidate,
    Case,
    DiffSize,
    Evidence,
    Interval,
    Measurement,
    Memory,
    Readability,
    Target,
)
from codeens_server.errors import InputError
from codeens_server.measuring.readability import Unmeasurable, readability
from codeens_server.measuring.statistics import MIN_PAIRS, speed_interval
from codeens_server.workspace.edit import diff_size, program_for

LONGEST_PASS_S = 1.0
"""Inputs are dropped, the large ones first, until the original needs less for all of them, its start included."""
WRONG_WHEN_TIMED = "wrong in the timed run"
NOTHING_TO_COMPARE = "speed not measured: there is no working original to compare with"
MOST = 50


class Baseline(Struct, frozen=True, kw_only=True):
    """The original's side of all comparisons of a run, made once."""

    cases: tuple[Case, ...]
    """What candidates are timed on; `expected` is what must come out in the timed run too."""
    program: Program
    measurement: Measurement
    """Of the original itself; its speed is None: it is what speed is measured against."""


async def baseline(target: Target, evidence: Evidence, sandbox: Sandbox) -> Baseline:
    """Measure the original, and choose the inputs on which it is fast enough to be timed often.

    Raises:
        SandboxError: the sandbox failed.
    """
    program = await anyio.to_thread.run_sync(program_for, target, None)
    cases = timed_cases(evidence.cases)
    memory = None
    if evidence.mode == "improve" and cases:
        cases, result = await _affordable(cases, program, sandbox)
        memory = _memory(result, None)
    metrics, notes = await _readability(target.source)
    measurement = Measurement(memory=memory, readability=metrics, notes=notes)
    return Baseline(cases=cases, program=program, measurement=measurement)


async def measure(
    candidate: Candidate, *, target: Target, evidence: Evidence, sandbox: Sandbox, baseline: Baseline
) -> Measurement:
    """Everything about one candidate that can be put into numbers; what could not be measured is None, with a note.

    Call it for one candidate at a time: what runs beside a race is in its noise.

    Raises:
        SandboxError: the sandbox failed.
    """
    program = await anyio.to_thread.run_sync(program_for, target, candidate.replacement)
    if evidence.mode == "improve":
        speed, speed_note = await _race(program, sandbox, baseline)
    else:
        speed, speed_note = None, NOTHING_TO_COMPARE
    memory, memory_note = await _candidate_memory(program, sandbox, baseline)
    metrics, readability_notes = await _readability(candidate.source)
    diff, diff_note = await _diff(target, candidate)
    notes = [speed_note, memory_note, *readability_notes, diff_note]
    return Measurement(
        speed=speed, memory=memory, readability=metrics, diff=diff, notes=tuple(note for note in notes if note)
    )


async def _affordable(
    cases: tuple[Case, ...], program: Program, sandbox: Sandbox
) -> tuple[tuple[Case, ...], CallsResult]:
    while True:
        result = await sandbox.run(_memory_job(program, cases))
        # CPU time where it is known: on a busy machine the same inputs shall be timed as on a quiet one.
        spent_s = result.usage.wall_s if result.usage.cpu_s is None else result.usage.cpu_s
        if spent_s <= LONGEST_PASS_S or len(cases) == 1:
            return cases, result
        cases = smaller_half(cases)


def _memory_job(program: Program, cases: Sequence[Case]) -> CallsJob:
    return CallsJob(program=program, inputs=tuple(case.input for case in cases), memory=True, exclusive=True)


async def _race(program: Program, sandbox: Sandbox, baseline: Baseline) -> tuple[Interval | None, str]:
    if not baseline.cases:
        return None, "speed not measured: no input is known on which the original returns a comparable value"
    inputs = tuple(case.input for case in baseline.cases)
    return await compare_speed(TimingJob(a=baseline.program, b=program, inputs=inputs), baseline.cases, sandbox)


async def compare_speed(job: TimingJob, cases: Sequence[Case], sandbox: Sandbox) -> tuple[Interval | None, str]:
    """How many times as fast `b` is, or why that is not known. `cases` say what each of the inputs must give.

    Raises:
        SandboxError: the sandbox failed.
    """
    race = await sandbox.run(job)
    if problem := _problem(race, cases):
        return None, problem
    speed = speed_interval(race, len(job.inputs))
    return speed, "" if speed else f"speed not measured: fewer than {MIN_PAIRS} pairs of runs fitted into the time"


def _problem(race: TimingResult, cases: Sequence[Case]) -> str:
    """Why the times of a race mean nothing; empty when they do."""
    if race.failure is not None:
        side = "original" if race.failed_side == "a" else "candidate"
        return f"speed not measured: in the timed run the {side} failed: {trees.render_outcome(race.failure)}"
    if not _all_expected(race.outcomes_b, cases):
        return WRONG_WHEN_TIMED
    if not _all_expected(race.outcomes_a, cases):
        return "speed not measured: the original itself answered differently in the timed run"
    return ""


def _all_expected(outcomes: Sequence[Outcome], cases: Sequence[Case]) -> bool:
    return len(outcomes) == len(cases) and all(
        case.expected is not None and trees.same_outcome(outcome, case.expected)
        for outcome, case in zip(outcomes, cases, strict=True)
    )


async def _candidate_memory(program: Program, sandbox: Sandbox, baseline: Baseline) -> tuple[Memory | None, str]:
    if not baseline.cases:
        return None, ""
    result = await sandbox.run(_memory_job(program, baseline.cases))
    memory = _memory(result, baseline.measurement.memory)
    return memory, "" if memory else "memory not measured: not every call returned while allocations were traced"


def _memory(result: CallsResult, original: Memory | None) -> Memory | None:
    """The peak over all inputs, where each of them was answered."""
    if not result.peak_bytes or not all(isinstance(outcome, Returned) for outcome in result.outcomes):
        return None
    peak = max(result.peak_bytes)
    return Memory(peak_bytes=peak, ratio=peak / original.peak_bytes if original and original.peak_bytes else None)


async def _readability(source: str) -> tuple[Readability | None, tuple[str, ...]]:
    try:
        return await readability(source), ()
    except Unmeasurable as error:
        return None, (f"readability not measured: {error}",)


async def _diff(target: Target, candidate: Candidate) -> tuple[DiffSize, str]:
    try:
        return await anyio.to_thread.run_sync(diff_size, target, candidate.replacement), ""
    except InputError as error:
        return DiffSize(), f"size of the edit not measured: {error}"


def timed_cases(cases: Sequence[Case], most: int = MOST) -> tuple[Case, ...]:
    """Up to `most` cases on which the original returns, the largest of every origin, each input once.

    The origins take turns, so that no kind of input is crowded out. An input is there once, because a second call with
    equal arguments is what memory between calls would make cheap. The order is that of `cases`.
    """
    by_origin: defaultdict[str, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for index, case in enumerate(cases):
        identity = trees.canonical_call(case.input)
        if isinstance(case.expected, Returned) and identity not in seen:
            seen.add(identity)
            by_origin[case.origin].append(index)
    queues = deque(
        deque(sorted(found, key=lambda at: size(cases[at].input), reverse=True)) for found in by_origin.values()
    )
    chosen: list[int] = []
    while queues and len(chosen) < most:
        queue = queues.popleft()
        chosen.append(queue.popleft())
        if queue:
            queues.append(queue)
    return tuple(cases[index] for index in sorted(chosen))


def smaller_half(cases: Sequence[Case]) -> tuple[Case, ...]:
    """The cases of smaller input, at least one, in their order."""
    by_size = sorted(range(len(cases)), key=lambda index: size(cases[index].input))
    return tuple(cases[index] for index in sorted(by_size[: max(1, len(cases) // 2)]))


def size(call: CallInput) -> tuple[int, bytes]:
    """Orders inputs: the longer text is the larger, and of two equally long ones the one with the larger digits."""
    text = msgspec.json.encode(call)
    return len(text), text

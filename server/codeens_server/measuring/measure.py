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
from codeens_sandbox_backends.values.compare import canonical_call, same_outcome
from codeens_sandbox_backends.values.render import render_outcome
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
NOTHING_TO_COMPARE = "speed not measured: there is no working original to compare with"
MOST = 50


class Baseline(Struct, frozen=True, kw_only=True):
    """The original's side of all comparisons of a run, made once."""

    cases: tuple[Case, ...]
    """What candidates are timed on; `expected` is what must come out in the timed run too."""
    program: Program
    measurement: Measurement
    """Of the original itself; its speed is None: it is what speed is measured against."""


class SpeedComparison(Struct, frozen=True, kw_only=True):
    """How fast the second of two programs is, or in `note` why that is not known."""

    speed: Interval | None = None
    mismatch: bool = False
    """The second program answered otherwise than it must."""
    note: str = ""


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
    """Put one candidate into numbers; what could not be measured is None, with a note.

    Call it for one candidate at a time: what runs beside a timing is in its noise.

    Raises:
        SandboxError: the sandbox failed.
    """
    program = await anyio.to_thread.run_sync(program_for, target, candidate.replacement)
    if evidence.mode == "improve":
        compared = await _compare_with_original(program, sandbox, baseline)
    else:
        compared = SpeedComparison(note=NOTHING_TO_COMPARE)
    memory, memory_note = await _candidate_memory(program, sandbox, baseline)
    metrics, readability_notes = await _readability(candidate.source)
    diff, diff_note = await _diff(target, candidate)
    notes = [compared.note, memory_note, *readability_notes, diff_note]
    return Measurement(
        speed=compared.speed,
        mismatch=compared.mismatch,
        memory=memory,
        readability=metrics,
        diff=diff,
        notes=tuple(note for note in notes if note),
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


async def _compare_with_original(program: Program, sandbox: Sandbox, baseline: Baseline) -> SpeedComparison:
    if not baseline.cases:
        return SpeedComparison(
            note="speed not measured: no input is known on which the original returns a comparable value"
        )
    inputs = tuple(case.input for case in baseline.cases)
    return await compare_speed(TimingJob(a=baseline.program, b=program, inputs=inputs), baseline.cases, sandbox)


async def compare_speed(job: TimingJob, cases: Sequence[Case], sandbox: Sandbox) -> SpeedComparison:
    """Time two programs in turns and return how many times as fast `b` is, or why that is not known.

    Args:
        job: both programs and the inputs of one pass.
        cases: what each of the inputs must give, in their order.
        sandbox: where both run.

    Raises:
        SandboxError: the sandbox failed.
    """
    timed = await sandbox.run(job)
    if problem := _problem(timed, cases):
        return problem
    speed = speed_interval(timed, len(job.inputs))
    return SpeedComparison(
        speed=speed,
        note="" if speed else f"speed not measured: fewer than {MIN_PAIRS} pairs of runs fitted into the time",
    )


def _problem(timed: TimingResult, cases: Sequence[Case]) -> SpeedComparison | None:
    """Return why the times mean nothing; None when they mean something."""
    if timed.failure is not None:
        side = "original" if timed.failed_side == "a" else "candidate"
        failure = render_outcome(timed.failure)
        return SpeedComparison(note=f"speed not measured: in the timed run the {side} failed: {failure}")
    if not _all_expected(timed.outcomes_b, cases):
        return SpeedComparison(mismatch=True, note="wrong in the timed run")
    if not _all_expected(timed.outcomes_a, cases):
        return SpeedComparison(note="speed not measured: the original itself answered differently in the timed run")
    return None


def _all_expected(outcomes: Sequence[Outcome], cases: Sequence[Case]) -> bool:
    return len(outcomes) == len(cases) and all(
        case.expected is not None and same_outcome(outcome, case.expected)
        for outcome, case in zip(outcomes, cases, strict=True)
    )


async def _candidate_memory(program: Program, sandbox: Sandbox, baseline: Baseline) -> tuple[Memory | None, str]:
    if not baseline.cases:
        return None, ""
    result = await sandbox.run(_memory_job(program, baseline.cases))
    memory = _memory(result, baseline.measurement.memory)
    return memory, "" if memory else "memory not measured: not every call returned while allocations were traced"


def _memory(result: CallsResult, original: Memory | None) -> Memory | None:
    """Return the peak over all inputs, where each of them was answered."""
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
    """Choose at most `most` cases on which the original returns, the largest of every origin, each input once.

    The origins take turns, so that no kind of input is crowded out. An input is there once, because a second call with
    equal arguments is what memory between calls would make cheap. The order is that of `cases`.
    """
    by_origin: defaultdict[str, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for index, case in enumerate(cases):
        identity = canonical_call(case.input)
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
    """Return the cases of smaller input, at least one, in their order."""
    by_size = sorted(range(len(cases)), key=lambda index: size(cases[index].input))
    return tuple(cases[index] for index in sorted(by_size[: max(1, len(cases) // 2)]))


def size(call: CallInput) -> tuple[int, bytes]:
    """Order inputs by length of text; of two equally long ones the one with the larger digits is the larger."""
    text = msgspec.json.encode(call)
    return len(text), text

"""Measure one candidate by itself: memory, readability, size of the edit. Speed is found in races (`race.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import anyio.to_thread
from msgspec import Struct, structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CallsResult
from codeens_sandbox_backends.programs import Outcome, Program, Returned
from codeens_sandbox_backends.values.outcomes import EFFECTS, same_outcome
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.measurement import DiffSize, Measurement, Memory, Readability
from codeens_server.domain.target import Candidate, Target
from codeens_server.errors import InputError
from codeens_server.measuring.bytecode import same_bytecode
from codeens_server.measuring.parts import in_parts
from codeens_server.measuring.readability import Unmeasurable, readability
from codeens_server.measuring.timed_cases import costly_cases, size, timed_cases
from codeens_server.text import plural
from codeens_server.workspace.edit import diff_size, program_for

_AS_LARGE = 1.1
"""By so much may the text of an input be longer than that of one that it is made from."""
Agrees: TypeAlias = Callable[[Sequence[Case], Sequence[Outcome]], bool]
"""Whether outcomes are what cases demand."""
_UNSEEN_BYTES = 8 << 20
"""What processes of two programs may differ by for other reasons: modules they load, memory that allocators keep."""


class Baseline(Struct, frozen=True, kw_only=True):
    """The original's side of all comparisons of a run, made once."""

    cases: tuple[Case, ...]
    """What candidates are timed on; `expected` is what must come out in the timed run too."""
    program: Program
    compared: bool
    """Whether the original works, so that speed means something."""
    steady: bool = True
    """Whether it answers as it must also where nothing puts back what earlier calls have left; else answers of
    candidates in such a run mean nothing either."""
    unseen: bool = False
    """Whether no model can have seen the inputs: otherwise a table of them is as fast as an implementation. Beside a
    benchmark's: whether there are some like them that are so."""
    benchmark: str = ""
    """What is timed where the user gave a benchmark, in words; empty where none was given."""
    measurement: Measurement
    """Of the original itself; its speed is None: it is what speed is measured against."""


class MemoryComparison(Struct, frozen=True, kw_only=True):
    """What a watched pass found."""

    memory: Memory | None = None
    mismatch: bool = False
    """It answered otherwise than it must."""
    note: str = ""


async def baseline(
    target: Target,
    evidence: Evidence,
    sandbox: Sandbox,
    fresh: Sequence[Case] = (),
) -> Baseline:
    """Measure the original, and choose the inputs on which it is fast enough to be timed often.

    Args:
        target: the function.
        evidence: what is known of it.
        sandbox: where it runs.
        fresh: cases that nobody has seen; without any, those of the evidence are timed.

    Raises:
        SandboxError: the sandbox failed.
    """
    program = await anyio.to_thread.run_sync(program_for, target, None)
    given = [case for case in evidence.cases if case.origin == "benchmark"]
    cases = given or fresh or evidence.cases
    memory, steady = None, True
    cases = await costly_cases(cases, program, sandbox) if evidence.mode == "improve" else timed_cases(cases)
    if given:
        fresh = _as_small(fresh, cases)
    about = _about(given, cases, fresh) if given else ""
    cases = in_parts((*cases, *fresh) if given else cases)
    if evidence.mode == "improve" and cases:
        result = await sandbox.run(_memory_job(program, cases))
        memory, steady = _memory(result, None), _answers_as_it_must(cases, result)
    metrics, notes = await _readability(target.source)
    measurement = Measurement(memory=memory, readability=metrics, notes=notes)
    return Baseline(
        cases=cases,
        program=program,
        compared=evidence.mode == "improve",
        steady=steady,
        unseen=bool(fresh),
        benchmark=about,
        measurement=measurement,
    )


async def measure(
    candidate: Candidate, *, target: Target, sandbox: Sandbox, baseline: Baseline, agrees: Agrees | None = None
) -> Measurement:
    """Put one candidate into numbers, its speed left out; what could not be measured is None, with a note.

    Nothing of it is timed: other work may go on beside it.

    Args:
        candidate: what is measured.
        target: the function it replaces.
        sandbox: where it runs.
        baseline: the original's side of the comparison.
        agrees: whether its outcomes are such as it passes with; None: they must be equal to what is expected.

    Raises:
        SandboxError: the sandbox failed.
    """
    program = await anyio.to_thread.run_sync(program_for, target, candidate.replacement)
    is_same = await anyio.to_thread.run_sync(same_bytecode, target, candidate.replacement)
    if is_same and (original := baseline.measurement.memory):
        memory = MemoryComparison(memory=structs.replace(original, ratio=1.0))
    elif not baseline.steady:
        memory = MemoryComparison(note="memory not measured: the original itself answered differently in that run")
    else:
        memory = await compare_memory(program, baseline.cases, sandbox, baseline.measurement.memory, agrees)
    metrics, readability_notes = await _readability(candidate.source)
    diff, diff_note = await _diff(target, candidate)
    return Measurement(
        mismatch=memory.mismatch,
        memory=memory.memory,
        readability=metrics,
        diff=diff,
        notes=tuple(note for note in (memory.note, *readability_notes, diff_note) if note),
    )


def _as_small(fresh: Sequence[Case], cases: Sequence[Case]) -> tuple[Case, ...]:
    """Return cases that are about as large as those of a benchmark that are timed, and no more of them."""
    largest = max((size(case.input)[0] for case in cases), default=0)
    return timed_cases([case for case in fresh if size(case.input)[0] <= _AS_LARGE * largest], most=len(cases))


def _about(given: Sequence[Case], cases: Sequence[Case], fresh: Sequence[Case]) -> str:
    """Return what is timed of a benchmark: "timed on 2 inputs of bench.py::test_f and 2 like them"."""
    names = ", ".join(dict.fromkeys(case.label for case in given))
    some = f"{len(cases)} of " if len(cases) < len(given) else ""
    like = f" and {len(fresh)} like them" if fresh else ""
    return f"timed on {some}{plural(len(given), 'input')} of {names}{like}"


def _memory_job(program: Program, cases: Sequence[Case]) -> CallsJob:
    inputs = tuple(case.input for case in cases)
    return CallsJob(program=program, inputs=inputs, waits=tuple(range(1, len(cases))), memory=True)


def all_expected(cases: Sequence[Case], outcomes: Sequence[Outcome]) -> bool:
    return len(outcomes) == len(cases) and all(
        case.expected is not None
        and same_outcome(outcome, case.expected, value_only=case.value_only, uncompared=(EFFECTS, *case.uncompared))
        for outcome, case in zip(outcomes, cases, strict=True)
    )


async def compare_memory(
    program: Program,
    cases: Sequence[Case],
    sandbox: Sandbox,
    original: Memory | None,
    agrees: Agrees | None = None,
) -> MemoryComparison:
    """Watch what a program allocates, and hold it against what the process was seen to have, and against the original.

    Args:
        program: what is watched.
        cases: its inputs, with what each must give.
        sandbox: where it runs.
        original: what the original needs for the same inputs; None where nobody knows, or for itself.
        agrees: see `measure`.

    Raises:
        SandboxError: the sandbox failed.
    """
    if not cases:
        return MemoryComparison()
    result = await sandbox.run(_memory_job(program, cases))
    if not _answers_as_it_must(cases, result, agrees):
        return MemoryComparison(mismatch=True, note="wrong while its memory was measured")
    memory = _memory(result, original)
    if memory is None:
        return MemoryComparison(note="memory not measured: not every call returned while allocations were traced")
    if original is not None and _contradicted(memory, original):
        return MemoryComparison(note=_of_both(memory, original))
    return MemoryComparison(memory=memory)


def _answers_as_it_must(cases: Sequence[Case], result: CallsResult, agrees: Agrees | None = None) -> bool:
    for outcomes in (result.outcomes, result.watched):
        # A limit that watching has run into is no answer.
        answered = [pair for pair in zip(cases, outcomes, strict=False) if isinstance(pair[1], Returned)]
        known = [pair for pair in answered if pair[0].expected is not None]
        if not (agrees or all_expected)([case for case, _ in known], [outcome for _, outcome in known]):
            return False
    return True


def _memory(result: CallsResult, original: Memory | None) -> Memory | None:
    """Return the peak over all inputs, where each of them was answered."""
    answered = (*result.outcomes, *result.watched)
    if not result.peak_bytes or not all(isinstance(outcome, Returned) for outcome in answered):
        return None
    peak = max(result.peak_bytes)
    ratio = peak / original.peak_bytes if original and original.peak_bytes else None
    return Memory(peak_bytes=peak, ratio=ratio, seen_bytes=result.watched_rss_bytes)


def _of_both(memory: Memory, original: Memory) -> str:
    """Return what both ways of looking say, where they disagree: what C code allocates is not traced."""
    traced = f"traced allocations {_mebibytes(memory.peak_bytes)}, the original's {_mebibytes(original.peak_bytes)}"
    seen = f"process {_mebibytes(memory.seen_bytes)}, the original's {_mebibytes(original.seen_bytes)}"
    return f"memory not measured: what was traced and what was seen from outside disagree ({traced}; {seen})"


def _mebibytes(count: int | None) -> str:
    return "unknown" if count is None else f"{count / (1 << 20):.1f} MiB"


def _contradicted(memory: Memory, original: Memory | None) -> bool:
    """Whether a process had more memory than can be if so much less than the original's was allocated.

    Half of what is saved must show outside; allocators keep some, and modules that only one of both loads take some.
    """
    if original is None or original.seen_bytes is None:
        return False
    if memory.seen_bytes is None:
        return memory.peak_bytes < original.peak_bytes
    saved = max(0, original.peak_bytes - memory.peak_bytes)
    more = max(0, memory.peak_bytes - original.peak_bytes)
    return memory.seen_bytes > original.seen_bytes - saved / 2 + 2 * more + _UNSEEN_BYTES


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

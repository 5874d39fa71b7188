"""Make the execution matrix of a pool in the sandbox: each distinct program once on all inputs, then the official test.

A program sees the inputs only: what tests claim, and the official test, are compared outside its process.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import anyio
import anyio.to_thread

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CheckJob, Limits
from codeens_sandbox_backends.programs import CallInput, ModuleSource, Outcome, Program, Raised, Returned
from codeens_sandbox_backends.values.compare import canonical, canonical_call
from codeens_server.bench.selection.asserts import Claim, claims_of
from codeens_server.bench.selection.matrix import MatrixTest, TaskMatrix, digest_of
from codeens_server.bench.selection.pool import AnswerPool
from codeens_server.domain.target import Target
from codeens_server.errors import CodeensError
from codeens_server.evidence.docstring import doc_examples
from codeens_server.evidence.strategies.inputs import generate_inputs
from codeens_server.ranking.agreement import NOTHING
from codeens_server.tasks.source import helpers_of, stub_of
from codeens_server.workspace.find import find_in_text

PER_BLOCK = 5
"""Asserts of one block that count, as CodeT takes them (arXiv:2207.10397, section 4.1): later ones repeat."""
DRAWN = 20
"""Inputs of the function's own types that are drawn beside those of the tests."""
CALLS = Limits(call_s=0.2, wall_s=1.5, cpu_s=1.0)
CHECK = Limits(wall_s=5.0, cpu_s=2.0, call_s=2.0)


class _Questions(NamedTuple):
    """All that is asked of each program of a pool."""

    calls: list[CallInput]
    tests: dict[str, tuple[int, Claim, list[int]]]
    examples: list[tuple[int, Claim]]
    drawn: int


async def make_matrix(pool: AnswerPool, sandbox: Sandbox, workers: int) -> TaskMatrix:
    """Run all programs of a pool.

    Raises:
        SandboxError: the sandbox failed.
    """
    questions = await anyio.to_thread.run_sync(_questions, pool)
    distinct = list(dict.fromkeys(pool.programs))
    outcomes: dict[int, tuple[Outcome, ...]] = {}
    right: dict[int, bool] = {}
    waiting = iter(range(len(distinct)))

    async def work() -> None:
        for index in waiting:
            program = _program(distinct[index], pool.entry_point)
            job = CallsJob(program=program, inputs=tuple(questions.calls), limits=CALLS)
            result = await sandbox.run(job)
            outcomes[index] = result.outcomes
            right[index] = result.loaded and await _is_right(pool, program, sandbox)

    async with anyio.create_task_group() as group:
        for _ in range(workers):
            group.start_soon(work)
    vectors = [outcomes[index] for index in range(len(distinct))]
    numbers = {source: index for index, source in enumerate(distinct)}
    return await anyio.to_thread.run_sync(
        _matrix, pool, questions, vectors, tuple(right[i] for i in range(len(distinct))), numbers
    )


async def _is_right(pool: AnswerPool, program: Program, sandbox: Sandbox) -> bool:
    prelude = helpers_of(pool.prompt, pool.entry_point)
    job = CheckJob(program=program, tests=pool.test, prelude=prelude, name=pool.entry_point, limits=CHECK)
    return (await sandbox.run(job)).passed


def _program(source: str, name: str) -> Program:
    return Program(module="candidate", qualname=name, modules=(ModuleSource(name="candidate", source=source),))


def _questions(pool: AnswerPool) -> _Questions:
    calls: dict[str, tuple[int, CallInput]] = {}

    def place(call: CallInput) -> int:
        return calls.setdefault(canonical_call(call), (len(calls), call))[0]

    tests: dict[str, tuple[int, Claim, list[int]]] = {}
    for number, block in enumerate(pool.blocks):
        for claim in claims_of(block, pool.entry_point)[:PER_BLOCK]:
            key = f"{claim.relation} {canonical(claim.value)} {canonical_call(claim.call)}"
            tests.setdefault(key, (place(claim.call), claim, []))[2].append(number)
    target, source = _target(pool)
    promised = [] if target is None else [e for e in doc_examples(target, source) if isinstance(e.promised, Returned)]
    examples = [
        (place(one.input), Claim(call=one.input, relation="equal", value=one.promised.value))
        for one in promised
        if isinstance(one.promised, Returned)
    ]
    seen = [call for _, call in calls.values()]
    extra = [] if target is None else generate_inputs(target, seen, source, DRAWN)
    before = len(calls)
    for call in extra:
        place(call)
    return _Questions([call for _, call in calls.values()], tests, examples, len(calls) - before)


def _target(pool: AnswerPool) -> tuple[Target | None, str]:
    """Return the function as the prompt defines it; None where the prompt is words."""
    stub = stub_of(pool.prompt, pool.entry_point)
    if stub is None:
        return None, ""
    line = stub[: stub.index(f"def {pool.entry_point}")].count("\n") + 1
    try:
        return find_in_text(Path("/task/candidate.py"), line, stub, folder=Path("/task")), stub
    except CodeensError:
        return None, ""


def _matrix(
    pool: AnswerPool,
    questions: _Questions,
    vectors: Sequence[Sequence[Outcome]],
    right: tuple[bool, ...],
    numbers: dict[str, int],
) -> TaskMatrix:
    labels: list[dict[str, int]] = [{} for _ in questions.calls]
    values: list[dict[int, Outcome]] = [{} for _ in questions.calls]
    raised: list[dict[str, int]] = [{} for _ in questions.calls]
    outputs: list[tuple[int, ...]] = []
    for vector in vectors:
        row: list[int] = []
        for index, outcome in enumerate(vector):
            match outcome:
                case Returned():
                    label = labels[index].setdefault(canonical(outcome.value), len(labels[index]))
                    values[index].setdefault(label, outcome)
                case Raised():
                    label = raised[index].setdefault(outcome.type, NOTHING - 1 - len(raised[index]))
                case _:
                    label = NOTHING
            row.append(label)
        outputs.append(tuple(row))

    def held(at: int, claim: Claim, blocks: Sequence[int]) -> MatrixTest:
        holds = frozenset(label for label, outcome in values[at].items() if claim.holds(outcome))
        return MatrixTest(input=at, holds=holds, blocks=tuple(blocks))

    return TaskMatrix(
        task_id=pool.task_id,
        digest=digest_of(pool),
        program_of=tuple(numbers[source] for source in pool.programs),
        right=right,
        outputs=tuple(outputs),
        tests=tuple(held(*test) for test in questions.tests.values()),
        examples=tuple(held(at, claim, ()) for at, claim in questions.examples),
        drawn=questions.drawn,
    )

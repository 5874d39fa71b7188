"""Runs everything that a task demands of one program, and says of each demand whether it was met."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread
from msgspec import Struct, structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CheckJob, Limits, StdioJob, StdioRun
from codeens_sandbox_backends.programs import CallInput, Encoded, ModuleSource, Outcome, Program, Raised, Returned
from codeens_sandbox_backends.values.render import render, render_call, render_outcome
from codeens_sandbox_backends.values.telling import telling
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_sandbox_backends.worker.values.grammar import EncodeError
from codeens_server.domain.terms import Status
from codeens_server.domain.verdict import Failure
from codeens_server.errors import InputError
from codeens_server.judging.replay import status_of
from codeens_server.tasks.adaptive_limits import TaskRuns
from codeens_server.tasks.lenient import matches, smallest_size, typed_as
from codeens_server.tasks.printed import Place, accepted_texts, accepts, fraction_places
from codeens_server.tasks.schema import OutputChecker, Task, TaskCase
from codeens_server.tasks.source import helpers_of

_MODULE = "candidate"
_TESTS = "tests"
_SCRIPTS = "scripts"
_LONGEST_WALL_S = 120.0
_START_S = 0.5
"""Allowed on top for starting the interpreter, which is not the program's fault."""
_SHOWN = 300
CALL_IT = "Write check(candidate), asserts that name the function, test functions as for pytest, or a unittest class."


class Check(Struct, frozen=True, kw_only=True):
    """One demand of a task and what came of it."""

    weight: float
    status: Status = "passed"
    failure: Failure | None = None


async def check_all(task: Task, source: str, sandbox: Sandbox, runs: TaskRuns) -> list[Check]:
    """Run all test cases and then the tests; one check for each case, in their order, and one for the tests.

    `runs` decides what time each job gets, and has the limits of all else; a case's own `timeout` replaces times only.

    Raises:
        InputError: an argument or an expected value of the task cannot be given to a function.
        SandboxError: the sandbox failed; nothing is known of the program.
    """
    checks: dict[int, Check] = {}
    for timeout in dict.fromkeys(case.timeout for case in task.test_cases):
        group = [(index, case) for index, case in enumerate(task.test_cases) if case.timeout == timeout]
        calls = [entry for entry in group if entry[1].stdin is None]
        checks |= await _check_calls(task, source, calls, sandbox, runs)
        scripts = [entry for entry in group if entry[1].stdin is not None]
        checks |= await _check_scripts(task, source, scripts, sandbox, runs)
    ordered = [checks[index] for index in sorted(checks)]
    return ordered if task.tests is None else [*ordered, await check_tests(task, task.tests, source, sandbox, runs)]


def program_of(task: Task, source: str) -> Program:
    """A whole program as a module, with the task's function in it."""
    return Program(module=_MODULE, qualname=task.entry_point, modules=(ModuleSource(name=_MODULE, source=source),))


def _call_limits(limits: Limits, timeout: float | None, count: int) -> Limits | None:
    """For a job of `count` calls; None, the sandbox's own, where the task says nothing."""
    if timeout is None:
        return None
    wall = max(timeout + _START_S, min(timeout * count + _START_S, _LONGEST_WALL_S))
    return structs.replace(limits, call_s=timeout, wall_s=wall, cpu_s=wall)


def _script_limits(limits: Limits, timeout: float | None) -> Limits | None:
    """For one run of a script, its interpreter's start included."""
    if timeout is None:
        return None
    return structs.replace(limits, wall_s=timeout + _START_S, cpu_s=timeout + _START_S)


async def _check_calls(
    task: Task, source: str, group: Sequence[tuple[int, TaskCase]], sandbox: Sandbox, runs: TaskRuns
) -> dict[int, Check]:
    if not group:
        return {}
    key = group[0][1].timeout
    inputs = tuple(_encoded_call(case, index) for index, case in group)
    expected = [_expected(case, index) for index, case in group]
    waits = telling(inputs, [Returned(value=value) for value in expected])
    limits = _call_limits(runs.limits, key, len(group))
    job = CallsJob(program=program_of(task, source), inputs=inputs, waits=tuple(waits), limits=limits)
    result = await runs.run(key, job, sandbox)
    unit = await anyio.to_thread.run_sync(smallest_size, expected)

    def compare(values: Sequence[Encoded]) -> list[Check]:
        compared = zip(group, inputs, values, result.outcomes, strict=True)
        return [
            _checked_call(task.entry_point, case, call, value, outcome, unit)
            for (_, case), call, value, outcome in compared
        ]

    checks = await anyio.to_thread.run_sync(compare, expected)
    if any(check.failure is not None for check in checks) and (reference := await runs.reference_result(key)):
        checks = await anyio.to_thread.run_sync(compare, list(map(_typed_as, expected, reference.outcomes)))
    return dict(zip((index for index, _ in group), checks, strict=True))


def _typed_as(expected: Encoded, reference: Outcome) -> Encoded:
    return typed_as(expected, reference.value) if isinstance(reference, Returned) else expected


def _encoded_call(case: TaskCase, index: int) -> CallInput:
    try:
        return CallInput(
            args=tuple(encode(value) for value in case.args),
            kwargs={name: encode(value) for name, value in case.kwargs.items()},
        )
    except EncodeError as error:
        message = f"arguments of test_cases[{index}] cannot be given to a function: {error}."
        raise InputError(message) from None


def _expected(case: TaskCase, index: int) -> Encoded:
    try:
        return encode(case.expected_output)
    except EncodeError as error:
        message = f"expected_output of test_cases[{index}] is nothing that a function can return: {error}."
        raise InputError(message) from None


def _checked_call(
    name: str, case: TaskCase, call: CallInput, expected: Encoded, outcome: Outcome, unit: float
) -> Check:
    if isinstance(outcome, Returned) and matches(expected, outcome.value, unit=unit):
        return Check(weight=case.weight)
    failure = Failure(
        where=render_call(name, call),
        expected=render(expected),
        got=render_outcome(outcome),
        traceback=outcome.traceback if isinstance(outcome, Raised) else "",
    )
    return Check(weight=case.weight, status=status_of(Returned(value=expected), outcome), failure=failure)


async def _check_scripts(
    task: Task, source: str, group: Sequence[tuple[int, TaskCase]], sandbox: Sandbox, runs: TaskRuns
) -> dict[int, Check]:
    if not group:
        return {}
    stdins = tuple(case.stdin or "" for _, case in group)
    job = StdioJob(source=source, stdins=stdins, limits=_script_limits(runs.limits, group[0][1].timeout))
    result = await runs.run((_SCRIPTS, group[0][1].timeout), job, sandbox)

    def compare() -> dict[int, Check]:
        scripts = [accepted_texts(case.expected_output) for case in task.test_cases if case.stdin is not None]
        fractions = fraction_places(task.checker, scripts)
        return {
            index: _checked_script(task.checker, case, run, fractions)
            for (index, case), run in zip(group, result.runs, strict=True)
        }

    return await anyio.to_thread.run_sync(compare)


def _checked_script(checker: OutputChecker, case: TaskCase, run: StdioRun, fractions: frozenset[Place]) -> Check:
    accepted = accepted_texts(case.expected_output)
    if run.ending is None and accepts(checker, accepted, run.stdout, fractions):
        return Check(weight=case.weight)
    first, *others = accepted
    return Check(
        weight=case.weight,
        status="failed" if run.ending is None else status_of(Returned(value=None), run.ending),
        failure=Failure(
            where=f"stdin {render(case.stdin, _SHOWN)}",
            expected=render(first, _SHOWN) + (f", or one of {len(others)} other texts" if others else ""),
            got=render(run.stdout, _SHOWN) if run.ending is None else render_outcome(run.ending),
            traceback=run.stderr[-4000:],
        ),
    )


async def check_tests(task: Task, tests: str, source: str, sandbox: Sandbox, runs: TaskRuns) -> Check:
    """Run the task's tests against a program.

    Raises:
        InputError: they never call it.
        SandboxError: the sandbox failed; nothing is known of the program.
    """
    job = CheckJob(
        program=program_of(task, source),
        tests=tests,
        prelude=helpers_of(task.prompt, task.entry_point),
        name=task.entry_point,
    )
    result = await runs.run(_TESTS, job, sandbox)
    if result.failure is None and not result.calls:
        message = f"the tests of task {task.id} never call {task.entry_point}, so nothing was checked. {CALL_IT}"
        raise InputError(message, code="tests_call_nothing")
    if result.passed and result.failure is None:
        return Check(weight=1.0)
    ending = result.failure
    failed = ending is None or (isinstance(ending, Raised) and ending.type == "AssertionError")
    return Check(
        weight=1.0,
        status="failed" if failed or ending is None else status_of(Returned(value=None), ending),
        failure=Failure(
            where="tests",
            expected="they pass",
            got="they do not" if ending is None else render_outcome(ending),
            traceback=ending.traceback if isinstance(ending, Raised) else "",
        ),
    )

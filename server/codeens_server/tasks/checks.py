"""Runs everything that a task demands of one program, and says of each demand whether it was met."""

from __future__ import annotations

from collections.abc import Sequence

import anyio.to_thread
from msgspec import Struct, structs

from codeens_sandbox_backends.base import (
    CallInput,
    CallsJob,
    CheckJob,
    Limits,
    ModuleSource,
    Outcome,
    Program,
    Raised,
    Returned,
    Sandbox,
    StdioJob,
    StdioRun,
)
from codeens_sandbox_backends.values.render import render, render_call, render_outcome
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_sandbox_backends.worker.values.grammar import EncodeError
from codeens_server.domain import Failure, Status
from codeens_server.errors import InputError
from codeens_server.judging.replay import status_of
from codeens_server.tasks.adaptive_limits import TaskRuns
from codeens_server.tasks.lenient import matches
from codeens_server.tasks.printed import accepted_texts, accepts
from codeens_server.tasks.schema import Task, TaskCase
from codeens_server.tasks.source import helpers_of

_MODULE = "candidate"
_TESTS = "tests"
_SCRIPTS = "scripts"
_LONGEST_WALL_S = 120.0
_START_S = 0.5
"""Allowed on top for starting the interpreter, which is not the program's fault."""
_SHOWN = 300


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
    inputs = tuple(_encoded_call(case, index) for index, case in group)
    limits = _call_limits(runs.limits, group[0][1].timeout, len(group))
    job = CallsJob(program=program_of(task, source), inputs=inputs, limits=limits)
    result = await runs.run(group[0][1].timeout, job, sandbox)

    def compare() -> dict[int, Check]:
        return {
            index: _checked_call(task, index, case, call, outcome)
            for (index, case), call, outcome in zip(group, inputs, result.outcomes, strict=True)
        }

    return await anyio.to_thread.run_sync(compare)


def _encoded_call(case: TaskCase, index: int) -> CallInput:
    try:
        return CallInput(
            args=tuple(encode(value) for value in case.args),
            kwargs={name: encode(value) for name, value in case.kwargs.items()},
        )
    except EncodeError as error:
        message = f"arguments of test_cases[{index}] cannot be given to a function: {error}."
        raise InputError(message) from None


def _checked_call(task: Task, index: int, case: TaskCase, call: CallInput, outcome: Outcome) -> Check:
    try:
        expected = encode(case.expected_output)
    except EncodeError as error:
        message = f"expected_output of test_cases[{index}] is nothing that a function can return: {error}."
        raise InputError(message) from None
    if isinstance(outcome, Returned) and matches(expected, outcome.value):
        return Check(weight=case.weight)
    failure = Failure(
        where=render_call(task.entry_point, call),
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
        return {index: _checked_script(task, case, run) for (index, case), run in zip(group, result.runs, strict=True)}

    return await anyio.to_thread.run_sync(compare)


def _checked_script(task: Task, case: TaskCase, run: StdioRun) -> Check:
    accepted = accepted_texts(case.expected_output)
    if run.ending is None and accepts(task.checker, accepted, run.stdout):
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
        SandboxError: the sandbox failed; nothing is known of the program.
    """
    job = CheckJob(
        program=program_of(task, source),
        tests=tests,
        prelude=helpers_of(task.prompt, task.entry_point),
        name=task.entry_point,
    )
    result = await runs.run(_TESTS, job, sandbox)
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

"""Runs code that nobody trusts: calls of a function, a script, or tests."""

from __future__ import annotations

import ast
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from codeens._scripting import Beside, ends_with_expression
from codeens_sandbox_backends.base import IsolationLevel, Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CheckJob, Limits, StdioJob, StdioRun, Usage
from codeens_sandbox_backends.programs import (
    CallInput,
    Died,
    Encoded,
    ModuleSource,
    Outcome,
    Program,
    Raised,
    Returned,
    TimedOut,
    Unencodable,
)
from codeens_sandbox_backends.values.render import render_call, render_outcome
from codeens_server.errors import Hint, InputError
from codeens_server.evidence.literal_calls import NotLiteral, expression, literal
from codeens_server.evidence.strategies.definitions import dotted_name
from codeens_server.tasks.checks import CALL_IT

OutcomeKind: TypeAlias = Literal["returned", "raised", "unencodable", "timeout", "died"]

_MODULE = "given"
_KINDS: dict[type[Outcome], OutcomeKind] = {
    Returned: "returned",
    Raised: "raised",
    Unencodable: "unencodable",
    TimedOut: "timeout",
    Died: "died",
}


class CallResult(Struct, frozen=True, kw_only=True):
    """One call, and what it did."""

    call: str
    """As Python writes it."""
    outcome: Outcome

    @property
    def kind(self) -> OutcomeKind:
        """How it ended, in one word."""
        return _KINDS[type(self.outcome)]

    @property
    def value(self) -> Encoded:
        """What it returned, as an encoded tree: no object that the code made is rebuilt here; None: it did not."""
        return self.outcome.value if isinstance(self.outcome, Returned) else None

    @property
    def traceback(self) -> str:
        """Where it raised; empty when it did not."""
        return self.outcome.traceback if isinstance(self.outcome, Raised) else ""

    def shown(self, limit: int = 1000) -> str:
        """Return what came out as Python shows it, in at most so many characters."""
        return render_outcome(self.outcome, limit=limit)


class CodeResult(Struct, frozen=True, kw_only=True):
    """What code did in a sandbox; of the three ways to run it, one is filled in."""

    backend: str
    isolation: IsolationLevel
    calls: tuple[CallResult, ...] = ()
    scripts: tuple[StdioRun, ...] = ()
    """One for each text of standard input."""
    values: tuple[str | None, ...] = ()
    """For each of them the value of the script's last expression, as Python shows it; None: it is none, or None."""
    passed: bool | None = None
    """Whether the tests passed; None: none were run."""
    failure: Outcome | None = None
    """What the tests raised, or how the code ended."""
    stdout: str = ""
    stderr: str = ""
    usage: Usage | None = None


class CodeJob(Struct, frozen=True, kw_only=True):
    """Code, and the one way in which it is run: `calls`, `tests` of a function, or else as a script."""

    source: str
    calls: tuple[str, ...] = ()
    tests: str | None = None
    function: str | None = None
    stdins: tuple[str, ...] = ()
    argv: tuple[str, ...] = ()
    beside: Beside = Beside()
    """What a script finds."""

    def __post_init__(self) -> None:
        """See that the parts fit.

        Raises:
            InputError: it is to be run in two ways (code `ways_to_run`), or tests come without their function's name.
        """
        given = {"calls": self.calls, "tests": self.tests is not None, "stdin or argv": self.stdins or self.argv}
        ways = [name for name, value in given.items() if value]
        if len(ways) > 1:
            message = f"code is run in one way at a time; here are {' and '.join(ways)}."
            raise InputError(message, code="ways_to_run", hint=Hint("fix", "Run it once for each."))
        is_script = not self.calls and self.tests is None
        if not is_script and self.beside != Beside():
            message = "files, test files and earlier code stand beside a script, not beside calls or tests."
            raise InputError(message, code="ways_to_run", hint=Hint("fix", "Call the function in the script itself."))
        if (self.tests is None) != (self.function is None):
            message = "tests go together with the name of the function that they call."
            raise InputError(message, code="function_not_named")


async def run_job(job: CodeJob, sandbox: Sandbox, *, backend: str, limits: Limits) -> CodeResult:
    """Run code.

    Raises:
        InputError: a call is none, or its arguments are no literals, or calls are of several functions; or the tests
            never call the function.
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    empty = CodeResult(backend=backend, isolation=sandbox.isolation)
    if job.calls:
        return await _calls(job, sandbox, empty, limits)
    if job.tests is not None and job.function is not None:
        program = _program(job.source, job.function)
        checked = await sandbox.run(CheckJob(program=program, tests=job.tests, name=job.function, limits=limits))
        if checked.failure is None and not checked.calls:
            message = f"the tests never call {job.function}, so nothing was checked."
            raise InputError(message, code="tests_call_nothing", hint=Hint("fix", CALL_IT))
        return replace(empty, passed=checked.passed, failure=checked.failure, usage=checked.usage)
    return await _script(job, sandbox, empty, limits)


async def _script(job: CodeJob, sandbox: Sandbox, empty: CodeResult, limits: Limits) -> CodeResult:
    stdins = job.stdins or ("",)
    if job.beside == Beside() and not ends_with_expression(job.source):
        done = await sandbox.run(StdioJob(source=job.source, stdins=stdins, argv=job.argv, limits=limits))
        return replace(empty, scripts=done.runs)
    script = job.beside.script(job.source)
    done = await sandbox.run(StdioJob(source=script.source, stdins=stdins, argv=job.argv, limits=limits))
    values, runs = zip(*map(script.value_of, done.runs), strict=True)
    return replace(empty, scripts=runs, values=values)


def read_call(text: str) -> tuple[str, CallInput]:
    """Return the name that is called, and the arguments.

    Args:
        text: a call as Python writes it: `f([1, 2], key={'a': (3, None)})`.

    Raises:
        InputError: it is no call, or an argument is not a literal (code `not_a_call`).
    """
    try:
        node = expression(text)
        if isinstance(node, ast.Call) and (name := dotted_name(node.func)):
            kwargs = {keyword.arg or "**": literal(keyword.value) for keyword in node.keywords}
            if "**" not in kwargs:
                return name, CallInput(args=tuple(literal(argument) for argument in node.args), kwargs=kwargs)
    except NotLiteral:
        pass
    message = f"{text[:200]!r} is no call with literal arguments."
    advice = "Write calls as Python would, for instance f([1, 2], key={'a': (3, None)}); other arguments need tests."
    raise InputError(message, code="not_a_call", hint=Hint("fix", advice))


async def _calls(job: CodeJob, sandbox: Sandbox, empty: CodeResult, limits: Limits) -> CodeResult:
    read = [read_call(call) for call in job.calls]
    names = list(dict.fromkeys(name for name, _ in read))
    if len(names) > 1:
        message = f"all calls must be of one function; these are of {', '.join(names)}."
        raise InputError(message, code="ways_to_run", hint=Hint("fix", "Run it once for each."))
    inputs = tuple(call for _, call in read)
    result = await sandbox.run(CallsJob(program=_program(job.source, names[0]), inputs=inputs, limits=limits))
    calls = tuple(
        CallResult(call=render_call(names[0], call), outcome=outcome)
        for call, outcome in zip(inputs, result.outcomes, strict=True)
    )
    return replace(empty, calls=calls, stdout=result.stdout, stderr=result.stderr, usage=result.usage)


def _program(source: str, function: str) -> Program:
    return Program(module=_MODULE, qualname=function, modules=(ModuleSource(name=_MODULE, source=source),))

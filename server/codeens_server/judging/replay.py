"""The first gate: every known call is made again, and what comes out is compared outside the sandbox."""

from __future__ import annotations

from typing import TypeAlias

import anyio.to_thread
from msgspec import Struct

from codeens_sandbox_backends.base import (
    CallsJob,
    CallsResult,
    Died,
    Outcome,
    Program,
    Raised,
    Returned,
    Sandbox,
    TimedOut,
    Unencodable,
)
from codeens_sandbox_backends.values.compare import same_outcome
from codeens_sandbox_backends.values.render import render_call, render_outcome, render_outcome_pair
from codeens_server.domain import Case, Failure, Status

_LONGEST_CALL = 10_000
_Compared: TypeAlias = tuple[Case, Outcome, Outcome]
"""A case, what should have come out of it, and what did."""


class Replay(Struct, frozen=True, kw_only=True):
    """What a candidate did on all cases."""

    outcomes: tuple[Outcome, ...]
    status: Status = "passed"
    passed: int = 0
    total: int = 0
    """Cases whose outcome is known."""
    reason: str = ""
    failure: Failure | None = None


async def replay(name: str, program: Program, cases: tuple[Case, ...], sandbox: Sandbox) -> Replay:
    """Call the program with every case's input and compare.

    `name` is what the calls are shown by.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    result = await sandbox.run(CallsJob(program=program, inputs=tuple(case.input for case in cases)))
    return await anyio.to_thread.run_sync(compare, name, cases, result)


def compare(name: str, cases: tuple[Case, ...], result: CallsResult) -> Replay:
    """Hold outcomes against the cases they belong to. Only outcomes that are evidence are counted."""
    if not result.loaded:
        return _not_loaded(cases, result)
    known = [
        (case, case.expected, outcome)
        for case, outcome in zip(cases, result.outcomes, strict=True)
        if case.expected is not None and proves_something(case.expected)
    ]
    wrong = [entry for entry in known if not same_outcome(entry[1], entry[2], value_only=entry[0].value_only)]
    passed = len(known) - len(wrong)
    if not known and cases:
        return _only_ran(name, cases, result.outcomes)
    if not wrong:
        return Replay(outcomes=result.outcomes, passed=passed, total=len(known))
    status = status_of(*wrong[0][1:])
    case, expected, got = _clearest([entry for entry in wrong if status_of(*entry[1:]) == status])
    return Replay(
        outcomes=result.outcomes,
        status=status,
        passed=passed,
        total=len(known),
        reason=f"differs on {len(wrong)} of {len(known)} inputs, for instance {render_call(name, case.input, 80)}",
        failure=failure_of(render_call(name, case.input), expected, got),
    )


def _clearest(wrong: list[_Compared]) -> _Compared:
    """Pick the failure with the shortest call. If all processes died, pick the first: later calls may not have run."""
    alive = [entry for entry in wrong if not isinstance(entry[2], Died)]
    return min(alive, key=lambda entry: len(render_call("", entry[0].input, _LONGEST_CALL)), default=wrong[0])


def proves_something(outcome: Outcome) -> bool:
    """Return whether a candidate can be held to an outcome."""
    return isinstance(outcome, (Returned, Raised))


def status_of(expected: Outcome, got: Outcome) -> Status:
    """Return what to call it when `got` came where `expected` should have."""
    if isinstance(got, TimedOut):
        return "timeout"
    crashed = isinstance(got, Died) or (isinstance(got, Raised) and isinstance(expected, Returned))
    return "error" if crashed else "failed"


def failure_of(call: str, expected: Outcome, got: Outcome) -> Failure:
    """Return the failure as a person would check it; arguments are shown when only they differ."""
    wanted, came = render_outcome_pair(expected, got)
    return Failure(
        where=call,
        expected=wanted,
        got=came,
        traceback=got.traceback if isinstance(got, Raised) else "",
    )


def _not_loaded(cases: tuple[Case, ...], result: CallsResult) -> Replay:
    outcome = result.outcomes[0] if result.outcomes else None
    text = render_outcome(outcome) if outcome is not None else "it does not"
    return Replay(
        outcomes=result.outcomes,
        status="timeout" if isinstance(outcome, TimedOut) else "error",
        total=sum(case.expected is not None and proves_something(case.expected) for case in cases),
        reason="it cannot be loaded" + (f": {text}" if outcome is not None else ""),
        failure=Failure(
            where="loading the module",
            expected="it loads",
            got=text,
            traceback=outcome.traceback if isinstance(outcome, Raised) else "",
        ),
    )


def _only_ran(name: str, cases: tuple[Case, ...], outcomes: tuple[Outcome, ...]) -> Replay:
    """Pass a candidate that returns on any input, where nothing is known of what should come out."""
    if any(isinstance(outcome, (Returned, Unencodable)) for outcome in outcomes):
        return Replay(outcomes=outcomes)
    first = outcomes[0]
    return Replay(
        outcomes=outcomes,
        status="timeout" if isinstance(first, TimedOut) else "error",
        reason=f"it returned on none of {len(cases)} inputs",
        failure=Failure(
            where=render_call(name, cases[0].input),
            expected="any value",
            got=render_outcome(first),
            traceback=first.traceback if isinstance(first, Raised) else "",
        ),
    )

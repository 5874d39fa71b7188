"""The first gate: every known call is made again, and what comes out is compared outside the sandbox."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import anyio.to_thread
from msgspec import Struct

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Limits
from codeens_sandbox_backends.programs import NOT_LIVE, Died, Outcome, Program, Raised, Returned, TimedOut, Unencodable
from codeens_sandbox_backends.values.outcomes import ARGUMENTS, RESULT, differing, same_outcome
from codeens_sandbox_backends.values.render import (
    channel_words,
    plainest,
    render_call,
    render_outcome,
    render_outcome_pair,
)
from codeens_sandbox_backends.values.telling import telling
from codeens_server.domain.evidence import Case
from codeens_server.domain.terms import PASSING, ConditionKind, Status
from codeens_server.domain.verdict import Condition, Failure
from codeens_server.judging.conditions import Compared, explain
from codeens_server.judging.lateness import run_calls

_LONGEST_CALL = 10_000
_MOST_NAMED = 3
_MADE_BY_RUNNING = frozenset({"recorded", "doctest"})


class Replay(Struct, frozen=True, kw_only=True):
    """What a candidate did on all cases."""

    outcomes: tuple[Outcome, ...]
    status: Status = "passed"
    passed: int = 0
    total: int = 0
    """Cases whose outcome is known."""
    reason: str = ""
    failure: Failure | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def passes(self) -> bool:
        """Whether nothing is wrong."""
        return self.status in PASSING


async def replay(
    name: str,
    program: Program,
    cases: tuple[Case, ...],
    sandbox: Sandbox,
    limits: Limits | None = None,
    *,
    refused: Collection[ConditionKind] = (),
    beside: Program | None = None,
    usual: Limits | None = None,
    in_turn: bool = False,
) -> Replay:
    """Call the program with every case's input and compare.

    Args:
        name: what the calls are shown by.
        program: the candidate.
        cases: inputs, with what must come out where that is known.
        sandbox: where it runs.
        limits: in place of those of the sandbox.
        refused: kinds of conditions on which it does not pass.
        beside: the original, which is run too where calls are late; None: lateness is taken as it is.
        usual: what the settings allow one job; it is put up for a machine that is slow now.
        in_turn: whether a call finds what earlier ones left in the function's own defaults.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    inputs = tuple(case.input for case in cases)
    waits = waiting(cases)
    job = CallsJob(program=program, inputs=inputs, waits=waits, effects=True, in_turn=in_turn, limits=limits)
    result = await run_calls(job, beside, usual, sandbox)
    return await anyio.to_thread.run_sync(lambda: compare(name, cases, result, refused=refused))


async def does_the_same(
    program: Program, cases: tuple[Case, ...], sandbox: Sandbox, limits: Limits | None = None
) -> bool:
    """Return whether a program does on all cases what is known to come out; sooner than `replay` says how it differs.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    inputs = tuple(case.input for case in cases)
    job = CallsJob(program=program, inputs=inputs, waits=waiting(cases), effects=True, limits=limits)
    result = await sandbox.run(job)
    return result.loaded and await anyio.to_thread.run_sync(
        lambda: all(_is_right(*entry) for entry in _known(cases, result.outcomes))
    )


def waiting(cases: tuple[Case, ...]) -> tuple[int, ...]:
    """Return the indexes of cases that are not shown to a candidate before it has answered all earlier ones.

    Tests make calls of what earlier calls returned, and people write answers down as the next input. What was generated
    was made without an answer at hand.
    """
    written = [index for index, case in enumerate(cases) if case.origin != "generated"]
    told = telling([cases[index].input for index in written], [cases[index].expected for index in written])
    recorded = [place for place, index in enumerate(written) if cases[index].origin in _MADE_BY_RUNNING]
    return tuple(sorted({written[place] for place in (*told, *recorded)}))


def compare(
    name: str, cases: tuple[Case, ...], result: CallsResult, *, refused: Collection[ConditionKind] = ()
) -> Replay:
    """Hold outcomes against the cases they belong to. Only outcomes that are evidence are counted."""
    if not result.loaded:
        return _not_loaded(cases, result)
    known = list(_known(cases, result.outcomes))
    unequal = [entry for entry in known if not _is_right(*entry)]
    passed = len(known) - len(unequal)
    if not known and cases:
        return _only_ran(name, cases, result.outcomes)
    wrong, conditions = explain(name, known, unequal, refused) if unequal else ([], ())
    if not wrong:
        status: Status = "conditional" if conditions else "passed"
        return Replay(outcomes=result.outcomes, status=status, passed=passed, total=len(known), conditions=conditions)
    status = status_of(*wrong[0][1:])
    case, expected, got = _clearest([entry for entry in wrong if status_of(*entry[1:]) == status])
    return Replay(
        outcomes=result.outcomes,
        status=status,
        passed=passed,
        total=len(known),
        reason=f"differs{_in_what(wrong)} on {len(wrong)} of {len(known)} inputs, "
        f"for instance {render_call(name, case.input, 80)}",
        failure=failure_of(render_call(name, case.input), expected, got, case.uncompared),
    )


def _known(cases: Sequence[Case], outcomes: Sequence[Outcome]) -> Iterator[Compared]:
    """Yield what can be compared."""
    for case, outcome in zip(cases, outcomes, strict=True):
        if case.expected is not None and proves_something(case.expected):
            yield case, case.expected, outcome


def _in_what(wrong: Sequence[Compared]) -> str:
    """Say in what they differ where the values of result and arguments are the same; else nothing, for it is seen."""
    found = {what for case, expected, got in wrong for what in differing(expected, got) - set(case.uncompared)}
    if not found or not found.isdisjoint({RESULT, ARGUMENTS}):
        return ""
    return f" in {', '.join([channel_words(channel) for channel in plainest(found)][:_MOST_NAMED])}"


def _is_right(case: Case, expected: Outcome, got: Outcome) -> bool:
    return same_outcome(expected, got, value_only=case.value_only, uncompared=case.uncompared)


def _clearest(wrong: list[Compared]) -> Compared:
    """Pick the failure with the shortest call. If all processes died, pick the first: later calls may not have run."""
    alive = [entry for entry in wrong if not isinstance(entry[2], Died)]
    return min(alive, key=_difficulty, default=wrong[0])


def _difficulty(compared: Compared) -> tuple[bool, int]:
    """Order failures by how hard they are to see: other values first, then short calls."""
    case, expected, got = compared
    same_values = differing(expected, got).isdisjoint({RESULT, ARGUMENTS})
    return same_values, len(render_call("", case.input, _LONGEST_CALL))


def proves_something(outcome: Outcome) -> bool:
    """Return whether a candidate can be held to an outcome."""
    return isinstance(outcome, (Returned, Raised))


def status_of(expected: Outcome, got: Outcome) -> Status:
    """Return what to call it when `got` came where `expected` should have."""
    if isinstance(got, TimedOut):
        return "timeout"
    crashed = isinstance(got, Died) or (isinstance(got, Raised) and isinstance(expected, Returned))
    return "error" if crashed else "failed"


def failure_of(call: str, expected: Outcome, got: Outcome, uncompared: Collection[str] = ()) -> Failure:
    """Return the failure as a person would check it; arguments and effects are shown when only they differ."""
    wanted, came = render_outcome_pair(expected, got, uncompared)
    return Failure(
        where=call,
        expected=wanted,
        got=came,
        traceback=got.traceback if isinstance(got, Raised) else "",
    )


def _not_loaded(cases: tuple[Case, ...], result: CallsResult) -> Replay:
    outcome = result.failure
    text = render_outcome(outcome) if outcome is not None else "it does not"
    if isinstance(outcome, Raised) and outcome.type == NOT_LIVE:
        return Replay(outcomes=(), status="refused", reason=f"it would not run: {outcome.message}")
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

"""The second gate: the user's own tests, run beside the candidate and held against how they ended on the original.

What goes wrong may be the machine's doing, or a test's that changes its mind: it is confirmed, by running the candidate
again and the original beside it, before it rejects anything (`confirming.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import Limits, SuiteJob, TestReport
from codeens_sandbox_backends.programs import Program, Raised, TimedOut
from codeens_sandbox_backends.values.render import render_outcome
from codeens_server.domain.evidence import Evidence
from codeens_server.domain.terms import Mode, Status
from codeens_server.domain.verdict import Failure
from codeens_server.judging.confirming import Confirmation, SuiteRuns, confirm, failing


class SuiteVerdict(Struct, frozen=True, kw_only=True):
    """How many of the tests that must pass did."""

    status: Status = "passed"
    passed: int = 0
    total: int = 0
    reason: str = ""
    failure: Failure | None = None
    set_aside: tuple[str, ...] = ()
    """Tests that ended in different ways on the same code, and so count for nothing."""


def required(tests: tuple[TestReport, ...], mode: Mode) -> list[TestReport]:
    """Return tests that a candidate must pass: those the original passes; in repair also those it fails."""
    wanted = {"passed"} if mode == "improve" else {"passed", "failed", "error"}
    return [test for test in tests if test.outcome in wanted]


async def run_suite(
    root: str,
    programs: SuiteRuns,
    tests: tuple[TestReport, ...],
    mode: Mode,
    sandbox: Sandbox,
    limits: Limits | None = None,
) -> SuiteVerdict:
    """Run the tests on a candidate's program.

    Args:
        root: the workspace.
        programs: the candidate's program, and the original's, which tells whose fault it is when tests fail.
        tests: how the tests ended on the original.
        mode: decides which of them a candidate must pass.
        sandbox: where they run.
        limits: of one run; None, those of the sandbox.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    wanted = required(tests, mode)
    if not wanted:
        return SuiteVerdict()
    job = _job(root, programs.candidate, wanted, limits)
    selection = job.selection
    first = await sandbox.run(job)
    if first.peeked and not (await sandbox.run(structs.replace(job, program=programs.original))).peeked:
        return _peeked(len(selection), first.peeked)
    if first.failure is None and not failing(selection, first):
        return SuiteVerdict(passed=len(selection), total=len(selection))
    passing = frozenset(test.id for test in wanted if test.outcome == "passed")
    return _verdict(selection, await confirm(job, programs.original, first, passing, sandbox))


async def passes_once(root: str, program: Program, evidence: Evidence, sandbox: Sandbox) -> bool:
    """Return whether one run of the tests that must pass does; whose fault it is otherwise is not asked.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    job = _job(root, program, required(evidence.tests, evidence.mode), evidence.limits)
    result = await sandbox.run(job)
    return result.failure is None and not failing(job.selection, result)


def _job(root: str, program: Program, wanted: list[TestReport], limits: Limits | None) -> SuiteJob:
    selection = tuple(dict.fromkeys(test.id for test in wanted))
    return SuiteJob(kind="pytest", root=root, program=program, selection=selection, limits=limits)


def _verdict(selection: tuple[str, ...], found: Confirmation) -> SuiteVerdict:
    total = len(selection) - len(found.set_aside)
    passed = total - len(found.wrong)
    if found.ending is not None:
        return _broken_off(passed, total, found)
    if not found.wrong:
        return SuiteVerdict(passed=passed, total=total, set_aside=found.set_aside)
    test, report = next(iter(found.wrong.items()))
    got = "it was not run" if report is None else f"{report.outcome}: {report.message}".strip(": ")
    return SuiteVerdict(
        status="error" if report is not None and report.outcome == "error" else "failed",
        passed=passed,
        total=total,
        reason=f"fails {len(found.wrong)} of {total} tests, first {test}",
        failure=Failure(where=test, expected="passed", got=got),
        set_aside=found.set_aside,
    )


def _peeked(total: int, files: Sequence[str]) -> SuiteVerdict:
    reason = f"it opens the tests, where the answers are: {', '.join(files)}"
    failure = Failure(where="the test suite", expected="it opens no file of tests", got=reason)
    return SuiteVerdict(status="failed", total=total, reason=reason, failure=failure)


def _broken_off(passed: int, total: int, found: Confirmation) -> SuiteVerdict:
    ending = found.ending
    text = "" if ending is None else render_outcome(ending)
    return SuiteVerdict(
        status="timeout" if isinstance(ending, TimedOut) else "error",
        passed=max(0, min(passed, total - 1)),
        total=total,
        reason=f"its tests did not run to their end, as they do on the original: {text}",
        failure=Failure(
            where="the test suite",
            expected="it runs to its end",
            got=text,
            traceback=ending.traceback if isinstance(ending, Raised) else "",
        ),
        set_aside=found.set_aside,
    )

"""The second gate: the user's own tests, run beside the candidate and held against how they ended on the original."""

from __future__ import annotations

from msgspec import Struct

from codeens_sandbox_backends.base import (
    Limits,
    Outcome,
    Program,
    Raised,
    Sandbox,
    SuiteJob,
    SuiteResult,
    TestReport,
    TimedOut,
)
from codeens_sandbox_backends.values.render import render_outcome
from codeens_server.domain import Failure, Mode, Status


class SuiteVerdict(Struct, frozen=True, kw_only=True):
    """How many of the tests that must pass did."""

    status: Status = "passed"
    passed: int = 0
    total: int = 0
    reason: str = ""
    failure: Failure | None = None


def required(tests: tuple[TestReport, ...], mode: Mode) -> list[TestReport]:
    """Return tests that a candidate must pass: those the original passes; in repair also those it fails."""
    wanted = {"passed"} if mode == "improve" else {"passed", "failed", "error"}
    return [test for test in tests if test.outcome in wanted]


async def run_suite(
    root: str, program: Program, tests: tuple[TestReport, ...], mode: Mode, sandbox: Sandbox
) -> SuiteVerdict:
    """Run the tests on a candidate's program.

    A suite that does not run to its end is the candidate's failure: it did on the original.

    Raises:
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    wanted = required(tests, mode)
    if not wanted:
        return SuiteVerdict()
    job = SuiteJob(
        kind="pytest",
        root=root,
        program=program,
        selection=tuple(dict.fromkeys(test.id for test in wanted)),
        limits=_limits(wanted),
    )
    return _compare(wanted, await sandbox.run(job))


def _limits(tests: list[TestReport]) -> Limits | None:
    """Return more time than the sandbox gives by default, where the tests took long on the original."""
    seconds = 10.0 + 4.0 * sum(test.seconds for test in tests)
    return Limits(wall_s=seconds, cpu_s=seconds) if seconds > 2 * Limits().wall_s else None


def _compare(wanted: list[TestReport], result: SuiteResult) -> SuiteVerdict:
    reports = {report.id: report for report in result.tests}
    wrong = [test.id for test in wanted if test.id not in reports or reports[test.id].outcome != "passed"]
    passed = len(wanted) - len(wrong)
    if not wrong and result.failure is None:
        return SuiteVerdict(passed=passed, total=len(wanted))
    if result.failure is not None:
        return _broken_off(passed, len(wanted), result.failure)
    first = reports.get(wrong[0])
    got = "it was not run" if first is None else f"{first.outcome}: {first.message}".strip(": ")
    return SuiteVerdict(
        status="error" if first is not None and first.outcome == "error" else "failed",
        passed=passed,
        total=len(wanted),
        reason=f"fails {len(wrong)} of {len(wanted)} tests, first {wrong[0]}",
        failure=Failure(where=wrong[0], expected="passed", got=got),
    )


def _broken_off(passed: int, total: int, ending: Outcome) -> SuiteVerdict:
    text = render_outcome(ending)
    timeout = isinstance(ending, TimedOut)
    return SuiteVerdict(
        status="timeout" if timeout else "error",
        passed=min(passed, total - 1),
        total=total,
        reason=f"its tests did not run to their end, as they do on the original: {text}",
        failure=Failure(
            where="the test suite",
            expected="it runs to its end",
            got=text,
            traceback=ending.traceback if isinstance(ending, Raised) else "",
        ),
    )

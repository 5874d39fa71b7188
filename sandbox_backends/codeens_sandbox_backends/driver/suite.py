"""Runs a `SuiteJob`. What ended before a limit or a crash is kept."""

from __future__ import annotations

from time import monotonic

from codeens_sandbox_backends.driver.launcher import Launcher
from codeens_sandbox_backends.driver.session import UsageTotals, WorkerLost, WorkerSession
from codeens_sandbox_backends.driver.wire import SuiteEnd, SuiteMessage
from codeens_sandbox_backends.jobs import Limits, RecordedCall, SuiteJob, SuiteResult, TestReport
from codeens_sandbox_backends.programs import Died, Outcome, TimedOut
from codeens_sandbox_backends.values.check import well_formed_input, well_formed_outcome


def run_suite(launcher: Launcher, job: SuiteJob, limits: Limits) -> SuiteResult:
    """Return all tests that ended, in order, and what the target was called with meanwhile."""
    suite = _Suite(job)
    totals = UsageTotals(limits)
    session = WorkerSession(launcher, "suite", limits, totals)
    deadline = monotonic() + limits.wall_s
    failure: Outcome | None = None
    try:
        suite.listen(session, deadline)
        failure = suite.failure
    except WorkerLost as lost:
        failure = session.explain(lost, TimedOut(limit="wall", seconds=limits.wall_s))
    finally:
        totals.look()
        session.end()
    return SuiteResult(
        tests=tuple(suite.tests),
        recorded=tuple(suite.recorded),
        recorded_dropped=suite.dropped,
        unencodable_types=suite.unencodable,
        modules=suite.modules,
        peeked=suite.peeked,
        failure=failure,
        usage=totals.usage,
        stdout=totals.stdout,
        stderr=totals.stderr,
    )


class _Suite:
    def __init__(self, job: SuiteJob) -> None:
        self._job = job
        self.tests: list[TestReport] = []
        self.recorded: list[RecordedCall] = []
        self.dropped = 0
        self.unencodable: tuple[str, ...] = ()
        self.modules: tuple[str, ...] = ()
        self.peeked: tuple[str, ...] = ()
        self.failure: Outcome | None = None

    def listen(self, session: WorkerSession, deadline: float) -> None:
        """Start the suite and take its messages until the last.

        Raises:
            WorkerLost: The suite did not get to its end.
        """
        job = self._job
        request = {
            "kind": job.kind,
            "root": job.root,
            "program": job.program,
            "selection": job.selection,
            "deselect": job.deselect,
            "record": job.record,
            "max_recorded": job.max_recorded,
        }
        session.send({"op": "suite", "nonce": session.nonce, **request}, deadline)
        while True:
            message = session.receive(SuiteMessage, deadline)
            if message.test is not None:
                self.tests.append(message.test)
            elif message.recorded is not None:
                self._record(message.recorded)
            elif message.end is not None:
                self._end(message.end)
                return
            else:
                raise WorkerLost("protocol", "the suite said nothing")

    def _record(self, call: RecordedCall) -> None:
        if not well_formed_input(call.input) or not well_formed_outcome(call.outcome):
            raise WorkerLost("protocol", "a recorded call holds something that is not an encoded value")
        if len(self.recorded) >= self._job.max_recorded:
            raise WorkerLost("protocol", "more calls were recorded than asked for")
        self.recorded.append(call)

    def _end(self, end: SuiteEnd) -> None:
        self.dropped = max(0, end.dropped)
        self.unencodable = end.unencodable
        self.modules = end.modules
        self.peeked = end.peeked
        failure = end.failure
        self.failure = Died(reason="exit", detail=failure) if isinstance(failure, str) else failure

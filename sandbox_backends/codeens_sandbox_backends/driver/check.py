"""Runs a `CheckJob`: the tests in one process, the function in another, the judge between them.

Where the calls are known from an earlier candidate they are made in one batch before the tests run, which are then
given the answers. Answers that have passed before need no tests. A test that goes another way than prefetch is run
again from the start, one call at a time: the function may remember the calls that were made in vain.
"""

from __future__ import annotations

from time import monotonic
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, structs

from codeens_sandbox_backends.base import CallInput, CheckJob, CheckResult, Limits, Outcome, Raised, Returned, TimedOut
from codeens_sandbox_backends.driver.answers import receive_change
from codeens_sandbox_backends.driver.launcher import Launcher
from codeens_sandbox_backends.driver.prefetch import CallPrefetch, PredictedCalls
from codeens_sandbox_backends.driver.session import Lost, Session, UsageTotals
from codeens_sandbox_backends.driver.wire import CheckMessage, GuessedCalls
from codeens_sandbox_backends.values.check import well_formed_input

_Known = Returned | Raised
_GUESS_S = 0.5
"""A guess saves no more than that."""
_END_S = 2.0
_GIVE_UP_S = 0.5


class _Advance(NamedTuple):
    """What calls that were made in advance came to."""

    known: list[tuple[CallInput, _Known]]
    end: tuple[CallInput, Outcome] | None
    """The call after these, and what kept it from returning or raising; None where all did."""


class _Astray(Exception):
    """The tests did not make the calls that were prefetch."""


def run_check(launcher: Launcher, job: CheckJob, limits: Limits, prefetch: CallPrefetch | None = None) -> CheckResult:
    """Passed only when the tests ran to their end and raised nothing."""
    known = prefetch or CallPrefetch()
    ledger = UsageTotals(limits)
    deadline = monotonic() + limits.wall_s
    tests = _Tests(launcher, job, limits, ledger, known.seed)
    try:
        foresight = known.calls(job)
        if foresight is None:
            foresight = tests.guess() if prefetch else PredictedCalls()
        check = _Check(tests, launcher, limits, ledger, deadline)
        astray = False
        try:
            failure = check.run(foresight, known)
        except _Astray:
            astray, foresight = True, PredictedCalls()
            tests.give_up()
            check = _Check(tests, launcher, limits, ledger, deadline)
            failure = check.run(foresight, known)
    finally:
        tests.end()
    made = [*foresight.calls[: check.used], *check.asked]
    if check.tested:
        known.learn(job, made, passed=failure is None, wrong=astray)
        if failure is None and check.said and len(made) == len(foresight.calls):
            known.learn_right(job, foresight, check.said)
    return CheckResult(passed=failure is None, failure=failure, calls=len(made), usage=ledger.usage)


class _Tests:
    """The process that runs the tests."""

    def __init__(self, launcher: Launcher, job: CheckJob, limits: Limits, ledger: UsageTotals, seed: int) -> None:
        self.job = job
        self._launcher = launcher
        # The tests are no candidate's: only the time that the whole job has bounds them.
        self._limits = structs.replace(limits, cpu_s=limits.wall_s)
        self._ledger = ledger
        self._request = {"tests": job.tests, "prelude": job.prelude, "name": job.name, "seed": seed}
        self._session: Session | None = None
        self._open = False

    def ask(self, deadline: float, **request: Any) -> Session:
        """Send a request that names the tests, to the process that is there or to a new one.

        Raises:
            Lost: it was not taken before the deadline.
        """
        if self._session is None:
            self._session = Session(self._launcher, "check", self._limits, self._ledger)
        self._open = True
        self._session.send({"nonce": self._session.nonce, **self._request, **request}, deadline)
        return self._session

    def settled(self) -> None:
        """What was asked for has been answered."""
        self._open = False

    def guess(self) -> PredictedCalls:
        """What calls the tests make where they like all answers; not waited for long."""
        deadline = monotonic() + min(_GUESS_S, self._limits.wall_s / 4)
        try:
            guessed = self.ask(deadline, op="foresee").receive(GuessedCalls, deadline)
        except Lost:
            self._end(0.0)
            return PredictedCalls()
        self.settled()
        well_formed = all(well_formed_input(call) for call in guessed.calls)
        return PredictedCalls(guessed.calls, guessed.whole) if well_formed else PredictedCalls()

    def explain(self, lost: Lost, late: TimedOut) -> Outcome:
        """What the loss of the process means; it is ended."""
        self._open = False
        return self._session.explain(lost, late) if self._session else late

    def give_up(self) -> None:
        """Have tests that wait for the outcome of a call wait for another request, or end the process."""
        if self._session is not None and self._open:
            deadline = monotonic() + _GIVE_UP_S
            try:
                self._session.send({"op": "give_up"}, deadline)
                self._open = not self._session.receive(CheckMessage, deadline).given_up
            except Lost:
                pass
            if self._open:
                self._end(0.0)

    def end(self) -> None:
        """See the process off, at rest where it can be brought to it."""
        self.give_up()
        self._end(_END_S)

    def _end(self, wait_s: float) -> None:
        if self._session is not None:
            self._session.end(wait_s)
            self._session = None
            self._open = False


class _Check:
    """One pass of the tests."""

    def __init__(self, tests: _Tests, launcher: Launcher, limits: Limits, ledger: UsageTotals, deadline: float) -> None:
        self.tested = False
        """Whether the tests were begun."""
        self.used = 0
        """How many of the calls that were made in advance the tests made too."""
        self.asked: list[CallInput] = []
        """Calls that the tests made besides."""
        self.said = b""
        """All that the worker said, where it has ended with the calls that were prefetch."""
        self._tests = tests
        self._launcher = launcher
        self._limits = limits
        self._ledger = ledger
        self._deadline = deadline
        self._no_more = False
        """Whether the worker has ended with the calls that were prefetch."""

    def run(self, foresight: PredictedCalls, prefetch: CallPrefetch) -> Outcome | None:
        """None when the tests pass, or have passed with the same answers; else what kept them from it.

        Raises:
            _Astray: the tests make other calls than these.
        """
        worker = Session(self._launcher, "calls", self._limits, self._ledger)
        self._no_more = foresight.whole
        try:
            failure = self._load(worker, foresight)
            self.said = worker.said
            if self.said and prefetch.is_right(self._tests.job, foresight, self.said):
                self.used = len(foresight.calls)
                return None
            return failure if failure is not None else self._test(worker, self._in_advance(worker, foresight.calls))
        finally:
            worker.end()

    def _load(self, worker: Session, foresight: PredictedCalls) -> Outcome | None:
        calls = {"op": "calls", "inputs": foresight.calls, "first": 0, "last": foresight.whole}
        try:
            return worker.load(
                {"program": self._tests.job.program}, self._deadline, (calls,) if foresight.calls else ()
            )
        except Lost as lost:
            return worker.explain(lost, self._late("wall"))

    def _in_advance(self, worker: Session, calls: tuple[CallInput, ...]) -> _Advance:
        """The outcomes of the calls that were asked for with the program, up to the first that is not known."""
        known: list[tuple[CallInput, _Known]] = []
        try:
            for index, call in enumerate(calls):
                outcome = receive_change(worker, index, self._call_deadline())
                if not isinstance(outcome, _Known):
                    return _Advance(known, (call, outcome))
                known.append((call, outcome))
        except Lost as lost:
            return _Advance(known, (calls[len(known)], worker.explain(lost, self._late_now())))
        return _Advance(known, None)

    def _test(self, worker: Session, advance: _Advance) -> Outcome | None:
        self.tested = True
        try:
            session = self._tests.ask(self._deadline, op="check", known=advance.known)
            return self._converse(worker, session, advance)
        except Lost as lost:
            return self._tests.explain(lost, self._late("wall"))

    def _converse(self, worker: Session, tests: Session, advance: _Advance) -> Outcome | None:
        while True:
            message = tests.receive(CheckMessage, self._deadline)
            self.used = min(message.used, len(advance.known))
            if message.astray or message.verdict is not UNSET:
                self._tests.settled()
            if message.astray:
                raise _Astray
            if message.verdict is not UNSET:
                return message.verdict
            if message.call is None or not well_formed_input(message.call):
                raise Lost("protocol", "the tests neither called nor came to an end")
            outcome = self._call(worker, message.call, advance)
            if not isinstance(outcome, _Known):
                return outcome
            tests.send({"outcome": outcome}, self._deadline)

    def _call(self, worker: Session, call: CallInput, advance: _Advance) -> Outcome:
        """One call that was not answered in advance."""
        if advance.end is not None:
            if not _same(call, advance.end[0]):
                raise _Astray
            self.asked.append(call)
            return advance.end[1]
        if self._no_more:
            raise _Astray
        index = len(advance.known) + len(self.asked)
        self.asked.append(call)
        deadline = self._call_deadline()
        try:
            worker.send({"op": "calls", "inputs": [call], "first": index, "last": False}, deadline)
            return receive_change(worker, index, deadline)
        except Lost as lost:
            return worker.explain(lost, self._late_now())

    def _call_deadline(self) -> float:
        return min(self._deadline, monotonic() + self._limits.call_s)

    def _late_now(self) -> TimedOut:
        return self._late("wall" if monotonic() >= self._deadline else "call")

    def _late(self, limit: Literal["wall", "call"]) -> TimedOut:
        return TimedOut(limit=limit, seconds=self._limits.wall_s if limit == "wall" else self._limits.call_s)


def _same(a: CallInput, b: CallInput) -> bool:
    """As texts: values of different types may be equal."""
    return msgspec.json.encode(a) == msgspec.json.encode(b)

"""Runs a `CheckJob`: the tests in one process, the function in another, the judge between them.

Where the calls are known from an earlier candidate they are made before the tests run, which are then given the
answers. A call that may be made of a right answer to an earlier one, or tells it, is not sent before that is answered.
Answers that have passed before need no tests. Tests that go another way than predicted are run again from the start:
the function may remember the calls that were made in vain. Tests that look at a clock call as they go, so that they
see what the calls take.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from time import monotonic
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, structs

from codeens_sandbox_backends.driver.answers import receive_change
from codeens_sandbox_backends.driver.launcher import Launcher
from codeens_sandbox_backends.driver.prefetch import CallPrefetch, PredictedCalls, looks_at_clock
from codeens_sandbox_backends.driver.session import UsageTotals, WorkerLost, WorkerSession
from codeens_sandbox_backends.driver.wire import CheckMessage, GuessedCalls
from codeens_sandbox_backends.jobs import CheckJob, CheckResult, Limits
from codeens_sandbox_backends.programs import CallInput, Outcome, Raised, Returned, TimedOut
from codeens_sandbox_backends.values.check import well_formed_input
from codeens_sandbox_backends.values.telling import telling

_Known = Returned | Raised
_GUESS_S = 0.5
"""A guess saves no more than that."""
_END_S = 2.0
_GIVE_UP_S = 0.5


class _Advance(NamedTuple):
    """Outcomes of the calls that were made before the tests ran."""

    known: list[tuple[CallInput, _Known]]
    end: tuple[CallInput, Outcome] | None
    """The call after these, and what kept it from returning or raising; None where all did."""


class _Mispredicted(Exception):
    """The tests did not make the predicted calls."""


def run_check(launcher: Launcher, job: CheckJob, limits: Limits, prefetch: CallPrefetch | None = None) -> CheckResult:
    """Run the tests; passed only if they ran to their end and raised nothing."""
    known = prefetch or CallPrefetch()
    totals = UsageTotals(limits)
    deadline = monotonic() + limits.wall_s
    tests = _Tests(launcher, job, limits, totals, known.seed)
    try:
        predicted = PredictedCalls() if looks_at_clock(job) else known.calls(job)
        if predicted is None:
            predicted = tests.guess() if prefetch else PredictedCalls()
        check = _Check(tests, launcher, limits, totals, deadline)
        mispredicted = False
        try:
            failure = check.run(predicted, known)
        except _Mispredicted:
            mispredicted, predicted = True, PredictedCalls()
            tests.give_up()
            check = _Check(tests, launcher, limits, totals, deadline)
            failure = check.run(predicted, known)
    finally:
        tests.end()
    if check.tested:
        made = check.made(predicted, whole=failure is None and not mispredicted)
        known.learn(job, made, passed=failure is None, wrong=mispredicted)
        if failure is None:
            known.learn_right(job, made, check.answers)
    calls = check.used + len(check.asked)
    return CheckResult(passed=failure is None and calls > 0, failure=failure, calls=calls, usage=totals.usage)


class _Tests:
    """The process that runs the tests."""

    def __init__(self, launcher: Launcher, job: CheckJob, limits: Limits, totals: UsageTotals, seed: int) -> None:
        self.job = job
        self._launcher = launcher
        # The tests are no candidate's: only the time that the whole job has bounds them.
        self._limits = structs.replace(limits, cpu_s=limits.wall_s)
        self._totals = totals
        self._request = {"tests": job.tests, "prelude": job.prelude, "name": job.name, "seed": seed}
        self._session: WorkerSession | None = None
        self._open = False

    def ask(self, deadline: float, **request: Any) -> WorkerSession:
        """Send a request that names the tests, to the process that is there or to a new one.

        Raises:
            WorkerLost: it was not taken before the deadline.
        """
        if self._session is None:
            self._session = WorkerSession(self._launcher, "check", self._limits, self._totals)
        self._open = True
        self._session.send({"nonce": self._session.nonce, **self._request, **request}, deadline)
        return self._session

    def settled(self) -> None:
        """Note that the last request has been answered."""
        self._open = False

    def guess(self) -> PredictedCalls:
        """Guess the tests' calls by running them against answers that agree with everything; do not wait long."""
        deadline = monotonic() + min(_GUESS_S, self._limits.wall_s / 4)
        try:
            guessed = self.ask(deadline, op="guess").receive(GuessedCalls, deadline)
        except WorkerLost:
            self._end(0.0)
            return PredictedCalls()
        self.settled()
        well_formed = all(map(well_formed_input, guessed.calls)) and _are_places(guessed.waits, len(guessed.calls))
        if not well_formed:
            return PredictedCalls()
        return PredictedCalls(guessed.calls, guessed.whole, frozenset(guessed.waits))

    def explain(self, lost: WorkerLost, late: TimedOut) -> Outcome:
        """End the process, and return what its loss means."""
        self._open = False
        return self._session.explain(lost, late) if self._session else late

    def give_up(self) -> None:
        """Make tests that wait for an outcome wait for another request instead, or end the process."""
        if self._session is not None and self._open:
            deadline = monotonic() + _GIVE_UP_S
            try:
                self._session.send({"op": "give_up"}, deadline)
                self._open = not self._session.receive(CheckMessage, deadline).given_up
            except WorkerLost:
                pass
            if self._open:
                self._end(0.0)

    def end(self) -> None:
        """Stop the test process, left idle for reuse where possible."""
        self.give_up()
        self._end(_END_S)

    def _end(self, wait_s: float) -> None:
        if self._session is not None:
            self._session.end(wait_s)
            self._session = None
            self._open = False


class _Check:
    """One pass of the tests."""

    def __init__(self, tests: _Tests, launcher: Launcher, limits: Limits, totals: UsageTotals, deadline: float) -> None:
        self.tested = False
        """Whether the tests were begun."""
        self.used = 0
        """How many of the calls that were made in advance the tests made too."""
        self.asked: list[CallInput] = []
        """Calls that the tests made besides."""
        self.answers = b""
        """What was said to all calls; empty until the tests have passed."""
        self._tests = tests
        self._launcher = launcher
        self._limits = limits
        self._totals = totals
        self._deadline = deadline
        self._no_more = False
        """Whether the worker ended with the predicted calls."""
        self._known: list[tuple[CallInput, _Known]] = []
        self._heard: list[bytes] = []

    def run(self, predicted: PredictedCalls, prefetch: CallPrefetch) -> Outcome | None:
        """Return None if the tests pass, or have passed with the same answers; else the failure.

        Raises:
            _Mispredicted: the tests make other calls than these.
        """
        worker = WorkerSession(self._launcher, "calls", self._limits, self._totals)
        self._no_more = predicted.whole
        try:
            failure = self._load(worker, predicted)
            if failure is not None:
                return failure
            lost = self._await_all(worker, predicted)
            if self._is_right(predicted, prefetch, worker.said):
                return None
            advance = self._in_advance(worker, predicted, lost)
            self._known = advance.known
            is_all_said = predicted.whole and advance.end is None
            if is_all_said and self._is_right(predicted, prefetch, worker.as_said(self._heard)):
                return None
            failure = self._test(worker, advance)
            if failure is None:
                self.answers = worker.as_said(self._heard[: self.used + len(self.asked)])
            return failure
        finally:
            worker.end()

    def _is_right(self, predicted: PredictedCalls, prefetch: CallPrefetch, answers: bytes) -> bool:
        right = bool(answers) and prefetch.is_right(self._tests.job, predicted, answers)
        self.used = len(predicted.calls) if right else 0
        return right

    def made(self, predicted: PredictedCalls, *, whole: bool) -> PredictedCalls:
        """Return the calls that the tests made, to be predicted for the next candidate.

        Only what was predicted from tests that knew no answer may be sent ahead again, and of that no call which tells
        what was answered.
        """
        used = predicted.calls[: self.used]
        told = telling([call for call, _ in self._known], [answer for _, answer in self._known])
        asked = range(len(used), len(used) + len(self.asked))
        waits = {*(index for index in (*predicted.waits, *told) if index < len(used)), *asked} - {0}
        return PredictedCalls((*used, *self.asked), whole, frozenset(waits))

    def _load(self, worker: WorkerSession, predicted: PredictedCalls) -> Outcome | None:
        """Load the program, and ask for the first calls."""
        first = [_request(predicted, *batch) for batch in islice(predicted.batches(), 1)]
        try:
            found = worker.load(self._tests.job.program, self._deadline, first)
            return found if isinstance(found, Raised) else None
        except WorkerLost as lost:
            return worker.explain(lost, self._late("wall"))

    def _await_all(self, worker: WorkerSession, predicted: PredictedCalls) -> WorkerLost | None:
        """Have all predicted calls made, each batch when the one before it is answered; return what ended them."""
        if not predicted.waits:
            return None
        try:
            for first, calls in predicted.batches():
                if first:
                    worker.send(_request(predicted, first, calls), self._call_deadline())
                for _ in calls:
                    worker.await_another(self._call_deadline())
        except WorkerLost as lost:
            return lost
        return None

    def _in_advance(self, worker: WorkerSession, predicted: PredictedCalls, lost: WorkerLost | None) -> _Advance:
        """Return the outcomes of the predicted calls, up to the first that did not return or raise."""
        known: list[tuple[CallInput, _Known]] = []
        try:
            for index, call in enumerate(predicted.calls):
                outcome = receive_change(worker, index, 0.0 if lost else self._call_deadline())
                if not isinstance(outcome, _Known):
                    return _Advance(known, (call, outcome))
                known.append((call, outcome))
                self._heard.append(worker.payload)
        except WorkerLost as late:
            how = lost or late
            return _Advance(known, (predicted.calls[len(known)], worker.explain(how, self._late_now())))
        return _Advance(known, None)

    def _test(self, worker: WorkerSession, advance: _Advance) -> Outcome | None:
        self.tested = True
        try:
            session = self._tests.ask(self._deadline, op="check", known=advance.known)
            return self._converse(worker, session, advance)
        except WorkerLost as lost:
            return self._tests.explain(lost, self._late("wall"))

    def _converse(self, worker: WorkerSession, tests: WorkerSession, advance: _Advance) -> Outcome | None:
        while True:
            message = tests.receive(CheckMessage, self._deadline)
            self.used = min(message.used, len(advance.known))
            if message.mispredicted or message.verdict is not UNSET:
                self._tests.settled()
            if message.mispredicted:
                raise _Mispredicted
            if message.verdict is not UNSET:
                return message.verdict
            if message.call is None or not well_formed_input(message.call):
                raise WorkerLost("protocol", "the tests neither called nor came to an end")
            outcome = self._call(worker, message.call, advance)
            if not isinstance(outcome, _Known):
                return outcome
            tests.send({"outcome": outcome}, self._deadline)

    def _call(self, worker: WorkerSession, call: CallInput, advance: _Advance) -> Outcome:
        """Make one call that was not predicted."""
        if advance.end is not None:
            if not _same(call, advance.end[0]):
                raise _Mispredicted
            self.asked.append(call)
            return advance.end[1]
        if self._no_more:
            raise _Mispredicted
        index = len(advance.known) + len(self.asked)
        self.asked.append(call)
        deadline = self._call_deadline()
        try:
            worker.send({"op": "calls", "inputs": [call], "first": index, "last": False}, deadline)
            outcome = receive_change(worker, index, deadline)
        except WorkerLost as lost:
            return worker.explain(lost, self._late_now())
        self._heard.append(worker.payload)
        return outcome

    def _call_deadline(self) -> float:
        return min(self._deadline, self._totals.deadline(self._limits.call_s))

    def _late_now(self) -> TimedOut:
        return self._late("wall" if self._totals.is_past(self._deadline) else "call")

    def _late(self, limit: Literal["wall", "call"]) -> TimedOut:
        return TimedOut(limit=limit, seconds=self._limits.wall_s if limit == "wall" else self._limits.call_s)


def _are_places(waits: Sequence[int], count: int) -> bool:
    return all(0 < index < count for index in waits)


def _request(predicted: PredictedCalls, first: int, calls: Sequence[CallInput]) -> dict[str, Any]:
    last = predicted.whole and first + len(calls) == len(predicted.calls)
    return {"op": "calls", "inputs": calls, "first": first, "last": last}


def _same(a: CallInput, b: CallInput) -> bool:
    """Compare calls as texts: values of different types may be equal."""
    return msgspec.json.encode(a) == msgspec.json.encode(b)

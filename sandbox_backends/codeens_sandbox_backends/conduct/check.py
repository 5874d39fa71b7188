"""Runs a `CheckJob`: the tests in one process, the function in another, the judge between them."""

from __future__ import annotations

from time import monotonic
from typing import Literal

import msgspec
from msgspec import UNSET, structs

from codeens_sandbox_backends.base import (
    CallInput,
    CheckJob,
    CheckResult,
    Limits,
    Outcome,
    Raised,
    Returned,
    TimedOut,
)
from codeens_sandbox_backends.conduct.answers import receive_answer
from codeens_sandbox_backends.conduct.launch import Launcher
from codeens_sandbox_backends.conduct.session import Ledger, Lost, Session
from codeens_sandbox_backends.conduct.trees import well_formed_input
from codeens_sandbox_backends.conduct.wire import CheckMessage


def run_check(launcher: Launcher, job: CheckJob, limits: Limits) -> CheckResult:
    """Passed only when the tests ran to their end and raised nothing."""
    ledger = Ledger(limits)
    player = Session(launcher, "play", limits, ledger)
    try:
        tests = Session(launcher, "check", limits, ledger)
        try:
            check = _Check(player, tests, limits)
            failure = check.run(job)
        finally:
            tests.end()
    finally:
        player.end()
    return CheckResult(passed=failure is None, failure=failure, calls=check.calls, usage=ledger.usage)


class _Check:
    def __init__(self, player: Session, tests: Session, limits: Limits) -> None:
        self.calls = 0
        self._player = player
        self._tests = tests
        self._limits = limits
        self._deadline = monotonic() + limits.wall_s

    def run(self, job: CheckJob) -> Outcome | None:
        """None when the tests pass, else what kept them from it."""
        try:
            failure = self._player.load({"program": job.program}, self._deadline)
        except Lost as lost:
            failure = self._player.explain(lost, self._late("wall"))
        if failure is not None:
            return failure
        try:
            return self._converse(job)
        except Lost as lost:
            return self._tests.explain(lost, self._late("wall"))

    def _converse(self, job: CheckJob) -> Outcome | None:
        request = {"tests": job.tests, "prelude": job.prelude, "name": job.name}
        self._tests.send({"op": "check", "nonce": self._tests.nonce, **request}, self._deadline)
        while True:
            message = self._tests.receive(CheckMessage, self._deadline)
            if message.verdict is not UNSET:
                return message.verdict
            if message.call is None or not well_formed_input(message.call):
                raise Lost("protocol", "the tests neither called nor came to an end")
            outcome = self._call(message.call)
            if not isinstance(outcome, (Returned, Raised)):
                return outcome
            self._tests.send({"outcome": _unchanged_left_out(outcome, message.call)}, self._deadline)

    def _call(self, call: CallInput) -> Outcome:
        """One call of the function, in its own process."""
        index = self.calls
        self.calls += 1
        deadline = min(self._deadline, monotonic() + self._limits.call_s)
        try:
            self._player.send({"op": "calls", "inputs": [call], "first": index}, deadline)
            outcome, _ = receive_answer(self._player, call, index, deadline)
        except Lost as lost:
            late = self._late("wall" if monotonic() >= self._deadline else "call")
            return self._player.explain(lost, late)
        return outcome

    def _late(self, limit: Literal["wall", "call"]) -> TimedOut:
        return TimedOut(limit=limit, seconds=self._limits.wall_s if limit == "wall" else self._limits.call_s)


def _unchanged_left_out(outcome: Returned | Raised, call: CallInput) -> Returned | Raised:
    """The caller's objects are left alone where the call did not change them."""
    before, after = msgspec.json.encode((call.args, call.kwargs)), msgspec.json.encode((outcome.args, outcome.kwargs))
    return structs.replace(outcome, args=(), kwargs={}) if before == after else outcome

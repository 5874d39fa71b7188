"""Runs a `CallsJob`.

A call that hangs or kills its worker costs only itself: the calls after it go on in a fresh worker. After that has
happened `_RESTARTS` times the rest is not run and says so. `Limits.wall_s` is for the job as a whole; watching (memory,
lines) happens after the outcomes are known, in workers of its own, with what is left of that time. Their output and use
of the machine are not in the result: they would be the watching's, not the code's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from time import monotonic
from typing import Any, Literal

from codeens_sandbox_backends.base import (
    CallInput,
    CallsJob,
    CallsResult,
    Died,
    Limits,
    Outcome,
    Program,
    Raised,
    Returned,
    TimedOut,
    Unencodable,
)
from codeens_sandbox_backends.driver.answers import receive_answer
from codeens_sandbox_backends.driver.launcher import Launcher
from codeens_sandbox_backends.driver.session import UsageTotals, WorkerLost, WorkerSession
from codeens_sandbox_backends.driver.wire import CoveredLines

_RESTARTS = 5


def run_calls(launcher: Launcher, job: CallsJob, limits: Limits) -> CallsResult:
    """Return one outcome per input, in order."""
    driver = _Calls(launcher, job.program, limits)
    outcomes = driver.outcomes(job.inputs)
    ran = [index for index, outcome in enumerate(outcomes) if isinstance(outcome, (Returned, Raised, Unencodable))]
    peaks = driver.peaks(job.inputs, ran) if job.memory and driver.loaded else ()
    lines = driver.lines([job.inputs[index] for index in ran]) if job.coverage and driver.loaded else None
    return CallsResult(
        outcomes=tuple(outcomes),
        loaded=driver.loaded,
        usage=driver.totals.usage,
        stdout=driver.totals.stdout,
        stderr=driver.totals.stderr,
        peak_bytes=peaks,
        lines_hit=lines.hit if lines else (),
        lines_total=lines.total if lines else (),
    )


class _Calls:
    def __init__(self, launcher: Launcher, program: Program, limits: Limits) -> None:
        self.totals = UsageTotals(limits)
        self.loaded = False
        self._launcher = launcher
        self._program = program
        self._limits = limits
        self._deadline = monotonic() + limits.wall_s

    def outcomes(self, inputs: tuple[CallInput, ...]) -> list[Outcome]:
        """Return the outcomes of all inputs."""
        outcomes: list[Outcome] = []
        for _ in range(_RESTARTS + 1):
            failure = self._go_on(inputs, outcomes)
            if failure is None and self._over():
                failure = self._late()
            if failure is not None:
                outcomes += [failure] * (len(inputs) - len(outcomes))
            if len(outcomes) == len(inputs):
                return outcomes
        why = Died(reason="exit", detail=f"not run: the program hung or died {_RESTARTS + 1} times before")
        return outcomes + [why] * (len(inputs) - len(outcomes))

    def _go_on(self, inputs: tuple[CallInput, ...], outcomes: list[Outcome]) -> Outcome | None:
        """Append outcomes of the inputs that have none yet, up to the first call that hangs or dies.

        Returns:
            What kept the program from being loaded, None where it was.
        """
        session = WorkerSession(self._launcher, "calls", self._limits, self.totals)
        loaded = False
        try:
            left = inputs[len(outcomes) :]
            calls = _request(left, len(outcomes), last=True)
            failure = session.load({"program": self._program}, self._deadline, (calls,))
            if failure is not None:
                return failure
            loaded = self.loaded = True
            for outcome, _ in self._answers(session, left, len(outcomes)):
                outcomes.append(outcome)
        except WorkerLost as lost:
            outcome = session.explain(lost, self._late())
            if not loaded:
                return outcome
            outcomes.append(outcome)
        finally:
            session.end()
        return None

    def peaks(self, inputs: Sequence[CallInput], ran: Sequence[int]) -> tuple[int, ...]:
        """Return the peak of traced bytes per input, 0 for a call that did not end; empty if unknown."""
        peaks = [0] * len(inputs)
        session = self._watched()
        try:
            repeated = [inputs[index] for index in ran]
            load = {"program": self._program, "watch": "memory"}
            if session.load(load, self._deadline, (_request(repeated, 0, last=True),)) is not None:
                return ()
            answers = self._answers(session, repeated, 0)
            for index, (_, peak) in zip(ran, answers, strict=True):
                peaks[index] = peak
        except WorkerLost:
            return ()
        finally:
            session.end()
        return tuple(peaks)

    def lines(self, inputs: Sequence[CallInput]) -> CoveredLines | None:
        """Return the lines of the function that these inputs run; None if unknown."""
        folder = coverage_folder()
        if folder is None:
            return None
        session = self._watched()
        try:
            load = {"program": self._program, "watch": "lines", "coverage": folder}
            if session.load(load, self._deadline, (_request(inputs, 0, last=False),)) is not None:
                return None
            for _ in self._answers(session, inputs, 0):
                pass
            session.send({"op": "lines"}, self._deadline)
            return session.receive(CoveredLines, self._deadline)
        except WorkerLost:
            return None
        finally:
            session.end()

    def _watched(self) -> WorkerSession:
        return WorkerSession(self._launcher, "calls", self._limits, UsageTotals(self._limits))

    def _answers(
        self, session: WorkerSession, inputs: Sequence[CallInput], first: int
    ) -> Iterator[tuple[Outcome, int]]:
        for index, call in enumerate(inputs, first):
            deadline = min(self._deadline, monotonic() + self._limits.call_s)
            yield receive_answer(session, call, index, deadline)

    def _over(self) -> bool:
        return monotonic() >= self._deadline

    def _late(self) -> TimedOut:
        """Return the limit that a missing answer has exceeded by now."""
        limit: Literal["wall", "call"] = "wall" if self._over() else "call"
        return TimedOut(limit=limit, seconds=self._limits.wall_s if limit == "wall" else self._limits.call_s)


def _request(inputs: Sequence[CallInput], first: int, *, last: bool) -> dict[str, Any]:
    return {"op": "calls", "inputs": inputs, "first": first, "last": last}


@cache
def coverage_folder() -> str | None:
    """Return the folder of the `coverage` package of this interpreter.

    A sandbox in which it is not readable reports no lines.
    """
    spec = find_spec("coverage")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return folders[0] if folders else None

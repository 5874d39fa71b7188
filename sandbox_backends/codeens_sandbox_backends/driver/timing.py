"""Runs a `TimingJob`: two programs, interleaved, with the clock outside both.

Per pair each side gets a fresh worker, per sample a fork of it, and between two samples of one side lies one of the
other; which goes first changes from sample to sample. The clock runs from before `go` is sent until `done` has come, so
it holds one round trip, the same on both sides. After each sample the outputs of a pass drawn at random are asked for;
what differs from the first sample's replaces it in the result, so that no sample is fast by being wrong unseen.
Code can stop that clock itself. So each worker's first sample is timed whole, from the inputs to the last output: a
fresh process that has never seen the inputs can neither have worked before nor go on working afterwards. A stall only
ever adds to such a pass, so that the quickest ones tell; on a busy machine more of them are taken until they do.
`Limits.wall_s` is for each sample, `TimingJob.budget_s` for the run.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from math import ceil
from time import monotonic, perf_counter
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from codeens_sandbox_backends.base import CallInput, Limits, Outcome, TimedOut, TimingJob, TimingPair, TimingResult
from codeens_sandbox_backends.driver.answers import checked
from codeens_sandbox_backends.driver.launcher import ExitStatus, Launcher
from codeens_sandbox_backends.driver.session import UsageTotals, WorkerLost, WorkerSession, death
from codeens_sandbox_backends.driver.wire import SampleAnswer
from codeens_sandbox_backends.worker.values.codec import is_mutable

Name: TypeAlias = Literal["a", "b"]
_FEWEST_PAIRS = 3
_COLD_SAMPLES = 3
_SINGLE_SAMPLES = 3
_CALIBRATIONS = 3
_CALLS_PER_SAMPLE = 50_000
_ARGUMENT_BYTES_PER_SAMPLE = 32 << 20
_FASTEST_GROWTH = 10.0
_BARE_PAIRS = 14
_BARE_S = 8.0
_SETTLED = 0.1
"""Share of what is saved by which the third quickest whole pass may differ from the quickest."""


class _SideLost(Exception):
    """One side does not run any more."""

    def __init__(self, side: Name, outcome: Outcome) -> None:
        super().__init__(side)
        self.side: Name = side
        self.outcome = outcome


class _Side(NamedTuple):
    """A program loaded in a worker."""

    name: Name
    session: WorkerSession
    load_s: float = 0.0
    whole_s: float = 0.0


def run_timing(launcher: Launcher, job: TimingJob, limits: Limits) -> TimingResult:
    """Run pairs until all are measured, the budget is used up, or a side stops answering."""
    run = _TimingRun(launcher, job, limits)
    try:
        run.run()
    except _SideLost as lost:
        return run.result(lost.outcome, lost.side)
    return run.result(None, None)


class _SampleKind:
    """Samples of one kind: how many passes, what is run before them, and the seconds of each side."""

    def __init__(self, inner: int, rehearse: Sequence[int]) -> None:
        self.inner = inner
        self.rehearse = rehearse
        self.a: list[float] = []
        self.b: list[float] = []

    def of(self, name: Name) -> list[float]:
        return self.a if name == "a" else self.b


def _smallest(inputs: Sequence[CallInput]) -> list[int]:
    """Return the index of the smallest input by its text; empty where it is the only one."""
    sizes = [len(msgspec.json.encode(call)) for call in inputs]
    return [sizes.index(min(sizes))] if len(sizes) > 1 else []


class _TimingRun:
    def __init__(self, launcher: Launcher, job: TimingJob, limits: Limits) -> None:
        self._launcher = launcher
        self._job = job
        self._limits = limits
        self._fresh = any(is_mutable(value) for call in job.inputs for value in (*call.args, *call.kwargs.values()))
        self._inputs = msgspec.Raw(msgspec.json.encode(job.inputs))
        self._smallest = _smallest(job.inputs)
        self._over_at = monotonic() + job.budget_s
        self._inner = 1
        self._alone_s = 0.0
        self._pairs: list[TimingPair] = []
        self._first: dict[Name, list[Outcome]] = {"a": [], "b": []}
        self._outcomes: dict[Name, list[Outcome]] = {"a": [], "b": []}

    def run(self) -> None:
        """Calibrate, then run pair after pair.

        Raises:
            _SideLost: One side stopped answering.
        """
        self._inner = self._calibrated()
        for number in range(self._job.pairs):
            if number >= _FEWEST_PAIRS and self._over():
                return
            self._pairs.append(self._pair(number))
        over_at = max(self._over_at, monotonic() + _BARE_S)
        for number in range(_BARE_PAIRS):
            if monotonic() >= over_at or self._settled():
                return
            self._pairs.append(self._bare_pair(number))

    def result(self, failure: Outcome | None, side: Name | None) -> TimingResult:
        """Return all that was measured so far."""
        return TimingResult(
            pairs=tuple(self._pairs),
            inner=self._inner,
            alone_s=self._alone_s,
            outcomes_a=tuple(self._outcomes["a"]),
            outcomes_b=tuple(self._outcomes["b"]),
            failure=failure,
            failed_side=side,
        )

    def _calibrated(self) -> int:
        """Passes per sample, so that a sample of `a` takes long enough to be timed."""
        most = max(1, _CALLS_PER_SAMPLE // max(1, len(self._job.inputs)))
        if self._fresh:
            most = max(1, min(most, _ARGUMENT_BYTES_PER_SAMPLE // len(bytes(self._inputs))))
        inner = 1
        with self._side("a") as side:
            while True:
                self._alone_s = min(self._sample(side, inner) for _ in range(_CALIBRATIONS))
                seconds = inner * self._alone_s
                if inner == most or seconds >= self._job.min_sample_s:
                    break
                growth = min(_FASTEST_GROWTH, max(2.0, 1.2 * self._job.min_sample_s / seconds))
                inner = min(most, ceil(inner * growth))
        return inner

    def _pair(self, number: int) -> TimingPair:
        every = range(len(self._job.inputs))
        cold, again, single = _SampleKind(1, self._smallest), _SampleKind(1, every), _SampleKind(1, ())
        warm = _SampleKind(self._inner, ())
        before = [cold, again] * _COLD_SAMPLES if self._inner > 1 else []
        after = [single] * _SINGLE_SAMPLES if self._inner > 1 else []
        with self._side("a") as a, self._side("b") as b:
            for kind in (*before, *[warm] * self._job.samples, *after):
                if kind is warm and warm.a and self._over():
                    continue
                for side in (a, b) if (len(kind.a) + number) % 2 == 0 else (b, a):
                    kind.of(side.name).append(self._sample(side, kind.inner, kind.rehearse))
        return TimingPair(
            a=tuple(warm.a),
            b=tuple(warm.b),
            cold_a=tuple(cold.a),
            cold_b=tuple(cold.b),
            again_a=tuple(again.a),
            again_b=tuple(again.b),
            single_a=tuple(single.a),
            single_b=tuple(single.b),
            whole_a=a.whole_s,
            whole_b=b.whole_s,
            load_a=a.load_s,
            load_b=b.load_s,
        )

    def _settled(self) -> bool:
        """Return whether more end-to-end loops are pointless: too little is saved, or each side's quickest agree."""
        timed = [pair for pair in self._pairs if pair.a and pair.b]
        saved = min(min(pair.a) for pair in timed) - min(min(pair.b) for pair in timed)
        if saved <= self._job.confirm_s:
            return True
        sides = (
            sorted(pair.load_a + pair.whole_a for pair in self._pairs),
            sorted(pair.load_b + pair.whole_b for pair in self._pairs),
        )
        return all(seconds[_FEWEST_PAIRS - 1] - seconds[0] <= _SETTLED * saved for seconds in sides)

    def _bare_pair(self, number: int) -> TimingPair:
        """Time one end-to-end loop of each side, and nothing else."""
        sides: dict[Name, _Side] = {}
        for name in ("a", "b") if number % 2 == 0 else ("b", "a"):
            with self._side(name) as side:
                sides[name] = side
        a, b = sides["a"], sides["b"]
        return TimingPair(whole_a=a.whole_s, whole_b=b.whole_s, load_a=a.load_s, load_b=b.load_s)

    @contextmanager
    def _side(self, name: Name) -> Generator[_Side]:
        """A fresh worker with the program of that side loaded, and a whole pass done before anything else can be."""
        program = self._job.a if name == "a" else self._job.b
        session = WorkerSession(self._launcher, "calls", self._limits, UsageTotals(self._limits))
        side = _Side(name, session)
        try:
            with self._losses(side):
                started = perf_counter()
                failure = session.load({"program": program}, self._deadline())
                if failure is not None:
                    raise _SideLost(name, failure)
                session.send({"op": "sample", "whole": True}, self._deadline())
                self._expect(side, "ready", self._deadline())
                load_s = perf_counter() - started
                whole_s = self._whole(side)
            yield side._replace(load_s=load_s, whole_s=whole_s)
        finally:
            session.end()

    def _whole(self, side: _Side) -> float:
        """Time a loop end to end, in seconds from sending the inputs to the last output."""
        deadline = self._deadline()
        started = perf_counter()
        side.session.send({"inputs": self._inputs}, deadline)
        outcomes = self._outputs(side, deadline)
        seconds = perf_counter() - started
        self._note(side.name, outcomes)
        return seconds

    def _sample(self, side: _Side, inner: int, rehearse: Sequence[int] = ()) -> float:
        """Return the seconds per loop; the inputs at the indices `rehearse` are run before the clock starts."""
        with self._losses(side):
            deadline = self._deadline()
            request = {"op": "sample", "whole": False, "inputs": self._inputs, "inner": inner, "fresh": self._fresh}
            side.session.send({**request, "rehearse": list(rehearse)}, deadline)
            self._expect(side, "ready", deadline)
            started = perf_counter()
            side.session.send({}, deadline)
            self._expect(side, "done", deadline)
            seconds = perf_counter() - started
            side.session.send({"pass": secrets.randbelow(inner)}, deadline)
            self._note(side.name, self._outputs(side, deadline))
        return seconds / inner

    def _outputs(self, side: _Side, deadline: float) -> list[Outcome]:
        return [self._output(side, index, deadline) for index in range(len(self._job.inputs))]

    def _expect(self, side: _Side, what: Literal["ready", "done"], deadline: float) -> None:
        if getattr(self._received(side, deadline), what) is not True:
            raise WorkerLost("protocol", f"a sample was not {what} when it had to be")

    def _output(self, side: _Side, index: int, deadline: float) -> Outcome:
        answer = self._received(side, deadline)
        if answer.index != index or answer.outcome is None:
            raise WorkerLost("protocol", f"the output of input {index} was not given when it had to be")
        return checked(answer.outcome, self._job.inputs[index], same=answer.same)

    def _received(self, side: _Side, deadline: float) -> SampleAnswer:
        answer = side.session.receive(SampleAnswer, deadline)
        if answer.died is not None:
            raise _SideLost(
                side.name, death(ExitStatus(exit_code=answer.died.exit, signal=answer.died.signal), self._limits)
            )
        if answer.unready is not None:
            raise _SideLost(side.name, answer.unready)
        return answer

    def _note(self, name: Name, outcomes: list[Outcome]) -> None:
        """Keep the outcomes of the first sample, and any later one that differs from it."""
        if not self._first[name]:
            self._first[name], self._outcomes[name] = outcomes, list(outcomes)
            return
        for index, outcome in enumerate(outcomes):
            if msgspec.json.encode(outcome) != msgspec.json.encode(self._first[name][index]):
                self._outcomes[name][index] = outcome

    @contextmanager
    def _losses(self, side: _Side) -> Generator[None]:
        try:
            yield
        except WorkerLost as lost:
            late = TimedOut(limit="wall", seconds=self._limits.wall_s)
            raise _SideLost(side.name, side.session.explain(lost, late)) from lost

    def _deadline(self) -> float:
        return monotonic() + self._limits.wall_s

    def _over(self) -> bool:
        return monotonic() >= self._over_at

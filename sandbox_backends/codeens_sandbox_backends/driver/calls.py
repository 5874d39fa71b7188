"""Runs a `CallsJob`.

A call that hangs or kills its worker costs only itself: the calls after it go on in a fresh worker. After that has
happened `_RESTARTS` times the rest is not run and says so. `Limits.wall_s` is for the job as a whole; watching (memory,
lines) happens after the outcomes are known, in workers of its own, with what is left of that time. Their output and use
of the machine are not in the result: they would be the watching's, not the code's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from time import monotonic
from typing import Any, Literal, NamedTuple, TypeVar

from codeens_sandbox_backends.driver.answers import receive_answer
from codeens_sandbox_backends.driver.launcher import Launcher
from codeens_sandbox_backends.driver.session import UsageTotals, WorkerLost, WorkerSession
from codeens_sandbox_backends.driver.wire import CoveredLines, LineCounts, LivePlace, WorkerMessage
from codeens_sandbox_backends.jobs import CallsJob, CallsResult, Limits
from codeens_sandbox_backends.programs import CallInput, Died, Outcome, Raised, Returned, TimedOut, Unencodable

_RESTARTS = 5
Seen = TypeVar("Seen", bound=WorkerMessage)


def run_calls(launcher: Launcher, job: CallsJob, limits: Limits) -> CallsResult:
    """Return one outcome per input, in order."""
    driver = _Calls(launcher, job, limits)
    outcomes = driver.outcomes(job.inputs)
    ran = [index for index, outcome in enumerate(outcomes) if isinstance(outcome, (Returned, Raised, Unencodable))]
    memory = driver.watched(job.inputs, ran) if job.memory and driver.loaded else _Watched()
    answered = [job.inputs[index] for index in ran]
    lines = driver.lines(answered) if job.coverage and driver.loaded else None
    counts = driver.counts(answered) if job.counts and driver.loaded else None
    return CallsResult(
        outcomes=tuple(outcomes),
        loaded=driver.loaded,
        failure=driver.failure,
        holder=driver.found.holder if driver.found else "",
        python=driver.found.python if driver.found else "",
        usage=driver.totals.usage,
        took_s=tuple(driver.took_s),
        stdout=driver.totals.stdout,
        stderr=driver.totals.stderr,
        variables=driver.variables,
        too_large=driver.too_large,
        loading=driver.found.loading if driver.found else {},
        peak_bytes=memory.peaks,
        watched=memory.outcomes,
        watched_rss_bytes=memory.rss_bytes,
        lines_hit=lines.hit if lines else (),
        lines_total=lines.total if lines else (),
        line_counts=counts.counts if counts else (),
    )


class _Calls:
    def __init__(self, launcher: Launcher, job: CallsJob, limits: Limits) -> None:
        self.totals = UsageTotals(limits)
        self.loaded = False
        self.failure: Outcome | None = None
        self.found: LivePlace | None = None
        self.variables: tuple[str, ...] = ()
        self.too_large: tuple[str, ...] = ()
        self.took_s: list[float] = []
        self._launcher = launcher
        self._program = job.program
        effects = "effects in turn" if job.in_turn else "effects"
        self._watch = "loading" if job.loading else effects if job.effects else ""
        self._waits = frozenset(job.waits)
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
                self.failure = None if self.loaded else failure
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
        asked = monotonic()
        try:
            batches = self._batches(inputs, range(len(outcomes), len(inputs)), len(outcomes))
            found = session.load(self._program, self._deadline, _first_of(batches), watch=self._watch)
            if isinstance(found, Raised):
                return found
            self.variables, self.too_large = found.variables, found.too_large
            loaded = self.loaded = True
            self.found = found
            asked = monotonic()
            for outcome, _ in self._answers(session, batches):
                outcomes.append(outcome)
                self.took_s.append(monotonic() - asked)
                asked = monotonic()
        except WorkerLost as lost:
            outcome = session.explain(lost, self._late())
            if not loaded:
                return outcome
            outcomes.append(outcome)
            self.took_s.append(monotonic() - asked)
        finally:
            session.end()
        return None

    def watched(self, inputs: Sequence[CallInput], ran: Sequence[int]) -> _Watched:
        """Return the outcomes and the peak of traced bytes of each input that ran; empty if unknown."""
        totals = UsageTotals(self._limits)
        session = WorkerSession(self._launcher, "calls", self._limits, totals)
        try:
            batches = self._batches(inputs, ran)
            found = session.load(self._program, self._deadline, batches[0].request(), watch="memory")
            if isinstance(found, Raised):
                return _Watched()
            # It does not end by itself: what it has had of memory can be seen as long as it is there.
            answers = list(self._answers(session, batches, ends=False))
        except WorkerLost:
            return _Watched()
        finally:
            session.end()
        peaks = dict(zip(ran, (peak for _, peak in answers), strict=True))
        if any(peak < 0 for peak in peaks.values()):
            return _Watched()
        return _Watched(
            peaks=tuple(peaks.get(index, 0) for index in range(len(inputs))),
            outcomes=tuple(outcome for outcome, _ in answers),
            rss_bytes=totals.usage.peak_rss_bytes,
        )

    def lines(self, inputs: Sequence[CallInput]) -> CoveredLines | None:
        """Return the lines of the function that these inputs run; None if unknown."""
        return self._seen("lines", inputs, CoveredLines)

    def counts(self, inputs: Sequence[CallInput]) -> LineCounts | None:
        """Return how often these inputs run the lines of the function; None if unknown."""
        return self._seen("counts", inputs, LineCounts)

    def _seen(self, watch: str, inputs: Sequence[CallInput], kind: type[Seen]) -> Seen | None:
        """Return what a worker of its own sees of the calls, for which it is asked by the watch's name."""
        session = WorkerSession(self._launcher, "calls", self._limits, UsageTotals(self._limits))
        try:
            batches = [_Batch(0, inputs)]
            found = session.load(self._program, self._deadline, batches[0].request(), watch=watch)
            if isinstance(found, Raised):
                return None
            for _ in self._answers(session, batches, ends=False):
                pass
            session.send({"op": watch}, self._deadline)
            return session.receive(kind, self._deadline)
        except WorkerLost:
            return None
        finally:
            session.end()

    def _batches(self, inputs: Sequence[CallInput], chosen: Sequence[int], first: int = 0) -> list[_Batch]:
        """Return the chosen inputs as they may be sent together; the worker counts them from `first` on."""
        starts = [place for place, index in enumerate(chosen) if not place or index in self._waits]
        return [
            _Batch(first + start, [inputs[index] for index in chosen[start:end]])
            for start, end in pairwise([*starts, len(chosen)])
        ] or [_Batch(first, ())]

    def _answers(
        self, session: WorkerSession, batches: Sequence[_Batch], *, ends: bool = True
    ) -> Iterator[tuple[Outcome, int]]:
        """Yield the answers to the first batch, which was sent with the program, and send the others in turn.

        With `ends` the worker ends after the last.
        """
        for batch in batches:
            if batch is not batches[0]:
                session.send_all(batch.request(last=ends and batch is batches[-1]), self._call_deadline())
            for index, call in enumerate(batch.calls, batch.first):
                yield receive_answer(session, call, index, self._call_deadline())

    def _call_deadline(self) -> float:
        return min(self._deadline, self.totals.deadline(self._limits.call_s))

    def _over(self) -> bool:
        return self.totals.is_past(self._deadline)

    def _late(self) -> TimedOut:
        """Return the limit that a missing answer has exceeded by now."""
        limit: Literal["wall", "call"] = "wall" if self._over() else "call"
        return TimedOut(limit=limit, seconds=self._limits.wall_s if limit == "wall" else self._limits.call_s)


class _Watched(NamedTuple):
    """What was seen of calls whose allocations were traced."""

    peaks: tuple[int, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    rss_bytes: int | None = None


class _Batch(NamedTuple):
    """Calls that are sent at once."""

    first: int
    calls: Sequence[CallInput]

    def request(self, *, last: bool = False) -> tuple[dict[str, Any], ...]:
        """Return the request, to be sent by itself or after that of loading; after the `last` the worker ends."""
        return ({"op": "calls", "inputs": self.calls, "first": self.first, "last": last},)


def _first_of(batches: Sequence[_Batch]) -> tuple[dict[str, Any], ...]:
    return batches[0].request(last=len(batches) == 1)

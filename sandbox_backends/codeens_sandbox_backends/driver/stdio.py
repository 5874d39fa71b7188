"""Runs a `StdioJob`: one fresh process per input."""

from __future__ import annotations

import signal
from time import monotonic

from codeens_sandbox_backends.driver.launcher import ExitStatus, Launcher
from codeens_sandbox_backends.driver.session import UsageTotals, WorkerLost, WorkerSession, death
from codeens_sandbox_backends.jobs import Limits, StdioJob, StdioResult, StdioRun
from codeens_sandbox_backends.programs import Died, Outcome, TimedOut


def run_stdio(launcher: Launcher, job: StdioJob, limits: Limits) -> StdioResult:
    """Return every input's output and ending; a limit that one input exceeds does not concern the others."""
    return StdioResult(runs=tuple(_run(launcher, job, stdin, limits) for stdin in job.stdins))


def _run(launcher: Launcher, job: StdioJob, stdin: str, limits: Limits) -> StdioRun:
    totals = UsageTotals(limits)
    session = WorkerSession(launcher, "stdio", limits, totals)
    deadline = totals.deadline(limits.wall_s)
    late = TimedOut(limit="wall", seconds=limits.wall_s)
    try:
        session.send({"op": "run", "source": job.source, "argv": job.argv, "stdin": stdin}, deadline)
        begun, allowed_s = monotonic(), deadline + totals.excused_s - monotonic()
        ending = session.wait(allowed_s)
        was_killed = ending.signal == signal.SIGKILL and ending.limit is None and monotonic() - begun >= allowed_s
        outcome = _flooded(ending, limits) or (late if was_killed else _outcome(ending, limits))
    except WorkerLost as lost:
        outcome = session.explain(lost, late)
    return StdioRun(stdout=totals.stdout, stderr=totals.stderr, ending=outcome, usage=totals.usage)


def _outcome(ending: ExitStatus, limits: Limits) -> Outcome | None:
    return None if ending.exit_code == 0 and ending.limit is None else death(ending, limits)


def _flooded(ending: ExitStatus, limits: Limits) -> Died | None:
    """Return the failure of a script whose output was cut; the streams' lengths tell which one was."""
    if ending.dropped_bytes and len(ending.stdout) >= limits.output_bytes:
        return Died(reason="output", detail=f"it printed more than {limits.output_bytes} bytes")
    return None

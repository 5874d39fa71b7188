"""The one door of the conductor."""

from __future__ import annotations

from codeens_sandbox_backends.base import CallsJob, CheckJob, Job, JobResult, Limits, RaceJob, StdioJob
from codeens_sandbox_backends.conduct.calls import run_calls
from codeens_sandbox_backends.conduct.check import run_check
from codeens_sandbox_backends.conduct.foreseen import Foreseen
from codeens_sandbox_backends.conduct.launch import Launcher
from codeens_sandbox_backends.conduct.race import run_race
from codeens_sandbox_backends.conduct.stdio import run_stdio
from codeens_sandbox_backends.conduct.suite import run_suite


def run_job(launcher: Launcher, job: Job, limits: Limits, foreseen: Foreseen | None = None) -> JobResult:
    """Run a job on fresh players and wait for its end; `job.limits`, where given, come before `limits`.

    `foreseen` is kept from job to job by who wants the calls of a check to be made in one batch.

    Blocks; meant for a worker thread. Killing the players makes it return or raise soon.

    Raises:
        SandboxError: The sandbox failed; never because of what the code did.
    """
    limits = job.limits or limits
    if isinstance(job, CallsJob):
        return run_calls(launcher, job, limits)
    if isinstance(job, RaceJob):
        return run_race(launcher, job, limits)
    if isinstance(job, CheckJob):
        return run_check(launcher, job, limits, foreseen)
    if isinstance(job, StdioJob):
        return run_stdio(launcher, job, limits)
    return run_suite(launcher, job, limits)

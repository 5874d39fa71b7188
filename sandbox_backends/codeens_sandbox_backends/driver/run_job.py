"""The one door of the driver."""

from __future__ import annotations

from codeens_sandbox_backends.base import CallsJob, CheckJob, Job, JobResult, Limits, StdioJob, TimingJob
from codeens_sandbox_backends.driver.calls import run_calls
from codeens_sandbox_backends.driver.check import run_check
from codeens_sandbox_backends.driver.launcher import Launcher
from codeens_sandbox_backends.driver.prefetch import CallPrefetch
from codeens_sandbox_backends.driver.stdio import run_stdio
from codeens_sandbox_backends.driver.suite import run_suite
from codeens_sandbox_backends.driver.timing import run_timing


def run_job(launcher: Launcher, job: Job, limits: Limits, prefetch: CallPrefetch | None = None) -> JobResult:
    """Run a job on fresh workers and wait for its end; `job.limits`, where given, come before `limits`.

    `prefetch` is kept from job to job by who wants the calls of a check to be made in one batch.

    Blocks; meant for a worker thread. Killing the workers makes it return or raise soon.

    Raises:
        SandboxError: The sandbox failed; never because of what the code did.
    """
    limits = job.limits or limits
    if isinstance(job, CallsJob):
        return run_calls(launcher, job, limits)
    if isinstance(job, TimingJob):
        return run_timing(launcher, job, limits)
    if isinstance(job, CheckJob):
        return run_check(launcher, job, limits, prefetch)
    if isinstance(job, StdioJob):
        return run_stdio(launcher, job, limits)
    return run_suite(launcher, job, limits)

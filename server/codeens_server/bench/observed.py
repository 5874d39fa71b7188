"""What the programs of one verdict used and printed, seen as their results go by."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import CallsResult, CheckResult, Job, Limits, StdioResult, Usage
from codeens_server.bench.records import LONGEST_OUTPUT
from codeens_server.tasks.adaptive_limits import TaskRuns

R = TypeVar("R", bound=CallsResult | CheckResult | StdioResult)


class Observed:
    """Runs jobs as another does, and keeps what they used."""

    def __init__(self, runs: TaskRuns) -> None:
        self._runs = runs
        self._usages: list[Usage] = []
        self.stdout = ""
        self.stderr = ""

    @property
    def limits(self) -> Limits:
        """The user's."""
        return self._runs.limits

    @property
    def run_s(self) -> float | None:
        """Processor time of all that counted, in seconds; by the clock where the system tells no other."""
        times = [usage.wall_s if usage.cpu_s is None else usage.cpu_s for usage in self._usages]
        return sum(times) if times else None

    @property
    def peak_bytes(self) -> int | None:
        """The most memory that one of the processes had."""
        return max((usage.peak_rss_bytes for usage in self._usages if usage.peak_rss_bytes), default=None)

    async def run(self, key: Hashable, job: Job[R], sandbox: Sandbox) -> R:
        """Run a job.

        Raises:
            SandboxError: the sandbox failed; nothing is known of the program.
        """
        result = await self._runs.run(key, job, sandbox)
        if isinstance(result, StdioResult):
            self._usages += [run.usage for run in result.runs]
            for run in result.runs:
                self._keep(run.stdout, run.stderr)
        else:
            self._usages.append(result.usage)
            if isinstance(result, CallsResult):
                self._keep(result.stdout, result.stderr)
        return result

    async def reference_result(self, key: Hashable) -> CallsResult | None:
        """Return what the reference's job of that key answered."""
        return await self._runs.reference_result(key)

    def _keep(self, stdout: str, stderr: str) -> None:
        self.stdout = (self.stdout + stdout)[-LONGEST_OUTPUT:]
        self.stderr = (self.stderr + stderr)[-LONGEST_OUTPUT:]

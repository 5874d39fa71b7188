"""Launches warm workers for one sandbox, as long as a job needs no more than they can give."""

from __future__ import annotations

import builtins
import os
import signal
from collections.abc import Callable
from typing import Any

from msgspec import structs

from codeens_sandbox_backends.driver.launcher import WorkerKind, WorkerProcess
from codeens_sandbox_backends.errors import SandboxBroken
from codeens_sandbox_backends.host.limits import process_bound, rlimits
from codeens_sandbox_backends.host.pool import Pool
from codeens_sandbox_backends.jobs import (
    CallsJob,
    CallsResult,
    CheckJob,
    CheckResult,
    Job,
    Limits,
    StdioJob,
    StdioResult,
    StdioRun,
    SuiteJob,
    SuiteResult,
)
from codeens_sandbox_backends.local.bwrap import BwrapLauncher
from codeens_sandbox_backends.local.warm import filter as warm_filter
from codeens_sandbox_backends.local.warm.tests import BorrowedTests, TestsProcess
from codeens_sandbox_backends.local.warm.zygote import ForkRequest, WarmProcess, ZygoteProcess
from codeens_sandbox_backends.programs import Raised

_ENDLESS_S = 1_000_000
"""Processor time of a process that lives over many jobs; each job has its own bound."""
_SPARE_BYTES = 64 << 20
_SPARE_BYTES_OF_SUITES = 512 << 20
"""They have imported what tests import."""
_IMPORTED_WITHIN_S = 120.0
_SPARE_PROCESSES = 8
"""For the zygote itself, on top of what its worker may use."""
_ABSENT = "/proc"
"""Not there for warm workers: code that names it gets a sandbox of its own."""


class FellShort(SandboxBroken):
    """The code needs what only a sandbox of its own has."""


class WarmWorkers:
    """All warm processes of one sandbox."""

    def __init__(self, launcher: BwrapLauncher, limits: Limits, at_most: int = max(2, os.cpu_count() or 2)) -> None:
        self._launcher = launcher
        self._limits = limits
        self._filters = (
            warm_filter.program_for_all(launcher.machine),
            warm_filter.program_for_workers(launcher.machine),
        )
        self._zygotes = Pool(self._start_zygote, name="codeens zygotes", at_most=at_most)
        self._suites = Pool(self._start_suites, name="codeens suites", at_most=at_most)
        self._suites_proven = False
        self._modules: tuple[str, ...] = ()
        self._tests = Pool(self._start_tests, name="codeens tests", at_most=at_most)

    def fits(self, job: Job[Any], limits: Limits) -> bool:
        """Return whether warm workers can be tried for a job."""
        if limits.memory_bytes > self._limits.memory_bytes or limits.processes > self._limits.processes:
            return False
        if isinstance(job, StdioJob):
            return _ABSENT not in job.source
        if isinstance(job, SuiteJob):
            return job.kind == "pytest" and not job.record and not job.fresh
        if not isinstance(job, (CallsJob, CheckJob)):
            return False
        if isinstance(job, CallsJob) and (job.memory or job.fresh):
            return False
        return not any(_ABSENT in module.source for module in job.program.modules)

    def launcher(self, job: Job[Any], cancelled: Callable[[], bool]) -> WarmLauncher:
        """Return a launcher for one job."""
        silent = isinstance(job, CheckJob)  # nobody is told what such a job prints
        zygotes = self._suites if isinstance(job, SuiteJob) else self._zygotes
        zygotes.prepare()
        if isinstance(job, CheckJob):
            self._tests.prepare()
        modules = self._modules if isinstance(job, SuiteJob) else ()
        return WarmLauncher(
            zygotes, self._tests, self._launcher.uid, cancelled, modules=modules, silent=silent, proven=self._proven
        )

    def _proven(self, result: SuiteResult) -> bool:
        """Whether what a warm suite does is what it would do otherwise: as soon as one has come to its end."""
        self._suites_proven = self._suites_proven or result.failure is None
        return self._suites_proven

    def foresee(self, job: Job[Any]) -> None:
        """Import pytest while calls of the original's tests are recorded: candidates' tests come next."""
        if isinstance(job, SuiteJob) and job.kind == "pytest" and job.record and job.selection:
            self._suites.prepare()

    def learn(self, job: Job[Any], result: object) -> None:
        """Keep what the tests import of installed packages, as seen when the original was run."""
        if isinstance(job, SuiteJob) and isinstance(result, SuiteResult) and result.modules:
            self._modules = tuple(dict.fromkeys((*self._modules, *result.modules)))

    def close(self) -> None:
        """End every process."""
        self._zygotes.close()
        self._suites.close()
        self._tests.close()

    def _start_zygote(self) -> ZygoteProcess:
        return ZygoteProcess(self._launcher.launch_zygote(self._roomy(_SPARE_BYTES)), *self._filters)

    def _start_suites(self) -> ZygoteProcess:
        return ZygoteProcess(
            self._launcher.launch_suite_zygote(self._roomy(_SPARE_BYTES_OF_SUITES)),
            warm_filter.NO_FILTER,
            warm_filter.program_for_suites(self._launcher.machine),
            start_s=_IMPORTED_WITHIN_S,
        )

    def _roomy(self, spare_bytes: int) -> Limits:
        return structs.replace(
            self._limits,
            memory_bytes=self._limits.memory_bytes + spare_bytes,
            processes=self._limits.processes + _SPARE_PROCESSES,
            cpu_s=_ENDLESS_S,
        )

    def _start_tests(self) -> TestsProcess:
        return TestsProcess(self._launcher.launch("check", structs.replace(self._limits, cpu_s=_ENDLESS_S)))


class WarmLauncher:
    """The launcher that the driver of one job sees."""

    def __init__(
        self,
        zygotes: Pool[ZygoteProcess],
        tests: Pool[TestsProcess],
        uid: int,
        cancelled: Callable[[], bool],
        *,
        modules: tuple[str, ...],
        silent: bool,
        proven: Callable[[SuiteResult], bool],
    ) -> None:
        self._zygotes = zygotes
        self._tests = tests
        self._uid = uid
        self._cancelled = cancelled
        self._modules = modules
        self._silent = silent
        self._proven = proven
        self._workers: list[WarmProcess] = []

    @property
    def _fell_short(self) -> bool:
        """Whether a worker was ended for something that only a sandbox of its own allows."""
        return any(worker.signal == signal.SIGSYS for worker in self._workers)

    def settles(self, result: object) -> bool:
        """Return whether what the job did is what it would do in a sandbox of its own.

        An error of the operating system may come from what is missing for warm workers.
        """
        if self._fell_short:
            return False
        if isinstance(result, CallsResult):
            return not any(_from_the_system(outcome) for outcome in result.outcomes)
        if isinstance(result, SuiteResult):
            return self._proven(result)
        if isinstance(result, CheckResult):
            return not _from_the_system(result.failure)
        return isinstance(result, StdioResult) and not any(map(_ended_by_the_system, result.runs))

    def launch(self, kind: WorkerKind, limits: Limits) -> WorkerProcess:
        """Start a worker; see `driver.launcher.Launcher`.

        Raises:
            FellShort: a worker of this job fell short, so that the others need not be tried.
        """
        if self._fell_short:
            raise FellShort("the code needs a sandbox of its own")
        if kind == "check":
            return BorrowedTests(self._tests.take(self._cancelled), self._tests.give_back)
        bounds = rlimits(limits, processes=process_bound(limits, uid=self._uid, own_namespace=True) + 1)
        keep = None if self._silent else limits.output_bytes
        request = ForkRequest(kind, bounds, limits.cpu_s, keep, self._modules)
        worker = WarmProcess(self._zygotes.take(self._cancelled), request, self._zygotes.give_back)
        self._workers.append(worker)
        return worker


def _from_the_system(outcome: object) -> bool:
    return isinstance(outcome, Raised) and _is_os_error(outcome.type)


def _ended_by_the_system(run: StdioRun) -> bool:
    """As its traceback says."""
    return run.ending is not None and any(_is_os_error(line.partition(":")[0]) for line in run.stderr.splitlines()[-1:])


def _is_os_error(name: str) -> bool:
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, OSError)

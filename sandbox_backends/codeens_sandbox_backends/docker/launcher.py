"""Starts workers, each in a container of its own."""

from __future__ import annotations

import os
import time
import uuid
from contextlib import suppress
from functools import partial

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.docker.container import OWNER_LABEL, SANDBOX_LABEL, Container, remove_orphans
from codeens_sandbox_backends.docker.engine import NAME, DockerClient
from codeens_sandbox_backends.docker.options import Bounds, ContainerConfig, bounds_of
from codeens_sandbox_backends.docker.process import DockerProcess
from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.errors import SandboxBroken, SandboxUnavailable
from codeens_sandbox_backends.host import seccomp
from codeens_sandbox_backends.host.pool import Pool
from codeens_sandbox_backends.host.syscalls import architecture
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.owner import owner
from codeens_sandbox_backends.races import MOST_CANDIDATES

RUNS_SETTING = "CODEENS_DOCKER_RUNS"
"""How many workers a container runs before it is removed."""
JOBS_AT_MOST = max(2, min(8, os.cpu_count() or 1))
"""As many as there are processors, within what a daemon of one machine starts without a queue."""
_WORKERS_OF_A_JOB = 2
"""A check has two at once."""
_WORKERS_OF_A_RACE = MOST_CANDIDATES + 1
"""All at once, or none goes on. A race runs alone, or beside jobs that hold no more than theirs."""
_STARTS_AT_ONCE = 2
_TRIES = 5
_REMOVAL_S = 2.0
"""How long the daemon may take to remove by itself what has ended."""
_LOOK_EVERY_S = 0.02


class DockerLauncher:
    """Owns the containers of one sandbox. Close it when done."""

    def __init__(self, spec: SandboxSpec) -> None:
        """Raises `SandboxUnavailable` when there is no daemon, or a container with this spec does not start."""
        machine = architecture(os.uname().machine)
        if os.uname().sysname != "Linux" or machine is None:
            why = f"no system call filter for {os.uname().sysname} on {os.uname().machine}"
            raise SandboxUnavailable(NAME, why, "Use Linux on an x86_64 or aarch64 machine")
        self._filter = seccomp.program(machine)
        self._orders = _orders_of_a_container()
        self._id = uuid.uuid4().hex
        self._engine = DockerClient()
        try:
            remove_orphans(self._engine)
            self._config = ContainerConfig(spec, self._engine, {SANDBOX_LABEL: self._id, OWNER_LABEL: owner()})
        except BaseException:
            self._engine.close()
            raise
        self._usual = bounds_of(spec.limits, "calls")
        self._pool = Pool(
            lambda: self._start(self._usual),
            name="codeens docker",
            at_most=_WORKERS_OF_A_RACE + _WORKERS_OF_A_JOB * (JOBS_AT_MOST - 1) + JOBS_AT_MOST,
            ahead=JOBS_AT_MOST,
            starts_at_once=_STARTS_AT_ONCE,
        )
        self._closed = False
        try:
            self._pool.give_back(self._pool.take())
        except SandboxBroken as error:
            self.close()
            raise SandboxUnavailable(NAME, str(error), "See what the daemon says (docker info)") from error

    @property
    def has_own_kernel(self) -> bool:
        return self._engine.has_own_kernel

    def close(self) -> None:
        """End what waits, and see to it that no container of this sandbox is left. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._pool.close()
        with suppress(SandboxBroken):  # what a daemon keeps that is gone is removed when codeens is next used
            self._remove_all()
        self._engine.close()

    def launch(self, kind: WorkerKind, limits: Limits) -> DockerProcess:
        """Start a worker; see `driver.launcher.Launcher`."""
        bounds = bounds_of(limits, kind)
        for _ in range(_TRIES):
            container = self._take(bounds)
            try:
                return DockerProcess(container, kind, limits, self._filter, partial(self._give_back, bounds))
            except OSError:
                container.end()
                self._give_back(bounds, container)
        raise SandboxBroken("containers end while they wait for their order")

    def _take(self, bounds: Bounds) -> Container:
        if bounds != self._usual:
            return self._start(bounds)
        try:
            return self._pool.take()
        except SandboxBroken:  # perhaps of one that was started ahead: what is tried now tells
            return self._pool.take()

    def _give_back(self, bounds: Bounds, container: Container) -> None:
        """Keep a container that takes another order for a job with the usual bounds."""
        if bounds == self._usual:
            self._pool.give_back(container)
        else:
            container.end()

    def _remove_all(self) -> None:
        deadline = time.monotonic() + _REMOVAL_S
        while (left := self._engine.listed(f"{SANDBOX_LABEL}={self._id}")) and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY_S)
        for container in left:
            self._engine.remove(container.id)

    def _start(self, bounds: Bounds) -> Container:
        return Container(self._engine, lambda door: self._config.config(bounds, door), self._orders)


def _orders_of_a_container() -> int:
    given = os.environ.get(RUNS_SETTING, "1")
    if not given.isdecimal() or not int(given):
        raise SandboxUnavailable(NAME, f"{RUNS_SETTING} is {given!r}", "Set it to a number of 1 or more")
    return int(given)

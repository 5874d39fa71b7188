"""The sandbox that is used when nothing else is asked for: the best that this machine has."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import anyio
from anyio import to_thread
from msgspec import structs

from codeens_sandbox_backends.base import Backend, IsolationLevel, Readiness, Sandbox, SandboxSpec
from codeens_sandbox_backends.driver.sandbox import WorkerSandbox
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.extras import installing_extra
from codeens_sandbox_backends.local.bwrap import LABEL, BwrapLauncher, missing_tool, namespace_fix
from codeens_sandbox_backends.local.sandlock import SandlockBackend
from codeens_sandbox_backends.local.warm.launcher import WarmWorkers
from codeens_sandbox_backends.seatbelt.backend import SeatbeltBackend
from codeens_sandbox_backends.selfcheck.probe import probe

_HELD: set[tuple[object, ...]] = set()
"""Programs that were seen to isolate: this process tries each once, however many backends it builds."""

ISOLATION_LEVEL = IsolationLevel(filesystem=True, network=True, processes=True, kernel=False, label=LABEL)


class LocalBackend:
    """Bubblewrap, or else sandlock; on macOS seatbelt; or it refuses. Tried out once before the first use."""

    name = "local"

    def __init__(self, *, warm: bool = True) -> None:
        """`warm`: jobs that need nothing of their own share prepared processes, one after the other."""
        self._tried = anyio.Lock()
        self._readiness: Readiness | None = None
        self._inner: Backend = SeatbeltBackend() if sys.platform == "darwin" else BubblewrapBackend(warm=warm)

    async def probe(self) -> Readiness:
        """Try the isolation in a real sandbox. The isolation's label says which mechanism it is."""
        async with self._tried:
            if self._readiness is None:
                self._readiness = await self._choose()
            return self._readiness

    async def open(self, spec: SandboxSpec) -> Sandbox:
        """Open a sandbox with the mechanism that works here.

        Raises:
            SandboxUnavailable: none does; the message names the fix.
        """
        program = await to_thread.run_sync(_isolating_program)
        if program not in _HELD:
            readiness = await self.probe()
            if not readiness.usable:
                raise SandboxUnavailable(self.name, readiness.why, readiness.fix)
            if program is not None and isinstance(self._inner, BubblewrapBackend):
                _HELD.add(program)
        return await self._inner.open(spec)

    async def _choose(self) -> Readiness:
        readiness = await self._inner.probe()
        if readiness.usable or sys.platform == "darwin":
            return structs.replace(readiness, name=self.name)
        other = SandlockBackend()
        fallback = await other.probe()
        if fallback.usable:
            self._inner = other
            return Readiness(
                name=self.name,
                usable=True,
                isolation=fallback.isolation,
                why=f"in place of bubblewrap: {readiness.why}",
                fix=readiness.fix or namespace_fix(),
            )
        return Readiness(
            name=self.name,
            usable=False,
            isolation=readiness.isolation,
            why=f"{readiness.why}; sandlock instead: {fallback.why}",
            fix=f"{readiness.fix or namespace_fix()}; or {installing_extra('sandlock')} (Linux 6.12 or newer)",
        )


def _isolating_program() -> tuple[object, ...] | None:
    """Return what bubblewrap is on this path, for this user; None where there is none."""
    found = shutil.which("bwrap")
    if found is None:
        return None
    stat = Path(found).stat()
    return found, stat.st_dev, stat.st_ino, stat.st_mtime_ns, os.geteuid()


class BubblewrapBackend:
    """Bubblewrap and nothing else."""

    name = "local"

    def __init__(self, *, warm: bool = True) -> None:
        self._warm = warm

    async def probe(self) -> Readiness:
        """Try the isolation in a real sandbox."""
        return await probe(self.name, ISOLATION_LEVEL, self.open)

    async def open(self, spec: SandboxSpec) -> WorkerSandbox:
        """Open a sandbox.

        Raises:
            SandboxUnavailable: bubblewrap cannot isolate here.
        """
        missing = missing_tool()
        if missing is not None:
            raise SandboxUnavailable(self.name, *missing)
        launcher = await to_thread.run_sync(BwrapLauncher, spec)
        return WorkerSandbox(
            launcher,
            isolation=ISOLATION_LEVEL,
            limits=spec.limits,
            shared=WarmWorkers(launcher, spec.limits) if self._warm else None,
        )

"""What runs on a node: an actor that has all of its cores, and keeps the sandboxes of one driver open there."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import anyio
from anyio import to_thread
from msgspec import Struct, structs

from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.errors import SandboxBroken, SandboxUnavailable
from codeens_sandbox_backends.executor import Executor, Turns
from codeens_sandbox_backends.local.backend import BubblewrapBackend
from codeens_sandbox_backends.local.bwrap import namespace_fix
from codeens_sandbox_backends.ray.parcel import Parcel, unpack
from codeens_sandbox_backends.remote.packages import version_of

NAME = "ray"


class NodeReport(Struct, frozen=True, kw_only=True):
    """What a node says of itself when its actor starts."""

    host: str
    cpus: int
    codeens: str
    python: str
    """Version of the interpreter that codeens runs in, as `3.11`."""
    system: str
    """Kernel and architecture."""
    why: str = ""
    """Why it can take no work; empty where it can."""
    fix: str = ""


class FailedOnNode(Struct, frozen=True, kw_only=True):
    """The sandbox failed on this node: an exception with its fields would not survive the way."""

    why: str
    fix: str | None = None
    """None: it was open and broke. Else it cannot be opened here."""


class NodeSpec(Struct, frozen=True, kw_only=True):
    """A sandbox as a driver asks for it."""

    name: str
    """What the driver calls it."""
    spec: SandboxSpec
    """As the driver's machine sees it."""
    python: str
    """Version of its interpreter, as `3.11`."""


class Kept:
    """What work of one kind keeps on a node between two calls."""

    def __init__(self, shared: Any) -> None:
        self.shared = shared
        """What was sent once for all calls."""
        self.known: dict[Any, Any] = {}


Work: TypeAlias = Callable[[Executor, Kept, Any], Awaitable[Any]]
"""A function of a module that nodes have too."""


class SandboxNode:
    """The actor. Its methods answer with values where a sandbox fails, and raise only for defects."""

    def __init__(self, cpus: int) -> None:
        """`cpus`: the node's cores, which Ray gives to nobody else while this lives."""
        self._cpus = cpus
        self._turns = Turns(cpus)
        self._backend = BubblewrapBackend()
        self._folder = Path(tempfile.mkdtemp(prefix=f"codeens-ray-{os.getpid()}-"))
        self._executors: dict[str, Executor] = {}
        self._kept: dict[str, Kept] = {}
        self._opening = anyio.Lock()

    async def report(self) -> NodeReport:
        """Try the isolation in a real sandbox, and say what this node is."""
        readiness = await self._backend.probe()
        return NodeReport(
            host=platform.node(),
            cpus=self._cpus,
            codeens=version("codeens"),
            python=f"{sys.version_info[0]}.{sys.version_info[1]}",
            system=f"{platform.system()} {platform.release()} {platform.machine()}",
            why="" if readiness.usable else readiness.why,
            fix="" if readiness.usable else readiness.fix or namespace_fix(),
        )

    async def run(self, wanted: NodeSpec, sent: Sequence[Any], shared: Sequence[Any], work: Work, given: Any) -> Any:
        """Do some work in a sandbox, which is opened for its first.

        Args:
            wanted: the sandbox.
            sent: a reference to the parcel of its files, or nothing.
            shared: a reference to what all work of a kind shares, or nothing; it is fetched once.
            work: called with the sandbox, what is kept between calls, and `given`.
            given: for this call alone.

        Returns:
            What the work returns, or `FailedOnNode`.
        """
        try:
            executor = await self._opened(wanted, sent)
            return await work(executor, await self._kept_for(shared), given)
        except SandboxUnavailable as error:
            return FailedOnNode(why=error.why, fix=error.fix)
        except SandboxBroken as error:
            return FailedOnNode(why=str(error))

    async def close(self, sandbox: str) -> None:
        """End every process of a sandbox."""
        async with self._opening:
            executor = self._executors.pop(sandbox, None)
        if executor:
            await executor.aclose()

    async def leave(self) -> None:
        """End every process of every sandbox, and remove what was sent."""
        for sandbox in tuple(self._executors):
            await self.close(sandbox)
        await to_thread.run_sync(lambda: shutil.rmtree(self._folder, ignore_errors=True))

    async def _opened(self, wanted: NodeSpec, sent: Sequence[Any]) -> Executor:
        async with self._opening:
            if wanted.name not in self._executors:
                own = await self._own_spec(wanted, await sent[0] if sent else None)
                opened = await self._backend.open(own)
                self._executors[wanted.name] = Executor(self._backend, own, opened, self._turns)
            return self._executors[wanted.name]

    async def _own_spec(self, wanted: NodeSpec, parcel: Parcel | None) -> SandboxSpec:
        python = _interpreter_like(wanted.spec.python, wanted.python)
        if parcel is None:
            return structs.replace(wanted.spec, python=python, readable=())
        placed = await to_thread.run_sync(unpack, parcel, self._folder, python)
        return structs.replace(wanted.spec, python=python, readable=(), placed=placed)

    async def _kept_for(self, shared: Sequence[Any]) -> Kept:
        if not shared:
            return Kept(None)
        key = shared[0].hex()
        if key not in self._kept:
            self._kept[key] = Kept(await shared[0])
        return self._kept[key]


def _interpreter_like(python: str, wanted: str) -> str:
    """Return the interpreter of that path where this node has it, else the one that codeens runs in.

    Raises:
        SandboxUnavailable: neither is of the version that is wanted.
    """
    if os.access(python, os.X_OK) and version_of(python, NAME) == wanted:
        return python
    own = version_of(sys.executable, NAME)
    if own == wanted:
        return sys.executable
    why = f"node {platform.node()} has Python {own}, and the workspace's is {wanted}"
    raise SandboxUnavailable(NAME, why, f"Start the node with Python {wanted}, or have one at {python} there")

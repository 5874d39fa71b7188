"""Daytona's service, through its SDK."""

from __future__ import annotations

import itertools
import math
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from anyio.abc import TaskGroup
from daytona import (
    AsyncDaytona,
    AsyncSandbox,
    CreateSandboxFromSnapshotParams,
    DaytonaConfig,
    DaytonaConflictError,
    DaytonaError,
    DaytonaNotFoundError,
    ListSandboxesQuery,
)

from codeens_sandbox_backends.daytona.faults import NotMade, explain
from codeens_sandbox_backends.daytona.settings import NAME, DaytonaSettings
from codeens_sandbox_backends.daytona.terminal import TerminalProgram
from codeens_sandbox_backends.remote.calls import SANDBOX
from codeens_sandbox_backends.remote.service import Fault, ListedSandbox

_CREATE_S = 110.0
_REQUEST_S = 25.0
_UPLOAD_S = 110
_DOUBTFUL = {400, 404, 422}
"""Answers to a request for a sandbox that say something about the request."""
_SDK_VARIABLES = {
    "DAYTONA_OTEL_ENABLED": "false",
    "DAYTONA_EXPERIMENTAL_OTEL_ENABLED": "false",
    "DAYTONA_HAPPY_EYEBALLS_DELAY": "",
}
"""What the SDK would look for in `.env` files of the working folder, which is a stranger's, if it were not set."""


def connected(settings: DaytonaSettings, tasks: TaskGroup) -> DaytonaService:
    """Make a client in a running event loop; nothing is asked yet."""
    for name, value in _SDK_VARIABLES.items():
        os.environ.setdefault(name, value)
    config = DaytonaConfig(
        api_key=settings.key, api_url=settings.url, target=settings.target, use_deprecated_polling=False
    )
    return DaytonaService(AsyncDaytona(config), settings, tasks)


class DaytonaService:
    """See `remote.service.Service`."""

    name = NAME

    def __init__(self, client: AsyncDaytona, settings: DaytonaSettings, tasks: TaskGroup) -> None:
        self._client = client
        self._settings = settings
        self._tasks = tasks
        self._known: dict[str, AsyncSandbox] = {}

    @property
    def secrets(self) -> Sequence[str]:
        return (self._settings.key,)

    def explain(self, error: Exception) -> Fault:
        return explain(error)

    async def create(self, labels: Mapping[str, str], ttl_s: int) -> DaytonaMachine:
        """Create a sandbox named after its label: a second request is answered with what the first one made."""
        try:
            sandbox = await self._made(labels, _minutes(ttl_s))
        except DaytonaConflictError:
            sandbox = await self._client.get(_name(labels), request_timeout=_REQUEST_S)
            await sandbox.wait_for_sandbox_start(timeout=_CREATE_S)
        except DaytonaError as error:
            if error.status_code in _DOUBTFUL:
                raise NotMade(error.message) from error
            raise
        self._known[sandbox.id] = sandbox
        return DaytonaMachine(sandbox, self._settings.options.python, self._tasks)

    async def listed(self, labels: Mapping[str, str]) -> list[ListedSandbox]:
        """List sandboxes; one that has a name is asked for by it, since a list may be out of date."""
        found = await self._named(_name(labels)) if SANDBOX in labels else None
        if found is None:
            query = ListSandboxesQuery(labels=dict(labels))
            found = [sandbox async for sandbox in self._client.list(query, request_timeout=_REQUEST_S)]
        self._known |= {sandbox.id: sandbox for sandbox in found}
        return [ListedSandbox(id=sandbox.id, labels=sandbox.labels) for sandbox in found]

    async def delete(self, machine_id: str) -> None:
        try:
            sandbox = self._known.get(machine_id) or await self._client.get(machine_id, request_timeout=_REQUEST_S)
            await sandbox.delete(timeout=_REQUEST_S)
        except DaytonaNotFoundError:
            pass
        self._known.pop(machine_id, None)

    async def aclose(self) -> None:
        await self._client.close()

    async def _named(self, name: str) -> list[AsyncSandbox] | None:
        """Return the sandbox of that name in a list, or an empty list; None when that cannot be told."""
        try:
            return [await self._client.get(name, request_timeout=_REQUEST_S)]
        except DaytonaNotFoundError:
            return []
        except DaytonaError:
            return None

    async def _made(self, labels: Mapping[str, str], minutes: int) -> AsyncSandbox:
        wanted = CreateSandboxFromSnapshotParams(
            name=_name(labels),
            snapshot=self._settings.snapshot,
            labels=dict(labels),
            network_block_all=True,
            public=False,
            ephemeral=True,
            auto_stop_interval=minutes,
            ttl_minutes=minutes,
        )
        return await self._client.create(wanted, timeout=_CREATE_S)


class DaytonaMachine:
    """See `remote.service.ServiceSandbox`."""

    def __init__(self, sandbox: AsyncSandbox, python: str, tasks: TaskGroup) -> None:
        self._sandbox = sandbox
        self._python = python
        self._tasks = tasks
        self._numbers = itertools.count()
        self._put: dict[str, str] = {}

    @property
    def id(self) -> str:
        return self._sandbox.id

    async def put(self, path: str, content: bytes) -> None:
        """The daemon's user may not be allowed to write there: it is moved there when a program is started."""
        uploaded = f"/tmp/codeens-{next(self._numbers)}"  # noqa: S108  # in a sandbox of our own
        await self._sandbox.fs.upload_file(content, uploaded, timeout=_UPLOAD_S)
        self._put[path] = uploaded

    async def start(self, command: str) -> TerminalProgram:
        moves = [_move(uploaded, path) for path, uploaded in self._put.items()]
        program = TerminalProgram()
        await program.start(self._sandbox, self._python, " && ".join([*moves, command]), self._tasks)
        return program

    async def extend(self, seconds: int) -> None:
        await self._sandbox.set_autostop_interval(_minutes(seconds), request_timeout=_REQUEST_S)
        await self._sandbox.set_ttl(_minutes(seconds), request_timeout=_REQUEST_S)


def _name(labels: Mapping[str, str]) -> str:
    return f"codeens-{labels[SANDBOX]}"


def _minutes(seconds: int) -> int:
    return math.ceil(seconds / 60)


def _move(uploaded: str, path: str) -> str:
    """Return a line of shell that moves the file once, however often it is run."""
    source, target, folder = map(shlex.quote, (uploaded, path, str(Path(path).parent)))
    return f"mkdir -p {folder} && {{ [ ! -e {source} ] || mv {source} {target}; }}"

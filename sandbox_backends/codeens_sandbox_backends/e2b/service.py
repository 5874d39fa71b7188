"""E2B as a service of sandboxes, through its SDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast

from anyio.abc import TaskGroup

from codeens_sandbox_backends.e2b.faults import TemplateRefused, explain
from codeens_sandbox_backends.e2b.settings import NAME, TEMPLATE_SETTING, E2BSettings
from codeens_sandbox_backends.remote.calls import SANDBOX
from codeens_sandbox_backends.remote.service import Fault, ListedSandbox

if TYPE_CHECKING:
    from e2b import AsyncSandbox


import anyio

_REQUEST_S = 30.0
_UPLOAD_S = 100.0
_RETRIES = 3
"""By the SDK, of calls that were refused for now: as long as the service asks for, within the request's time."""
_MOST_PRIVILEGED = "root"
_BAD_REQUEST, _NOT_FOUND = 400, 404


class E2BService:
    """A connection with one key. Nothing is taken from the environment or from files."""

    name = NAME

    def __init__(self, settings: E2BSettings, tasks: TaskGroup) -> None:
        from e2b import E2B

        client = E2B(
            api_key=settings.api_key,
            domain=settings.domain,
            api_url=settings.api_url,
            sandbox_url=settings.sandbox_url,
            debug=False,
            request_timeout=_REQUEST_S,
            retries=_RETRIES,
        )
        self._sandboxes = client.AsyncSandbox
        self._settings = settings
        self._tasks = tasks

    @property
    def secrets(self) -> Sequence[str]:
        return (self._settings.api_key,)

    def explain(self, error: Exception) -> Fault:
        return explain(error)

    async def create(self, labels: Mapping[str, str], ttl_s: int) -> E2BMachine:
        from e2b.exceptions import SandboxException

        try:
            made = await self._sandboxes.create(
                self._settings.template,
                timeout=ttl_s,
                metadata=dict(labels),
                allow_internet_access=False,
                lifecycle={"on_timeout": "kill"},
                idempotency_key=labels[SANDBOX],
            )
        except SandboxException as error:
            if error.status_code in (_BAD_REQUEST, _NOT_FOUND):
                raise TemplateRefused(self._settings.template, str(error), TEMPLATE_SETTING) from error
            raise
        return E2BMachine(made, self._tasks)

    async def listed(self, labels: Mapping[str, str]) -> list[ListedSandbox]:
        from e2b import SandboxQuery

        pages = self._sandboxes.list(query=SandboxQuery(metadata=dict(labels)))
        found: list[ListedSandbox] = []
        while pages.has_next:
            found += [ListedSandbox(id=one.sandbox_id, labels=one.metadata) for one in await pages.next_items()]
        return found

    async def delete(self, machine_id: str) -> None:
        await self._sandboxes.kill(machine_id)

    async def aclose(self) -> None:
        """The SDK's connections are its own, and are shared by all of this process."""


class _Files(Protocol):
    """What is used of a sandbox's files; the SDK's own types are not complete."""

    async def write(self, path: str, data: bytes, user: str, request_timeout: float) -> object: ...


class E2BMachine:
    """A sandbox."""

    def __init__(self, made: AsyncSandbox, tasks: TaskGroup) -> None:
        self._sandbox = made
        self._tasks = tasks

    @property
    def id(self) -> str:
        return self._sandbox.sandbox_id

    async def put(self, path: str, content: bytes) -> None:
        files = cast("_Files", self._sandbox.files)
        await files.write(path, content, user=_MOST_PRIVILEGED, request_timeout=_UPLOAD_S)

    async def start(self, command: str) -> E2BProgram:
        program = E2BProgram()
        try:
            handle = await self._sandbox.commands.run(
                command,
                background=True,
                user=_MOST_PRIVILEGED,
                cwd="/",
                on_stdout=program.take,
                stdin=True,
                timeout=0,
                retain_output=False,
            )
        except BaseException:
            program.abandon()
            raise
        program.follow(handle, self._tasks)
        return program

    async def extend(self, seconds: int) -> None:
        await self._sandbox.set_timeout(seconds)


_PIECES_AT_MOST = 64


class Handle(Protocol):
    """What is used of the SDK's handle of a program."""

    async def wait(self) -> object: ...

    async def send_stdin(self, data: bytes) -> None: ...

    async def disconnect(self) -> None: ...


class E2BProgram:
    """Its output comes through a callback of the SDK, and waits here until it is asked for."""

    def __init__(self) -> None:
        self._pieces, self._received = anyio.create_memory_object_stream[str](_PIECES_AT_MOST)
        self._handle: Handle | None = None
        self._failure: Exception | None = None
        self._let_go = False

    async def take(self, piece: str) -> None:
        """For the SDK: it reads on when this returns."""
        try:
            await self._pieces.send(piece)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    def abandon(self) -> None:
        """It was not started."""
        self._pieces.close()
        self._received.close()

    def follow(self, handle: Handle, tasks: TaskGroup) -> None:
        """Watch for the end, in a task."""
        self._handle = handle
        tasks.start_soon(self._watch, handle)

    async def send(self, data: bytes) -> None:
        if self._handle is not None:
            await self._handle.send_stdin(data)

    async def receive(self) -> bytes:
        try:
            return (await self._received.receive()).encode("ascii", "replace")
        except anyio.EndOfStream:
            if self._failure is not None:
                raise self._failure from None
            return b""

    async def aclose(self) -> None:
        self._received.close()
        if self._handle is not None and not self._let_go:
            self._let_go = True
            await self._handle.disconnect()

    async def _watch(self, handle: Handle) -> None:
        try:
            await handle.wait()
        except anyio.get_cancelled_exc_class():
            if not self._let_go:
                raise
        except Exception as error:  # noqa: BLE001  # told to who reads on
            self._failure = error
        finally:
            self._pieces.close()

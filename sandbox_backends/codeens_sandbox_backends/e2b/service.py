"""E2B as a service of sandboxes, through its SDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast

from anyio.abc import TaskGroup

from codeens_sandbox_backends.e2b.faults import TemplateRefused, explain
from codeens_sandbox_backends.e2b.program import E2BProgram
from codeens_sandbox_backends.e2b.settings import NAME, TEMPLATE_SETTING, Settings
from codeens_sandbox_backends.remote.labels import SANDBOX
from codeens_sandbox_backends.remote.service import Fault, Listed

if TYPE_CHECKING:
    from e2b import AsyncSandbox

_REQUEST_S = 30.0
_UPLOAD_S = 100.0
_RETRIES = 3
"""By the SDK, of calls that were refused for now: as long as the service asks for, within the request's time."""
_MOST_PRIVILEGED = "root"
_BAD_REQUEST, _NOT_FOUND = 400, 404


class E2BService:
    """A connection with one key. Nothing is taken from the environment or from files."""

    name = NAME

    def __init__(self, settings: Settings, tasks: TaskGroup) -> None:
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

    async def listed(self, labels: Mapping[str, str]) -> list[Listed]:
        from e2b import SandboxQuery

        pages = self._sandboxes.list(query=SandboxQuery(metadata=dict(labels)))
        found: list[Listed] = []
        while pages.has_next:
            found += [Listed(id=one.sandbox_id, labels=one.metadata) for one in await pages.next_items()]
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

"""The daemon inside a sandbox: files and processes, through the vendor's own protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import HTTP
from typing import TYPE_CHECKING, Any, cast

import anyio
from anyio.abc import ByteReceiveStream, Process, TaskGroup
from connectrpc.code import Code
from connectrpc.errors import ConnectError
from e2b.envd.process import process_connect, process_pb
from protobuf import Oneof

from tests.sandbox_backends.e2b_fake.machine import FakeMachine

if TYPE_CHECKING:
    from connectrpc.request import RequestContext

_PIECES_AT_MOST = 64
_StartResponse = process_pb.StartResponse
_ProcessEvent = process_pb.ProcessEvent


class Running:
    """A program, which goes on when nobody listens to it."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.sender, self.events = anyio.create_memory_object_stream[_ProcessEvent](_PIECES_AT_MOST)

    async def follow(self) -> None:
        """Pass on its output, then its end."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._pass_on, "stdout", self.process.stdout)
            tasks.start_soon(self._pass_on, "stderr", self.process.stderr)
        code = await self.process.wait()
        end = _ProcessEvent.EndEvent(exit_code=code, exited=code >= 0, status=f"exit status {code}")
        await self._say(_ProcessEvent(event=Oneof("end", end)))
        self.sender.close()
        await self.process.aclose()

    async def _pass_on(self, name: Any, stream: ByteReceiveStream | None) -> None:
        if stream is not None:
            async for piece in stream:
                data = _ProcessEvent.DataEvent(output=Oneof(name, piece))
                await self._say(_ProcessEvent(event=Oneof("data", data)))

    async def _say(self, event: _ProcessEvent) -> None:
        try:
            await self.sender.send(event)
        except anyio.BrokenResourceError:
            return


class ProcessService(process_connect.Process):
    """`process.Process` of one sandbox."""

    def __init__(self, machine: FakeMachine, tasks: TaskGroup) -> None:
        self._machine = machine
        self._tasks = tasks
        self._running: dict[int, Running] = {}

    async def start(
        self, request: process_pb.StartRequest, ctx: RequestContext[Any, Any], /
    ) -> AsyncIterator[_StartResponse]:
        """Run a program; the stream is its output."""
        config = request.process
        if config is None:
            raise ConnectError(Code.INVALID_ARGUMENT, "no process")
        process = await self._machine.run([config.cmd, *config.args], dict(config.envs), config.cwd or "/")
        running = Running(process)
        self._running[process.pid] = running
        self._tasks.start_soon(running.follow)
        start = _ProcessEvent(event=Oneof("start", _ProcessEvent.StartEvent(pid=process.pid)))
        with running.events:
            yield _StartResponse(event=start)
            async for event in running.events:
                yield _StartResponse(event=event)

    async def send_input(
        self, request: process_pb.SendInputRequest, ctx: RequestContext[Any, Any], /
    ) -> process_pb.SendInputResponse:
        """Write to a program's standard input."""
        running = self._selected(request.process)
        match request.input.input if request.input else None:
            case Oneof(field="stdin", value=data) if running.process.stdin:
                try:
                    await running.process.stdin.send(data)
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    raise ConnectError(Code.NOT_FOUND, "the process has ended") from None
            case _:
                raise ConnectError(Code.INVALID_ARGUMENT, "no input")
        return process_pb.SendInputResponse()

    def _selected(self, selector: process_pb.ProcessSelector | None) -> Running:
        match selector.selector if selector else None:
            case Oneof(field="pid", value=number) if number in self._running:
                return self._running[number]
            case _:
                raise ConnectError(Code.NOT_FOUND, "no such process")


def uploaded(content_type: str, body: bytes) -> bytes:
    """The file of a multipart request."""
    head = f"content-type: {content_type}\r\n\r\n".encode("ascii")
    parts = message_from_bytes(head + body, policy=HTTP).iter_parts()
    for part in parts:
        if part.get_param("name", header="content-disposition") == "file":
            return cast("bytes", part.get_payload(decode=True))
    raise ValueError("no file")

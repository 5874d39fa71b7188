"""Calls that clients would not wait for: after some seconds they are handed over to an id, and go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskGroup

from codeens_mcp_tools.errors import ToolError, error_text
from codeens_mcp_tools.ledger import Ledger
from codeens_mcp_tools.runs import LiveRun
from codeens_mcp_tools.tools.documents import RunProgress, RunReport, ToolAnswer
from codeens_mcp_tools.tools.progress import ProgressReporter
from codeens_server.store.documents import to_json

HANDED_OVER_AFTER_S = 40.0
"""Many clients end a call after 60 s, whatever is reported of its progress."""
LONGEST_WAIT_S = 45.0
_MOST_KEPT = 100
_ENDED_WITHIN_S = 10.0


class HeldCall:
    """A call of a tool under way, or done."""

    def __init__(self, tool: str, reporter: ProgressReporter) -> None:
        self.id = ""
        """Empty until it is handed over."""
        self.tool = tool
        self.reporter = reporter
        self.run: LiveRun | None = None
        """The run that it makes."""
        self.ended = anyio.Event()
        self.answer: ToolAnswer | None = None
        self.failure: Exception | None = None
        self._scope = anyio.CancelScope()

    async def drive(self, work: Callable[[], Awaitable[ToolAnswer]]) -> None:
        """Do the work, to its end; what goes wrong is kept as `failure`."""
        try:
            with self._scope:
                self.answer = await work()
        except Exception as error:  # noqa: BLE001
            # Told to whoever asks for the call; one that fails does not end the server.
            self.failure = error
        finally:
            if self.answer is None and self.failure is None:
                self.failure = ToolError("The call was ended before it came to an answer.")
            self.ended.set()

    async def end(self) -> None:
        """End its model calls and sandboxes, and come back when nothing of it is left."""
        self._scope.cancel()
        with anyio.CancelScope(shield=True), anyio.move_on_after(_ENDED_WITHIN_S):
            await self.ended.wait()

    def told(self) -> ToolAnswer:
        """Return its answer, or how far it is.

        Raises:
            Exception: what it failed by.
        """
        if self.failure is not None:
            raise self.failure
        return self.answer or _under_way(self)


class CallDesk:
    """All calls that take long, of all clients."""

    def __init__(self, tasks: TaskGroup, ledger: Ledger, root: str) -> None:
        self.hand_over_after_s = HANDED_OVER_AFTER_S
        self._tasks = tasks
        self._ledger = ledger
        self._root = root
        self._held: dict[str, HeldCall] = {}

    async def answered(self, call: HeldCall, work: Callable[[], Awaitable[ToolAnswer]]) -> ToolAnswer:
        """Return the answer of a call, or, where that takes long, the id to ask for it by.

        Raises:
            Exception: what it failed by. A cancelled call is ended first.
        """
        self._tasks.start_soon(call.drive, work)
        try:
            with anyio.move_on_after(self.hand_over_after_s):
                await call.ended.wait()
        except anyio.get_cancelled_exc_class():
            await call.end()
            raise
        if call.ended.is_set():
            return call.told()
        call.reporter.silence()
        return await self._handed_over(call)

    def get(self, call_id: str) -> HeldCall | None:
        """Return the call of an id."""
        return self._held.get(call_id)

    async def end_all(self) -> None:
        """End all that is under way, at once."""
        async with anyio.create_task_group() as group:
            for call in self._held.values():
                group.start_soon(call.end)

    async def _handed_over(self, call: HeldCall) -> ToolAnswer:
        from codeens_mcp_tools.tools.reporting import of_live

        if call.run is not None and call.run.state is not None:
            return of_live(call.run)
        call.id = (await self._ledger.begin(call.tool, root=self._root)).id
        self._held[call.id] = call
        for old in [name for name, other in self._held.items() if other.ended.is_set()][:-_MOST_KEPT]:
            del self._held[old]
        self._tasks.start_soon(self._keep_answer, call)
        return call.told()

    async def _keep_answer(self, call: HeldCall) -> None:
        with anyio.CancelScope(shield=True):
            await call.ended.wait()
            if call.failure is not None or call.answer is None:
                failure = error_text(call.failure) if call.failure else ""
                await self._ledger.end(call.id, state="failed", failure=failure)
            else:
                document = to_json(call.answer.document)
                await self._ledger.end(call.id, state="finished", text=call.answer.text, document=document)


def _under_way(call: HeldCall) -> ToolAnswer:
    report = RunReport(
        run_id=call.id, state="running", function=call.tool, path="", progress=RunProgress(doing=call.reporter.last)
    )
    text = f"{call.tool} goes on as {call.id}.\nAsk again: get_run(id={call.id!r}, wait_seconds=40)."
    return ToolAnswer(text=text, document=report)

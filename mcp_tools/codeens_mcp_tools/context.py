"""What all tools share: the session of the library, runs, candidates. One per process, however many clients."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from msgspec import Struct

from codeens_mcp_tools.calls import CallDesk
from codeens_mcp_tools.candidates import CandidateCache
from codeens_mcp_tools.ledger import Ledger
from codeens_mcp_tools.roots import Roots
from codeens_mcp_tools.runs import LiveRuns
from codeens_mcp_tools.sandbox_sessions import SandboxSessions
from codeens_mcp_tools.tools.fitting import WholeAnswers

if TYPE_CHECKING:
    from codeens_mcp_tools.session import AgentSession


class ServerOptions(Struct, frozen=True, kw_only=True):
    """How the server was started."""

    roots: tuple[Path, ...]
    trusted: bool = False
    environ: Mapping[str, str] | None = None
    """None: that of the process."""


class AppContext:
    """The shared things."""

    def __init__(self, options: ServerOptions, tasks: TaskGroup, stack: AsyncExitStack) -> None:
        self.roots = Roots(options.roots)
        self.ledger = Ledger(tasks, self.session)
        self.runs = LiveRuns(tasks, self.ledger)
        self.desk = CallDesk(tasks, self.ledger, str(self.roots.first))
        self.kept = CandidateCache()
        self.whole = WholeAnswers()
        self.sandbox_sessions = SandboxSessions()
        self._options = options
        self._tasks = tasks
        self._stack = stack
        self._opening = anyio.Lock()
        self._session: AgentSession | None = None

    def prepare(self) -> None:
        """Begin to import what tools need."""
        if self._session is None:
            self._tasks.start_soon(self.session)

    async def session(self) -> AgentSession:
        """Return the session. What it needs is imported at the first time, in a thread: first answers need not wait."""
        async with self._opening:
            if self._session is None:
                # The end of the server does not wait for an import, which can take long on a busy machine.
                made = await anyio.to_thread.run_sync(self._made, abandon_on_cancel=True)
                self._session = await self._stack.enter_async_context(made)
            return self._session

    def _made(self) -> AgentSession:
        from codeens_mcp_tools.session import AgentSession

        return AgentSession(self._options, self.roots, self._tasks)


@asynccontextmanager
async def open_context(options: ServerOptions) -> AsyncGenerator[AppContext]:
    """Open the shared context; when the block is left nothing that was begun in it is there any more."""
    async with anyio.create_task_group() as tasks, AsyncExitStack() as stack:
        app = AppContext(options, tasks, stack)
        try:
            yield app
        finally:
            with anyio.CancelScope(shield=True):
                await app.desk.end_all()
                await app.runs.end_all()
                await app.ledger.settled()
                tasks.cancel_scope.cancel()
                await stack.aclose()

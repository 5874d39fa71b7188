"""The session of the library as agents may use it: inside the roots, and within the user's limits.

Takes long to import, so that nothing imports it before a client is about to call a tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import anyio.to_thread
from anyio.abc import TaskGroup

from codeens import Code, CodeensError, RunState, Session, Settings, Target
from codeens_mcp_tools.context import ServerOptions
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.roots import Roots
from codeens_server.store.calls import CallRecord

_ISOLATES_NOTHING = "unsafe"
_CODES_BETWEEN = 100
"""Calls that bring code, from one tidying to the next."""


class AgentSession(Session):
    """A session whose functions, tests and runs are of files in the roots, or of code that came with a call."""

    def __init__(self, options: ServerOptions, roots: Roots, tasks: TaskGroup) -> None:
        """Prepare it.

        Args:
            options: how the server was started.
            roots: what may be read and written; the session's own folder is the first.
            tasks: where kept code is tidied.
        """
        super().__init__(roots.first, environ=options.environ, trusted=options.trusted)
        self.roots = roots
        self._tasks = tasks
        self._codes_given = 0

    @property
    def root(self) -> Path:
        """The project around the first root, as far as it may be looked at."""
        root = super().root
        return root if root in self.roots.folders else self.roots.first

    async def subject(self, target: str | None, code: str | None, function: str | None) -> Target:
        """Return the function that a call is about.

        Args:
            target: `path.py::function` in a root.
            code: a module, in place of a file.
            function: the function's name in `code`; None: the only one.

        Raises:
            ToolError: both or none of `target` and `code` are given, or the file is outside of the roots.
            TargetError: there is no such function.
            ConfigError: the settings are broken.
        """
        if code is not None and target is None:
            self._tidy_now_and_then()
            return await self.target(Code(code, function))
        if target is None or code is not None:
            raise ToolError(
                "Say which function: either `target` (path.py::function of the workspace), or `code` with the module's "
                "source and `function` with its name."
            )
        if function is not None:
            raise ToolError("`target` names the function itself, as path.py::function; leave `function` out.")
        found = await self.target(await anyio.to_thread.run_sync(self._inside, target))
        for folder in (found.root, found.import_root):
            self.roots.check(Path(folder), f"the workspace {folder} of {target}")
        return found

    async def stored(self, run_id: str) -> RunState:
        """Return a run that is kept, of a function that this server may read.

        Raises:
            InputError: there is none of that id, or several.
            ToolError: it is about a file outside of the roots.
        """
        state = await self.state(run_id)
        if not await anyio.to_thread.run_sync(self.is_code, state.target):
            self.roots.check(Path(state.target.path), f"the file of run {state.run_id}")
        return state

    def may_read(self, path: str) -> bool:
        """Return whether a file is in the roots, or code that came without one."""
        return self.roots.holds(Path(path)) or self.is_code(Path(path))

    def check_record(self, record: CallRecord) -> None:
        """See that what was begun, by this server or another, is about files that this one may read.

        Raises:
            ToolError: it is not.
        """
        of = record.path or record.root
        if not self.may_read(of):
            self.roots.check(Path(of), f"what {record.id} is about")

    async def limits_for(self, target: Target, backend: str | None) -> Settings:
        """Return the settings for a function, by which the user limits a call about it.

        Raises:
            ToolError: the call asks for a sandbox that isolates nothing, and the user did not.
        """
        return _allowed(await anyio.to_thread.run_sync(self.settings_of, target), backend)

    def limits_here(self, backend: str | None) -> Settings:
        """Return the settings for code without a file; may block. See `limits_for`.

        Raises:
            ToolError: the call asks for a sandbox that isolates nothing, and the user did not.
        """
        return _allowed(self.settings_here(), backend)

    def check_tests(self, target: Target, tests: Sequence[str], deselected: Sequence[str] = ()) -> None:
        """See that tests are of the workspace, and that those to judge by are there; may block.

        Raises:
            ToolError: there is no workspace, or one is outside.
            InputError: there is none of that name.
        """
        if (tests or deselected) and self.is_code(target):
            raise ToolError("Tests of a workspace judge a function of a file: give `target` in place of the code.")
        for test in (*tests, *deselected):
            self.roots.check(Path(target.root) / test.partition("::")[0], f"the test {test}")
        super().check_tests(target, tests)

    def _inside(self, target: str) -> str:
        """Return a target with the real path of its file."""
        path, colons, name = target.partition("::")
        if not colons:
            path, colons, name = target.rpartition(":")
        if colons and path:
            return f"{self.roots.resolve(path)}{colons}{name}"
        return str(self.roots.resolve(target))

    def _tidy_now_and_then(self) -> None:
        self._codes_given += 1
        if self._codes_given % _CODES_BETWEEN == 1:
            self._tasks.start_soon(self._tidied)

    async def _tidied(self) -> None:
        with suppress(CodeensError, OSError):
            await self.tidy()


def _allowed(settings: Settings, backend: str | None) -> Settings:
    if backend == _ISOLATES_NOTHING != settings.sandbox:
        raise ToolError(
            "The sandbox unsafe isolates nothing, and only the user can choose it, in their own settings. "
            "Leave `backend` out."
        )
    return settings

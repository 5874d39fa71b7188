"""`codeens.findSlowFunctions`: which functions of a file a program's time goes into, to run ensembles on."""

from __future__ import annotations

import shlex
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from lsprotocol import types

from codeens_server.errors import Hint, InputError
from codeens_server.lsp.documents.buffers import file_of, first_folder
from codeens_server.lsp.documents.documents import Documents
from codeens_server.lsp.runs.messages import SlowArguments, SlowPlace, SlowPlaces, read, written
from codeens_server.lsp.transport.configuration import Configuration
from codeens_server.programs.command import tests_naming

if TYPE_CHECKING:
    from codeens_server.programs.optimizing import RankedFunction


class SlowFinder:
    """The command."""

    def __init__(self, documents: Documents, configuration: Configuration) -> None:
        self._documents = documents
        self._configuration = configuration

    async def execute(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Run a program under the sampler, in the sandbox, and return where in the file its time goes."""
        asked = read(params, SlowArguments)
        self._configuration.check_trust()
        path = file_of(asked.uri)
        if path is None:
            message = f"{asked.uri} is no file, so that no program runs it."
            raise InputError(message, code="no_file", hint=Hint("fix", "Save it first."))
        root = first_folder(self._documents) or path.parent
        settings = (await self._configuration.load(root, None)).settings
        command = asked.command or await anyio.to_thread.run_sync(_usual, path, root)
        # The library takes half a second to import.
        await anyio.to_thread.run_sync(import_module, "codeens._session")
        from codeens import Session
        from codeens_server.programs.optimizing import rank
        from codeens_server.programs.profiling import profiled_command

        async with Session(root, settings=settings, trusted=self._configuration.is_trusted) as session:
            _, profile = await profiled_command(session, root, command)
            ranked = await rank(session, root, profile)
        places = tuple(_place(one) for one in ranked if _is_meant(one, path, asked))
        ended = "; ".join(filter(None, (profile.ended, *profile.notes)))
        return written(SlowPlaces(program=command, ended=ended, functions=places))


def _is_meant(one: RankedFunction, path: Path, asked: SlowArguments) -> bool:
    line = one.target.line - 1
    first, last = asked.first_line or 0, asked.last_line if asked.last_line is not None else line
    return Path(one.target.path) == path and first <= line <= last


def _place(one: RankedFunction) -> SlowPlace:
    return SlowPlace(
        uri=Path(one.target.path).as_uri(),
        function=one.target.qualname,
        line=one.target.line - 1,
        text=f"{one.share:.0%} of the time",
    )


def _usual(path: Path, root: Path) -> str:
    """Return what runs a module without being told: the first file of tests that names it, else the file itself."""
    test = tests_naming(path, root)
    word, file = ("python", path) if test is None else ("pytest", test)
    return shlex.join((word, str(file.relative_to(root) if file.is_relative_to(root) else file)))

"""What is run: a script, a module or tests of a workspace, as a command line says it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from codeens_server.errors import Hint, InputError


class ProgramCommand(Struct, frozen=True):
    """A program and its arguments."""

    kind: Literal["script", "module", "pytest"]
    name: str
    """An absolute path, with the test that is meant; or a module."""
    argv: tuple[str, ...] = ()


def read_command(command: str, root: Path, resolve: Callable[[str], Path] | None = None) -> ProgramCommand:
    """Read a command line: `bench.py ARG`, `python -m package`, `pytest tests/test_a.py`.

    Args:
        command: as for a shell.
        root: the workspace.
        resolve: returns the path of a file that is named, or refuses it; None: from the workspace.

    Raises:
        InputError: it is none of these, or there is no such file.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise _refused(f"{command!r} is no command line: {error}.") from None
    if words[:1] in (["python"], ["python3"]):
        words = words[1:]
    is_module = words[:1] == ["-m"]
    words = words[1:] if is_module else words
    if not words or words == ["pytest"]:
        raise _refused("nothing is said that could be run.")
    if is_module and words[0] != "pytest":
        return ProgramCommand("module", words[0], tuple(words[1:]))
    is_test = words[0] == "pytest"
    words = words[1:] if is_test else words
    file, colons, rest = words[0].partition("::")
    path = resolve(file) if resolve else (root / file).resolve()
    if not path.is_file() and not (is_test and path.exists()):
        raise _refused(f"there is no file {file!r} below {root}.")
    is_test = is_test or path.name.startswith("test_") or path.name.endswith("_test.py")
    return ProgramCommand("pytest" if is_test else "script", f"{path}{colons}{rest}", tuple(words[1:]))


def _refused(message: str) -> InputError:
    advice = "Say what is run: python bench.py, python -m package, or pytest tests/test_a.py."
    return InputError(message, code="no_program", hint=Hint("fix", advice))

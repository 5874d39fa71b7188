"""What is run: a script, a module or tests of a workspace, as a command line says it."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from codeens_server.errors import Hint, InputError

_MOST_TESTS = 200
"""Files of tests that are looked into for a module's name."""


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
    is_test = is_test or _is_test(path)
    return ProgramCommand("pytest" if is_test else "script", f"{path}{colons}{rest}", tuple(words[1:]))


def command_for(file: str, root: Path) -> str:
    """Return the command that runs a file: itself; where that only defines things, the tests that name it. Blocks.

    Args:
        file: of the workspace, or a test in it.
        root: the workspace.

    Raises:
        InputError: it only defines things, and no tests name it.
    """
    path = (root / file.partition("::")[0]).resolve()
    if not path.is_file() or _is_test(path) or _does_something(path):
        return shlex.quote(file)
    if test := tests_naming(path, root):
        return shlex.join(("pytest", str(test.relative_to(root) if test.is_relative_to(root) else test)))
    message = f"{file} only defines things, so that running it takes no time, and no file of tests names it."
    raise InputError(message, code="no_program", hint=Hint("fix", "Say what uses it: --command CMD."))


def tests_naming(path: Path, root: Path) -> Path | None:
    """Return the first file of tests of a workspace that names a module; the file itself where it is one. Blocks."""
    from codeens_server.evidence.tests.discovery import pytest_files

    tests = pytest_files(root, limit=_MOST_TESTS)
    named = re.compile(rf"\b{re.escape(path.stem)}\b")
    naming = (test for test in tests if named.search(test.read_text(encoding="utf-8", errors="replace")))
    return path if path in tests else next(naming, None)


def _is_test(path: Path) -> bool:
    return path.name.startswith("test_") or path.name.endswith("_test.py")


def _does_something(path: Path) -> bool:
    """Return whether a module does anything but define names; also one that is no Python."""
    try:
        return _acts(ast.parse(path.read_bytes()).body)
    except (SyntaxError, ValueError, OSError):
        return True


def _acts(statements: Sequence[ast.stmt]) -> bool:
    for node in statements:
        match node:
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr() | ast.For() | ast.While() | ast.With():
                return True
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
                return True
            case ast.If() | ast.Try():
                if _acts([*node.body, *node.orelse]):
                    return True
            case _:
                pass
    return False


def _refused(message: str) -> InputError:
    advice = "Say what is run: python bench.py, python -m package, or pytest tests/test_a.py."
    return InputError(message, code="no_program", hint=Hint("fix", advice))

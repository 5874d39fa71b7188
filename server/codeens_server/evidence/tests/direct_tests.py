"""Which tests of a file lead to the target by name, so that they can be run before and without the rest of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from codeens_server.evidence.strategies.definitions import last_name
from codeens_server.evidence.tests.import_graph import names_in
from codeens_server.parsing import ParseFailure, parse


class DirectTests(NamedTuple):
    """Node ids of the tests of one file that name the target, themselves or through something else in the file."""

    file: str
    ids: tuple[str, ...] = ()
    is_all: bool = False
    """The file has no other tests."""


def direct_tests(root: Path, file: str, name: str) -> DirectTests:
    """Read a test file; without ids where it cannot be read or nothing in it names the target."""
    try:
        tree = parse((root / file).read_bytes())
    except OSError:
        return DirectTests(file)
    if isinstance(tree, ParseFailure):
        return DirectTests(file)
    used = {defined: names_in(statement) for statement in tree.body for defined in _defined(statement)}
    leading = _leading(used, name)
    tests = [test for statement in tree.body if (test := _test_name(statement))]
    ids = tuple(f"{file}::{test}" for test in tests if test in leading)
    return DirectTests(file, ids, is_all=len(ids) == len(tests))


def _defined(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, ast.Assign):
        yield from (target.id for target in statement.targets if isinstance(target, ast.Name))


def _leading(used: Mapping[str, frozenset[str]], name: str) -> set[str]:
    """What names the target, or names something that does: fixtures, helpers, tables of cases."""
    leading: set[str] = set()
    wanted = {name}
    while found := {defined for defined, names in used.items() if defined not in leading and names & wanted}:
        leading |= found
        wanted = found
    return leading


def _test_name(statement: ast.stmt) -> str:
    """By pytest's default names; where a project has others, the file is run as a whole."""
    if isinstance(statement, ast.ClassDef):
        is_case = any(last_name(base).endswith("TestCase") for base in statement.bases)
        return statement.name if is_case or statement.name.startswith("Test") else ""
    is_function = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef))
    return statement.name if is_function and statement.name.startswith("test") else ""

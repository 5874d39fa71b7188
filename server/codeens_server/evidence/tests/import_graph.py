"""What a file imports and names, read from its syntax tree: which of its tests lead to the target, and how."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from codeens_server.evidence.strategies.definitions import last_name
from codeens_server.files import read_regular
from codeens_server.syntax.parsing import ParseFailure, parse

_MAX_FILE_BYTES = 1 << 20
_IMPORT = re.compile(
    r"^[ \t]*(?:import[ \t]+\w(?:[^\n;#\\]|\\\n)*"
    r"|from[ \t]+[\w.]+[ \t]+import[ \t]+(?:\([^)]*\)|(?:[^\n;#(\\]|\\\n)+))",
    re.MULTILINE,
)


class FileFacts(NamedTuple):
    """What one Python file says."""

    imports: frozenset[str]
    """Dotted names imported; `from a import b` gives `a` and `a.b`."""
    names: frozenset[str]
    """Identifiers and attributes used anywhere."""


_NOTHING = FileFacts(frozenset(), frozenset())


def facts_of(path: Path, *, module: str) -> FileFacts:
    """Read a file's facts; empty for one that cannot be read. `module` resolves its relative imports."""
    try:
        tree = parse(read_regular(path, _MAX_FILE_BYTES))
    except OSError:
        return _NOTHING
    if isinstance(tree, ParseFailure):
        return _NOTHING
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    imports = frozenset(name for node in ast.walk(tree) for name in _imported(node, package))
    return FileFacts(imports, names_in(tree))


def imports_of(path: Path, *, module: str) -> frozenset[str]:
    """Read what a file imports from its import statements alone: some ten times as quick as `facts_of`.

    Text in a string that looks like an import counts as one.
    """
    try:
        text = read_regular(path, _MAX_FILE_BYTES).decode("utf-8", "replace")
    except OSError:
        return frozenset()
    statements = "\n".join(match[0].strip() for match in _IMPORT.finditer(text))
    tree = parse(statements)
    if isinstance(tree, ParseFailure):
        return facts_of(path, module=module).imports
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return frozenset(name for node in ast.walk(tree) for name in _imported(node, package))


def names_in(tree: ast.AST) -> frozenset[str]:
    """Return identifiers, attributes, parameters and imported names anywhere in a piece of syntax."""
    return frozenset(name for node in ast.walk(tree) for name in _named(node))


def _imported(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(node, package)
        yield base
        yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - (node.level - 1)]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield node.name.rpartition(".")[2]


class ImportGraph:
    """Follows imports among the files below some roots, each file read once and at most `max_files` of them."""

    def __init__(self, roots: tuple[Path, ...], *, max_files: int) -> None:
        self._roots = roots
        self._left = max_files
        self._edges: dict[str, frozenset[str]] = {}

    def reaches(self, imports: frozenset[str], goals: frozenset[str]) -> bool:
        """Return whether importing these names ends up importing one of the modules `goals`."""
        pending = list(imports)
        seen: set[str] = set()
        while pending:
            for module in _with_parents(pending.pop()):
                if module in goals:
                    return True
                if module not in seen:
                    seen.add(module)
                    pending.extend(self._imports_of(module))
        return False

    def _imports_of(self, module: str) -> frozenset[str]:
        if module not in self._edges:
            self._edges[module] = self._read(module)
        return self._edges[module]

    def _read(self, module: str) -> frozenset[str]:
        path = self._find(module)
        if path is None or self._left <= 0:
            return frozenset()
        self._left -= 1
        return imports_of(path, module=module)

    def _find(self, module: str) -> Path | None:
        for root in self._roots:
            base = root.joinpath(*module.split("."))
            for path in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
                if path.is_file():
                    return path
        return None


def _with_parents(name: str) -> Iterator[str]:
    """Yield a module and the packages above, which are imported too: `a.b.c`, `a.b`, `a`."""
    while name:
        yield name
        name = name.rpartition(".")[0]


class DirectTests(NamedTuple):
    """Node ids of the tests of one file that name the target, themselves or through something else in the file."""

    file: str
    ids: tuple[str, ...] = ()
    is_all: bool = False
    """The file has no other tests."""


def direct_tests(root: Path, file: str, name: str) -> DirectTests:
    """Read a test file; without ids where it cannot be read or nothing in it names the target."""
    try:
        tree = parse(read_regular(root / file, _MAX_FILE_BYTES))
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
    """Return what names the target, or names something that does: fixtures, helpers, tables of cases."""
    leading: set[str] = set()
    wanted = {name}
    while found := {defined for defined, names in used.items() if defined not in leading and names & wanted}:
        leading |= found
        wanted = found
    return leading


def _test_name(statement: ast.stmt) -> str:
    """Return the name of a test by pytest's default names; where a project has others, the file is run as a whole."""
    if isinstance(statement, ast.ClassDef):
        is_case = any(last_name(base).endswith("TestCase") for base in statement.bases)
        return statement.name if is_case or statement.name.startswith("Test") else ""
    is_function = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef))
    return statement.name if is_function and statement.name.startswith("test") else ""

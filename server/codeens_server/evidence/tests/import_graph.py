"""What a file imports, and whether that leads to a module, read from syntax trees only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from codeens_server.parsing import ParseFailure, parse

_MAX_FILE_BYTES = 1 << 20


class FileFacts(NamedTuple):
    """What one Python file says."""

    imports: frozenset[str]
    """Dotted names imported; `from a import b` gives `a` and `a.b`."""
    names: frozenset[str]
    """Identifiers and attributes used anywhere."""


_NOTHING = FileFacts(frozenset(), frozenset())


def facts_of(path: Path, *, module: str) -> FileFacts:
    """The facts of a file; empty for one that cannot be read or parsed. `module` resolves its relative imports."""
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            return _NOTHING
        tree = parse(path.read_bytes())
    except OSError:
        return _NOTHING
    if isinstance(tree, ParseFailure):
        return _NOTHING
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    imports = frozenset(name for node in ast.walk(tree) for name in _imported(node, package))
    return FileFacts(imports, names_in(tree))


def names_in(tree: ast.AST) -> frozenset[str]:
    """Identifiers, attributes, parameters and imported names anywhere in a piece of syntax."""
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
        """Whether importing these names ends up importing one of the modules `goals`."""
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
        return facts_of(path, module=module).imports

    def _find(self, module: str) -> Path | None:
        for root in self._roots:
            base = root.joinpath(*module.split("."))
            for path in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
                if path.is_file():
                    return path
        return None


def _with_parents(name: str) -> Iterator[str]:
    """The packages above are imported too: `a.b.c`, `a.b`, `a`."""
    while name:
        yield name
        name = name.rpartition(".")[0]

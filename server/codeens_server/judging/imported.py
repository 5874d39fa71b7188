"""Names that a file imports from the workspace: what changes of such modules, classes and instances is compared."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from codeens_server.domain.target import Target
from codeens_server.errors import TargetError
from codeens_server.judging.tampering import compared_names
from codeens_server.syntax.parsing import parse
from codeens_server.workspace.text import read_source


def compared_imports(file: ast.Module, target: Target) -> set[str]:
    """Return the names in a file of modules of the workspace, and of classes and their instances from these.

    Args:
        file: the target's, parsed.
        target: the function in it.
    """
    return {name for node in file.body for name in _compared(node, target)}


def _compared(node: ast.stmt, target: Target) -> Iterator[str]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            name = alias.name if alias.asname else alias.name.partition(".")[0]
            if _tree(name, target) is not None:
                yield alias.asname or name
    elif isinstance(node, ast.ImportFrom):
        owner = _absolute(node, target)
        tree = _tree(owner, target)
        there = compared_names(tree) if tree is not None else set[str]()
        for alias in node.names:
            if alias.name in there or _tree(f"{owner}.{alias.name}", target) is not None:
                yield alias.asname or alias.name


def _absolute(node: ast.ImportFrom, target: Target) -> str:
    """Return the full name of the module that is imported from."""
    if not node.level:
        return node.module or ""
    is_package = Path(target.path).stem == "__init__"
    parts = target.module.split(".")
    package = parts[: len(parts) - node.level + is_package]
    return ".".join([*package, *([node.module] if node.module else [])])


def _tree(module: str, target: Target) -> ast.Module | None:
    """Return the module's syntax tree; None where it is none of the workspace's."""
    base = Path(target.import_root, *module.split("."))
    path = next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
    if not module or path is None or not path.resolve().is_relative_to(Path(target.root).resolve()):
        return None
    try:
        tree = parse(read_source(path).text)
    except TargetError:
        return None
    return tree if isinstance(tree, ast.Module) else None

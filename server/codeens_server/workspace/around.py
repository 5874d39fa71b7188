"""What a function uses of its class, of other modules of the workspace, and who calls it."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

from codeens_server.domain.target import Target
from codeens_server.syntax.parsing import ParseFailure, parse
from codeens_server.workspace.functions import FunctionSite
from codeens_server.workspace.indent import dedent
from codeens_server.workspace.text import lines_of

MOST_CHARACTERS = 4000
"""Of each of these parts."""
_MOST_CALLERS = 4
_MOST_FILES = 300
_LARGEST_FILE = 200_000
_SKIPPED = frozenset({"tests", "node_modules", "site-packages", "venv", "env", "build", "dist", "__pycache__"})


def siblings(site: FunctionSite, lines: list[str]) -> str:
    """Return the methods and properties of its class that a method uses, also through each other."""
    if not site.scopes or not isinstance(owner := site.scopes[-1], ast.ClassDef):
        return ""
    methods: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
    for node in owner.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name != "__init__":
            methods.setdefault(node.name, []).append(node)
    wanted, seen, chosen, size = sorted(_attributes(site.node, owner.name)), {site.node.name}, list[str](), 0
    while wanted:
        name = wanted.pop(0)
        if name in seen or name not in methods:
            continue
        seen.add(name)
        for node in methods[name]:
            text = _segment(lines, node)
            if size + len(text) <= MOST_CHARACTERS:
                size += len(text)
                chosen.append(text)
                wanted += sorted(_attributes(node, owner.name))
    return "\n".join(chosen)


def elsewhere(target: Target, tree: ast.Module, used: set[str]) -> tuple[str, ...]:
    """Return what is defined in other modules of the workspace under names that are used: signatures and fields."""
    found, size = list[str](), 0
    for module, name in _imported(target, tree, used):
        shown = _outline(target, module, name)
        if shown and size + len(shown) <= MOST_CHARACTERS:
            size += len(shown)
            found.append(shown)
    return tuple(found)


def bases(site: FunctionSite) -> set[str]:
    """Return the names of its class's bases."""
    owner = site.scopes[-1] if site.scopes else None
    nodes = owner.bases if isinstance(owner, ast.ClassDef) else []
    return {name.id for node in nodes for name in ast.walk(node) if isinstance(name, ast.Name)}


def callers(target: Target) -> tuple[str, ...]:
    """Return how other code of the workspace, tests aside, calls the function: the statements, with their places."""
    name = target.qualname.rpartition(".")[2]
    found = list[str]()
    for path in _files(target):
        text = _text(path)
        if f"{name}(" not in text or not _may_mean(target, path, text):
            continue
        found += _calls_in(text, path, target, name)
        if len(found) >= _MOST_CALLERS:
            break
    return tuple(found[:_MOST_CALLERS])


def _may_mean(target: Target, path: Path, text: str) -> bool:
    """Return whether a file that calls a function of that name can mean this one: it knows its module, or its class."""
    owner = target.qualname.rpartition(".")[0]
    return path == Path(target.path) or (owner or target.module.rpartition(".")[2]) in text


def _calls_in(text: str, path: Path, target: Target, name: str) -> Iterator[str]:
    tree = _parsed(text)
    own = range(target.line, target.end_line + 1) if path == Path(target.path) else range(0)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not hasattr(node, "body") and node.lineno not in own and _calls(node, name):
            code = ast.get_source_segment(text, node) or ""
            if len(code) <= MOST_CHARACTERS // _MOST_CALLERS:
                yield f"# {path.relative_to(target.root)}:{node.lineno}\n{dedent(code)}"


def _calls(node: ast.stmt, name: str) -> bool:
    called = (call.func for call in ast.walk(node) if isinstance(call, ast.Call))
    return any(getattr(each, "attr", getattr(each, "id", None)) == name for each in called)


def _attributes(node: ast.AST, owner: str) -> set[str]:
    """Return names that are taken from `self`, `cls`, `super()` or the class."""
    return {
        part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute)
        and isinstance(part.value, ast.Name)
        and part.value.id in {"self", "cls", owner}
    }


def _segment(lines: list[str], node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return "".join(lines[start - 1 : node.end_lineno])


def _imported(target: Target, tree: ast.Module, used: set[str]) -> Iterator[tuple[Path, str]]:
    """Yield file and name of what is imported from modules of the workspace, and used."""
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom):
            continue
        folder = Path(target.import_root)
        if node.level:
            folder = Path(target.path).parents[node.level - 1]
        base = folder.joinpath(*(node.module or "").split("."))
        for alias in node.names:
            if (alias.asname or alias.name) in used:
                for path in (base.with_suffix(".py"), base / "__init__.py", base / f"{alias.name}.py"):
                    if path.is_file() and Path(target.root) in path.parents:
                        yield path, alias.name
                        break


def _outline(target: Target, path: Path, name: str) -> str:
    text = _text(path)
    lines = lines_of(text)
    for node in _parsed(text).body:
        if getattr(node, "name", None) != name:
            continue
        where = f"# {path.relative_to(target.root)}\n"
        if isinstance(node, ast.ClassDef):
            return where + _class_outline(node, lines)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return where + _head(node, lines)
    return ""


def _class_outline(node: ast.ClassDef, lines: list[str]) -> str:
    start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    parts = ["".join(lines[start - 1 : node.body[0].lineno - 1]) or lines[node.lineno - 1]]
    for part in node.body:
        if isinstance(part, (ast.Assign, ast.AnnAssign)) or getattr(part, "name", "") == "__init__":
            parts.append("".join(lines[part.lineno - 1 : part.end_lineno]))
        elif isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parts.append(_head(part, lines))
    return "".join(parts)


def _head(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> str:
    """Return a function's first lines, up to where its body begins, and `...` for the body."""
    start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    first = node.body[0]
    head = "".join(lines[start - 1 : first.lineno - 1])
    if ast.get_docstring(node) is not None:
        head += "".join(lines[first.lineno - 1 : first.end_lineno])
    elif first.lineno == node.lineno:
        return lines[node.lineno - 1]
    return f"{head.rstrip()}\n{' ' * first.col_offset}...\n"


def _files(target: Target) -> Iterator[Path]:
    """Yield the workspace's modules, the function's own first; tests are evidence, not callers."""
    own, seen = Path(target.path), 0
    yield own
    for folder, inner, names in os.walk(target.root):
        inner[:] = sorted(name for name in inner if name not in _SKIPPED and not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if not name.endswith(".py") or path == own or name.startswith("test_") or name == "conftest.py":
                continue
            seen += 1
            if seen > _MOST_FILES:
                return
            yield path


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.is_file() and path.stat().st_size <= _LARGEST_FILE else ""
    except (OSError, ValueError):
        return ""


def _parsed(text: str) -> ast.Module:
    tree = parse(text)
    return ast.Module(body=[], type_ignores=[]) if isinstance(tree, ParseFailure) else tree

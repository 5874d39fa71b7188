"""What the file around a function says about the names that the function uses."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from codeens_server.domain import Target
from codeens_server.workspace.functions import FunctionSite, functions_in
from codeens_server.workspace.text import parse

LONGEST_VALUE = 4000
"""Characters of a module constant that are still looked at."""


class Facts(Struct, frozen=True, kw_only=True):
    """Names of a module as one of its functions sees them."""

    names: frozenset[str] = frozenset()
    """Bound at module level, imports included."""
    imports: dict[str, str] = {}
    """Imported name to where it is from: `{"np": "numpy", "deque": "collections.deque"}`."""
    values: dict[str, str] = {}
    """Source of names that the module assigns once."""
    enclosing: frozenset[str] = frozenset()
    """Bound by functions around this one."""
    star: bool = False
    """The module has a star import, so that any name may be bound."""

    def binds(self, name: str) -> bool:
        """Whether the name may be something else than the builtin of that name."""
        return self.star or name in self.names or name in self.enclosing

    def with_import(self, line: str) -> Facts:
        """These facts after one more import at the top of the module."""
        imports = dict(_imported(ast.parse(line).body[0]))
        return replace(self, names=self.names | set(imports), imports={**self.imports, **imports})


def facts_of(source: str, target: Target) -> Facts:
    """Read the facts of a target's file.

    Raises:
        TargetError: the text does not parse, or the target is not where it was.
    """
    tree = parse(source, target.path)
    site = site_of(tree, target)
    assigned: dict[str, list[ast.expr]] = {}
    names, imports, star = set[str](), dict[str, str](), False
    for node in _module_level(tree):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            star = True
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            imports.update(_imported(node))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            names.add(node.id)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            for bound in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(bound, ast.Name):
                    assigned.setdefault(bound.id, []).append(node.value)
    rebound = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    return Facts(
        names=frozenset(names | rebound | set(imports)),
        imports={name: origin for name, origin in imports.items() if name not in names | rebound},
        values={name: text for name, text in _constants(assigned) if name not in rebound},
        enclosing=_enclosing(site),
        star=star,
    )


def site_of(tree: ast.Module, target: Target) -> FunctionSite:
    """The target's place in its module's tree.

    Raises:
        StopIteration: the tree is not of the text that the target was found in.
    """
    return next(site for site in functions_in(tree) if (site.qualname, site.line) == (target.qualname, target.line))


def _module_level(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes of the module outside its functions and classes."""
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            pending.extend(ast.iter_child_nodes(node))


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            root = alias.name.split(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (root, root)
    elif isinstance(node, ast.ImportFrom):
        prefix = "." * node.level + (node.module or "")
        for alias in node.names:
            yield alias.asname or alias.name, f"{prefix}.{alias.name}"


def _constants(assigned: dict[str, list[ast.expr]]) -> Iterator[tuple[str, str]]:
    for name, values in assigned.items():
        if len(values) != 1:
            continue
        with suppress(RecursionError):
            text = ast.unparse(values[0])
            if len(text) <= LONGEST_VALUE:
                yield name, text


def _enclosing(site: FunctionSite) -> frozenset[str]:
    names = set[str]()
    for scope in site.scopes:
        if isinstance(scope, ast.ClassDef):
            continue
        for node in ast.walk(scope):
            if isinstance(node, ast.arg):
                names.add(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                names.update(alias.asname or alias.name.split(".")[0] for alias in node.names)
    return frozenset(names)

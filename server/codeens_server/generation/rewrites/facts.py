"""What the file around a function says about the names that the function uses."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from codeens_server.domain.target import Target
from codeens_server.errors import ChangedError
from codeens_server.generation.rewrites.attributes import attributes_of
from codeens_server.workspace.functions import FunctionSite, functions_in
from codeens_server.workspace.text import parse_source

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
    attributes: dict[str, tuple[str, ...]] = {}
    """Of `self`: the source of all that the class ever assigns to it; an annotation begins with a colon."""
    overridden: bool = False
    """The function's name may mean another function: it is bound again, or a method of another class has it, too."""
    star: bool = False
    """The module has a star import, so that any name may be bound."""

    def binds(self, name: str) -> bool:
        """Return whether the name may be something else than the builtin of that name."""
        return self.star or name in self.names or name in self.enclosing

    def with_import(self, line: str) -> Facts:
        """Return these facts with one more import at the top of the module."""
        imports = dict(_imported(parse_source(line, "an import").body[0]))
        return replace(self, names=self.names | set(imports), imports={**self.imports, **imports})


def facts_of(source: str, target: Target) -> Facts:
    """Read the facts of a target's file.

    Raises:
        TargetError: the text does not parse.
        ChangedError: the target is not where it was.
    """
    tree = parse_source(source, target.path)
    site = _site_of(tree, target)
    nodes = list(_module_level(tree))
    outside = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    # What is imported under a condition, as for type checkers only, may not be there.
    imports = {name: origin for node in tree.body for name, origin in _imported(node)}
    names = outside | {name for node in nodes if node not in tree.body or not _imports(node) for name in _bound(node)}
    return Facts(
        names=frozenset(names | set(imports)),
        imports={name: origin for name, origin in imports.items() if name not in names},
        values={name: text for name, text in _constants(nodes) if name not in outside},
        enclosing=_enclosing(site),
        attributes=attributes_of(site.scopes[-1]) if site.scopes and isinstance(site.scopes[-1], ast.ClassDef) else {},
        overridden=_is_overridden(tree, site, outside),
        star=any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in nodes),
    )


def _site_of(tree: ast.Module, target: Target) -> FunctionSite:
    for site in functions_in(tree):
        if (site.qualname, site.line) == (target.qualname, target.line):
            return site
    message = f"{target.qualname} is no longer at line {target.line} of {target.path}; run again."
    raise ChangedError(message)


def _imports(node: ast.AST) -> bool:
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _bound(node: ast.AST) -> Iterator[str]:
    """Return names that the node itself binds."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    else:
        yield from (name for name, _ in _imported(node))


def _module_level(tree: ast.Module | ast.ClassDef) -> Iterator[ast.AST]:
    """Return nodes of the module (or the class) outside its functions and classes."""
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


def _constants(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """Return names that are bound just once, by an assignment, with the source of the value."""
    times = Counter(name for node in nodes for name in _bound(node))
    for node in nodes:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            for bound in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(bound, ast.Name) and times[bound.id] == 1:
                    yield from _with_source(bound.id, node.value)


def _with_source(name: str, value: ast.expr) -> Iterator[tuple[str, str]]:
    with suppress(RecursionError):
        text = ast.unparse(value)
        if len(text) <= LONGEST_VALUE:
            yield name, text


def _enclosing(site: FunctionSite) -> frozenset[str]:
    functions = [scope for scope in site.scopes if not isinstance(scope, ast.ClassDef)]
    return frozenset(name for scope in functions for node in ast.walk(scope) for name in _bound(node))


def _is_overridden(tree: ast.Module, site: FunctionSite, outside: set[str]) -> bool:
    owner = site.scopes[-1] if site.scopes else tree
    nodes = ast.walk(owner) if not isinstance(owner, (ast.Module, ast.ClassDef)) else _module_level(owner)
    if sum(name == site.node.name for node in nodes for name in _bound(node)) != 1 or site.node.name in outside:
        return True
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node is not owner]
    return isinstance(owner, ast.ClassDef) and any(
        isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and one.name == site.node.name
        for other in classes
        for one in other.body
    )

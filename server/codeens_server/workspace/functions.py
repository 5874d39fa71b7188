"""What a syntax tree says of a module: its functions, the names it binds and uses, and whether code is the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from codeens_server.parsing import parse

_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Scope: TypeAlias = ast.ClassDef | FunctionNode


class FunctionSite(NamedTuple):
    """A function definition and the scopes around it, outermost first."""

    node: FunctionNode
    scopes: tuple[Scope, ...]

    @property
    def qualname(self) -> str:
        """As Python writes it: functions that enclose add `<locals>`."""
        parts = [part for scope in self.scopes for part in _scope_parts(scope)]
        return ".".join([*parts, self.node.name])

    @property
    def line(self) -> int:
        """First line, decorators included; 1-based."""
        return min([self.node.lineno, *(decorator.lineno for decorator in self.node.decorator_list)])

    @property
    def end_line(self) -> int:
        return self.node.end_lineno or self.node.lineno

    @property
    def is_nested(self) -> bool:
        """Whether a function encloses it."""
        return any(not isinstance(scope, ast.ClassDef) for scope in self.scopes)

    @property
    def top_line(self) -> int:
        """First line of the module-level statement that holds it."""
        if not self.scopes:
            return self.line
        outer = self.scopes[0]
        return min([outer.lineno, *(decorator.lineno for decorator in outer.decorator_list)])


def _scope_parts(scope: Scope) -> tuple[str, ...]:
    return (scope.name,) if isinstance(scope, ast.ClassDef) else (scope.name, "<locals>")


def functions_in(tree: ast.Module) -> list[FunctionSite]:
    """Return all functions, methods and nested functions, in the order of the file."""
    return sorted(_walk(tree, ()), key=lambda site: site.line)


def _walk(root: ast.AST, scopes: tuple[Scope, ...]) -> Iterator[FunctionSite]:
    pending: list[tuple[ast.AST, tuple[Scope, ...]]] = [(root, scopes)]
    while pending:
        node, around = pending.pop()
        for child in _statements(node):
            inside = around
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield FunctionSite(child, around)
                inside = (*around, child)
            elif isinstance(child, ast.ClassDef):
                inside = (*around, child)
            pending.append((child, inside))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Return the statements inside of one, the only place where definitions are."""
    for name in _BLOCKS:
        yield from getattr(node, name, ())


def decorator_names(node: FunctionNode) -> list[str]:
    """Return decorators as dotted names, calls without their arguments: `functools.lru_cache`."""
    return [
        ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)
        for decorator in node.decorator_list
    ]


def is_body_missing(node: FunctionNode) -> bool:
    """Return whether the body is only a docstring, `...`, `pass` or `raise NotImplementedError`."""
    return all(_says_nothing(statement) for statement in node.body)


def _says_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass):
        return True
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, (str, type(...)))
    if isinstance(statement, ast.Raise) and statement.exc is not None:
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return False


def is_generator(node: FunctionNode) -> bool:
    """Return whether the function itself yields; what is nested in it does not count."""
    pending: list[ast.AST] = list(node.body)
    while pending:
        current = pending.pop()
        if isinstance(current, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(current, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            pending.extend(ast.iter_child_nodes(current))
    return False


def bound_names(node: ast.AST) -> list[str]:
    """Return names that a module-level statement binds in the module."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    return [found.id for found in ast.walk(node) if isinstance(found, ast.Name) and isinstance(found.ctx, ast.Store)]


def used_names(node: ast.AST) -> set[str]:
    """Return names that are read anywhere inside."""
    return {found.id for found in ast.walk(node) if isinstance(found, ast.Name) and isinstance(found.ctx, ast.Load)}


def normalised(text: str) -> str:
    """Return the dump of a text's tree without docstrings; the text itself where it is not Python."""
    tree = parse(text)
    if not isinstance(tree, ast.Module):
        return text
    for node in ast.walk(tree):
        if isinstance(node, Scope) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    try:
        return ast.dump(tree)
    except RecursionError:
        return text


def same_code(one: str, other: str) -> bool:
    """Return True if two texts differ in comments, layout and docstrings only."""
    return normalised(one) == normalised(other)

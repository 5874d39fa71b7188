"""What a syntax tree says of a module: its functions, the names it binds and uses, and whether code is the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from codeens_server.syntax.parsing import parse

_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Scope: TypeAlias = ast.ClassDef | FunctionNode


class Branch(NamedTuple):
    """A part of a statement that runs when another part of it does not."""

    statement: int
    """Line at which the statement begins."""
    part: str
    """Name of the part; parts of a `try` that run one after the other have one name."""


def exclude_each_other(some: tuple[Branch, ...], others: tuple[Branch, ...]) -> bool:
    """Return whether what is in some branches of a module and what is in others never run both."""
    parts = {branch.statement: branch.part for branch in some}
    return any(parts.get(branch.statement, branch.part) != branch.part for branch in others)


class FunctionSite(NamedTuple):
    """A function definition, the scopes around it and the branches that it is in, outermost first."""

    node: FunctionNode
    scopes: tuple[Scope, ...]
    branches: tuple[Branch, ...] = ()

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

    def is_alternative_to(self, other: FunctionSite) -> bool:
        """Return whether one is in a branch that is taken in place of the other's."""
        return exclude_each_other(self.branches, other.branches)


def _scope_parts(scope: Scope) -> tuple[str, ...]:
    return (scope.name,) if isinstance(scope, ast.ClassDef) else (scope.name, "<locals>")


def top_line(tree: ast.Module, site: FunctionSite) -> int:
    """Return the first line of the module-level statement that holds a function, decorators included."""
    top = next(node for node in tree.body if node.lineno <= site.node.lineno <= (node.end_lineno or node.lineno))
    decorators: list[ast.expr] = getattr(top, "decorator_list", [])
    return min([top.lineno, *(decorator.lineno for decorator in decorators)])


def functions_in(tree: ast.Module) -> list[FunctionSite]:
    """Return all functions, methods and nested functions, in the order of the file."""
    return sorted(_walk(tree, ()), key=lambda site: site.line)


def _walk(root: ast.AST, scopes: tuple[Scope, ...]) -> Iterator[FunctionSite]:
    pending: list[tuple[ast.AST, tuple[Scope, ...], tuple[Branch, ...]]] = [(root, scopes, ())]
    while pending:
        node, around, taken = pending.pop()
        for child, branch in _statements(node):
            inside = around
            branches = (*taken, branch) if branch else taken
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield FunctionSite(child, around, branches)
                inside = (*around, child)
            elif isinstance(child, ast.ClassDef):
                inside = (*around, child)
            pending.append((child, inside, branches))


def _statements(node: ast.AST) -> Iterator[tuple[ast.AST, Branch | None]]:
    """Yield the statements inside of one, the only place where definitions are, and the branch that each is in."""
    for name in _BLOCKS:
        for index, child in enumerate(getattr(node, name, ())):
            part = _part(node, name, index)
            yield child, Branch(node.lineno, part) if part and isinstance(node, ast.stmt) else None


def _part(node: ast.AST, block: str, index: int) -> str:
    """Return which of the alternatives of a statement a child is in; empty where the statement has none."""
    if isinstance(node, ast.If):
        return block
    if isinstance(node, (ast.Try, ast.TryStar)) and block != "finalbody":
        return f"handler {index}" if block == "handlers" else "no error"
    return f"case {index}" if isinstance(node, ast.Match) else ""


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

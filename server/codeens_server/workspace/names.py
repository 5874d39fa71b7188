"""Which names a statement binds, and whether two statements say the same."""

from __future__ import annotations

import ast

from codeens_server.parsing import parse_module


def bound_names(node: ast.AST) -> list[str]:
    """Names that a module-level statement binds in the module."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    return [found.id for found in ast.walk(node) if isinstance(found, ast.Name) and isinstance(found.ctx, ast.Store)]


def used_names(node: ast.AST) -> set[str]:
    """Names that are read anywhere inside."""
    return {found.id for found in ast.walk(node) if isinstance(found, ast.Name) and isinstance(found.ctx, ast.Load)}


def same_code(a: ast.AST, b: ast.AST) -> bool:
    """Whether two statements are the same but for docstrings and formatting."""
    return ast.dump(_Undocumented().visit(_copy(a))) == ast.dump(_Undocumented().visit(_copy(b)))


def _copy(node: ast.AST) -> ast.AST:
    return parse_module(ast.unparse(node))


class _Undocumented(ast.NodeTransformer):
    """Takes docstrings away."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._strip(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._strip(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._strip(node)

    def _strip(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node

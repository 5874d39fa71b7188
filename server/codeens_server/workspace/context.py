"""What stands around the function and is needed to rewrite it."""

from __future__ import annotations

import ast

from codeens_server.domain.target import Context, Target
from codeens_server.workspace.around import bases, callers, elsewhere, siblings
from codeens_server.workspace.functions import FunctionSite, bound_names, functions_in, used_names
from codeens_server.workspace.indent import dedent
from codeens_server.workspace.text import lines_of, parse_source, snapshot

MAX_CONTEXT_CHARS = 8000
"""Helpers past this are left out, nearest in use first."""


def context_of(target: Target) -> Context:
    """Return what the function uses, also through each other, of its module, its class and the workspace; and callers.

    Blocks: reads files of the workspace.
    """
    text = snapshot(target).text
    tree = parse_source(text, target.path)
    site = next(site for site in functions_in(tree) if site.line == target.line and site.qualname == target.qualname)
    lines = lines_of(text)
    return Context(
        imports="".join(_segment(lines, node) for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))),
        class_header=_class_header(site, lines),
        helpers=tuple(_helpers(tree, site, lines)),
        siblings=siblings(site, lines),
        elsewhere=elsewhere(target, tree, used_names(site.node) | bases(site)),
        callers=callers(target),
    )


def _segment(lines: list[str], node: ast.stmt) -> str:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    start = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return dedent("".join(lines[start - 1 : node.end_lineno]))


def _class_header(site: FunctionSite, lines: list[str]) -> str:
    """Return the class line, its fields and its `__init__`: what a method may rely on."""
    if not site.scopes or not isinstance(site.scopes[-1], ast.ClassDef):
        return ""
    owner = site.scopes[-1]
    header = "".join(lines[owner.lineno - 1 : owner.body[0].lineno - 1]) or lines[owner.lineno - 1]
    fields = [node for node in owner.body if isinstance(node, (ast.Assign, ast.AnnAssign))]
    init = [node for node in owner.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"]
    if site.node.name == "__init__":
        init = []
    parts = ["".join(lines[node.lineno - 1 : node.end_lineno]) for node in [*fields, *init]]
    return "".join([header, *parts])


def _helpers(tree: ast.Module, site: FunctionSite, lines: list[str]) -> list[str]:
    defined = {
        name: node
        for node in tree.body
        if not isinstance(node, (ast.Import, ast.ImportFrom))
        for name in bound_names(node)
    }
    top = next(node for node in tree.body if node.lineno <= site.node.lineno <= (node.end_lineno or node.lineno))
    wanted, seen, chosen, size = sorted(used_names(site.node)), {id(top)}, list[str](), 0
    while wanted:
        node = defined.get(wanted.pop(0))
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        text = _segment(lines, node)
        if size + len(text) > MAX_CONTEXT_CHARS:
            continue
        size += len(text)
        chosen.append(text)
        wanted += sorted(used_names(node))
    return chosen

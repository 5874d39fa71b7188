"""What a class assigns to the attributes of its instances."""

from __future__ import annotations

import ast
from collections.abc import Iterator

UNKNOWN = "..."
"""Stands for a value whose source says nothing."""


def attributes_of(owner: ast.ClassDef) -> dict[str, tuple[str, ...]]:
    """Return the source of all that the class assigns to `self.name`, by name; an annotation begins with a colon."""
    found: dict[str, list[str]] = {}
    for name, text in (*_declared(owner), *(one for node in ast.walk(owner) for one in _assigned(node))):
        found.setdefault(name, []).append(text)
    return {name: tuple(texts) for name, texts in found.items()}


def _declared(owner: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for node in owner.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, f":{ast.unparse(node.annotation)}"
        elif isinstance(node, ast.Assign):
            yield from ((target.id, UNKNOWN) for target in node.targets if isinstance(target, ast.Name))


def _assigned(node: ast.AST) -> Iterator[tuple[str, str]]:
    match node:
        case ast.AnnAssign(target=ast.Attribute(value=ast.Name(id="self"), attr=name), annotation=annotation):
            yield name, f":{ast.unparse(annotation)}"
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=name)], value=value):
            yield name, ast.unparse(value)
        case ast.Assign(targets=targets):
            yield from ((name, UNKNOWN) for target in targets for name in _stored(target))
        case ast.AugAssign(target=target) | ast.For(target=target):
            yield from ((name, UNKNOWN) for name in _stored(target))
        case ast.withitem(optional_vars=ast.expr() as target):
            yield from ((name, UNKNOWN) for name in _stored(target))
        case _:
            return


def _stored(target: ast.expr) -> Iterator[str]:
    for node in ast.walk(target):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            yield node.attr

"""Take a function out of a class that a model put around it."""

from __future__ import annotations

import ast

from codeens_server.workspace.functions import FunctionNode


def unwrap(wrapper: ast.ClassDef, name: str) -> list[str] | None:
    """Return the method `name` and the siblings it calls as plain functions, the method last.

    None when the class cannot be left out: the method uses the instance for more than calling siblings.
    Comments are lost, as the text is written anew.
    """
    methods = {item.name: item for item in wrapper.body if isinstance(item, FunctionNode)}
    needed: list[str] = []
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in needed:
            continue
        needed.append(current)
        plain = _Plain(wrapper.name, methods)
        methods[current] = plain.convert(methods[current])
        if plain.bound_to_class:
            return None
        waiting.extend(plain.siblings)
    return [ast.unparse(ast.fix_missing_locations(methods[sibling])) for sibling in reversed(needed)]


class _Plain(ast.NodeTransformer):
    """Rewrites `self.sibling` to `sibling`, and notices every other use of the instance or the class."""

    def __init__(self, class_name: str, methods: dict[str, FunctionNode]) -> None:
        self.owners = {class_name}
        self.methods = methods
        self.siblings: list[str] = []
        self.bound_to_class = False

    def convert(self, method: FunctionNode) -> FunctionNode:
        static = any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in method.decorator_list)
        method.decorator_list = [
            item
            for item in method.decorator_list
            if not (isinstance(item, ast.Name) and item.id in ("staticmethod", "classmethod"))
        ]
        positional = method.args.posonlyargs or method.args.args
        if not static and positional:
            self.owners.add(positional.pop(0).arg)
        self.generic_visit(method)
        return method

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id in self.owners and node.attr in self.methods:
            self.siblings.append(node.attr)
            return ast.Name(node.attr, node.ctx)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        self.bound_to_class |= node.id in self.owners
        return node

"""Writes encoded values as Python source that makes them again."""

from __future__ import annotations

from collections.abc import Iterable

from codeens_sandbox_backends.base import CallInput, Tree
from codeens_sandbox_backends.values.compare import render
from codeens_sandbox_backends.values.nodes import Node, open_node
from codeens_server.errors import InputError
from codeens_server.parsing import ParseFailure, parse_expression

_LONGEST = 20_000
_BUILTIN = frozenset({"scalar", "int", "str", "bytes", "bytearray", "complex", "range", "slice", "ellipsis"})
_CONTAINERS = frozenset({"list", "tuple", "set", "frozenset", "dict"})
_IMPORTED = {
    "deque": "from collections import deque",
    "Counter": "from collections import Counter",
    "OrderedDict": "from collections import OrderedDict",
    "Decimal": "from decimal import Decimal",
    "Fraction": "from fractions import Fraction",
    "date": "from datetime import date",
    "time": "from datetime import time",
    "datetime": "from datetime import datetime",
    "timedelta": "from datetime import timedelta",
    "uuid": "from uuid import UUID",
    "path": "from pathlib import Path",
}
_NAMED = frozenset({"enum", "namedtuple"})


def source_of_value(tree: Tree) -> tuple[str, set[str]]:
    """An expression for a value, and the imports that it needs.

    Raises:
        InputError: the value cannot be written so that the same comes out for certain.
    """
    imports = {line for node in _nodes([tree]) for line in _imports(node)}
    text = render(tree, _LONGEST)
    if isinstance(parse_expression(text), ParseFailure):
        raise _unwritable("a value that is too large or has no source")
    return text, imports


def imports_of(call: CallInput) -> set[str]:
    """The imports that the arguments of a call need.

    Raises:
        InputError: see `source_of_value`.
    """
    return {line for tree in (*call.args, *call.kwargs.values()) for line in source_of_value(tree)[1]}


def import_of(qualified: str) -> str:
    """The import of what the encoding calls `module:name`; empty for a builtin.

    Raises:
        InputError: it cannot be imported by name.
    """
    module, colon, name = qualified.rpartition(":")
    if not colon or module == "builtins":
        return ""
    if not all(part.isidentifier() for part in [*module.split("."), name]):
        raise _unwritable(f"{qualified}, which cannot be imported by name")
    return f"from {module} import {name}"


def _nodes(trees: Iterable[Tree]) -> Iterable[Node]:
    todo = list(trees)
    while todo:
        node = open_node(todo.pop())
        yield node
        todo += node.children


def _imports(node: Node) -> list[str]:
    if node.tag in _BUILTIN or node.tag in _CONTAINERS:
        return []
    if node.tag in _IMPORTED:
        return [_IMPORTED[node.tag]]
    if node.tag in _NAMED:
        return [import_of(node.head[0])]
    raise _unwritable(f"a value of the kind {node.tag!r}")


def _unwritable(what: str) -> InputError:
    return InputError(f"this input cannot be written as a test: it has {what}. Write the test by hand.")

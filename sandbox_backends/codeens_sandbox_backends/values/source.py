"""Writes encoded values as Python source that makes them again."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codeens_sandbox_backends.base import Encoded
from codeens_sandbox_backends.values.check import SCALAR, UNREADABLE, Node, open_node
from codeens_sandbox_backends.values.render import render
from codeens_sandbox_backends.worker.values.codec import KINDS

_LONGEST = 20_000


class NoSource(Exception):
    """No source makes this value again for certain. The message is what the value has in it."""


def source_of(encoded: Encoded) -> tuple[str, set[str]]:
    """Return an expression for a value, and the imports that it needs.

    Raises:
        NoSource: It cannot be written so that the same comes out for certain.
    """
    imports = {line for node in _nodes(encoded) if (line := _import(node))}
    text = render(encoded, _LONGEST)
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NoSource("a value that is too large or has no source") from None
    return text, imports


def import_of(qualified: str) -> str:
    """Return the import of what the encoding calls `module:name`; empty for a builtin.

    Raises:
        NoSource: It cannot be imported by name.
    """
    module, colon, name = qualified.rpartition(":")
    if not colon or module == "builtins":
        return ""
    if not all(part.isidentifier() for part in [*module.split("."), name]):
        raise NoSource(f"{qualified}, which cannot be imported by name")
    return f"from {module} import {name}"


def _nodes(encoded: Encoded) -> Iterator[Node]:
    left = [encoded]
    while left:
        node = open_node(left.pop())
        yield node
        left += node.children


def _import(node: Node) -> str:
    if node.tag == SCALAR:
        return ""
    source = KINDS[node.tag].source if node.tag != UNREADABLE else None
    if source is None:
        raise NoSource(f"a value of the kind {node.tag!r}")
    return import_of(node.head[0]) if source == "$1" else source

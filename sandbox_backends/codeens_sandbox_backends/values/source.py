"""Writes encoded values as Python source that makes them again."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from codeens_sandbox_backends.programs import Encoded
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
    """Return the import of what the encoding calls `module:name`, or `name` alone; empty for a builtin.

    Raises:
        NoSource: It cannot be imported by name.
    """
    module, colon, name = qualified.rpartition(":")
    if not all(part.isidentifier() for part in [*(module.split(".") if colon else ()), name]):
        raise NoSource(f"{qualified!r}, which cannot be imported by name")
    return "" if module in ("", "builtins") else f"from {module} import {name}"


def _nodes(encoded: Encoded) -> Iterator[Node]:
    left = [encoded]
    while left:
        node = open_node(left.pop())
        yield node
        left += node.children


def _import(node: Node) -> str:
    if node.tag == SCALAR:
        return ""
    kind = KINDS[node.tag] if node.tag != UNREADABLE else None
    if kind is None or kind.source is None:
        raise NoSource(f"a value of the kind {node.tag!r}")
    for value, form in zip(node.head, kind.head, strict=True):
        if form == "word" and not value.isidentifier():  # it would be code, of whoever made the value
            raise NoSource(f"{value!r}, which is no name")
    return import_of(node.head[0]) if kind.source == "$1" else kind.source

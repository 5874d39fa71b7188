"""Fits a definition from a reply to the target's own: signature, decorators and docstring that stand in the file are kept."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import NamedTuple

from codeens_server.generation.python_text import Definition, Piece, dedented, lines_of, pieces


class Stub(NamedTuple):
    """The target as the model saw it, taken apart."""

    name: str
    node: Definition
    decorators: tuple[str, ...]
    header: str
    """From `def` to the colon that ends the signature."""
    docstring: str
    """Its literal as written; empty when there is none."""
    around: tuple[Piece, ...]
    """What stands beside it: imports and helpers."""


def read_stub(stub: str, name: str) -> Stub | None:
    """The last definition of `name` at the top of a text, with what stands around it; None when there is none."""
    found = pieces(stub)
    matching = [piece for piece in found if isinstance(piece.node, Definition) and piece.node.name == name]
    if not matching:
        return None
    chosen = matching[-1]
    assert isinstance(chosen.node, Definition)
    return Stub(
        name=name,
        node=chosen.node,
        decorators=tuple(_decorators(chosen)),
        header=_header(chosen.text),
        docstring=_docstring(chosen.node, chosen.text),
        around=tuple(piece for piece in found if piece is not chosen),
    )


def fit(piece: Piece, stub: Stub) -> str:
    """The text of the reply's definition, with what it left out of the target's own put back.

    The signature as written in the file wins when names, kinds and defaults of the parameters are the same.
    """
    assert isinstance(piece.node, Definition)
    header, body = _header(piece.text), _after_header(piece.text)
    if _signature(piece.node) == _signature(stub.node):
        header = stub.header
    if stub.docstring and ast.get_docstring(piece.node) is None:
        body = f"\n{_margin(piece.node)}{stub.docstring}{_on_own_lines(body, piece.node)}"
    own = _decorators(piece)
    missing = [decorator for decorator in stub.decorators if decorator not in own]
    return "\n".join([*missing, *own, header + body]).rstrip()


def _signature(node: Definition) -> str:
    arguments = node.args
    named = [*arguments.posonlyargs, "/", *arguments.args, arguments.vararg, "*", *arguments.kwonlyargs, arguments.kwarg]
    names = [item.arg if isinstance(item, ast.arg) else item for item in named]
    defaults = [ast.dump(default) if default else "" for default in [*arguments.defaults, "*", *arguments.kw_defaults] if default != "*"]
    return repr((type(node).__name__, names, defaults))


def _decorators(piece: Piece) -> list[str]:
    nodes: list[ast.expr] = getattr(piece.node, "decorator_list", [])
    return [f"@{ast.unparse(node)}" for node in nodes]


def _header(text: str) -> str:
    start, end = _header_span(text)
    return _between(text, start, end)


def _after_header(text: str) -> str:
    return _between(text, _header_span(text)[1], None)

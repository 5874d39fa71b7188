"""Fits a definition from a reply to the target's own: the signature, decorators and docstring in the file are kept."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import NamedTuple

from codeens_server.generation.reply.python_text import Definition, Piece, parse, pieces
from codeens_server.workspace.text import lines_of


class Stub(NamedTuple):
    """The target as the model saw it."""

    name: str
    written: Written
    around: tuple[Piece, ...]
    """What stands beside it: imports and helpers."""


class Written(NamedTuple):
    """A definition, taken apart as it is written."""

    node: Definition
    decorators: str
    """Their lines, each with its end."""
    header: str
    """From `def` to the colon that ends the signature."""
    body: str
    """All that follows the colon."""
    docstring: str
    """Its literal; empty when there is none."""
    margin: str
    """What the body is indented by."""


def read_stub(stub: str, name: str) -> Stub | None:
    """The last definition of `name` at the top of a text, with what stands around it; None when there is none."""
    found = pieces(stub)
    matching = [piece for piece in found if isinstance(piece.node, Definition) and piece.node.name == name]
    written = take_apart(matching[-1].text) if matching else None
    if written is None:
        return None
    return Stub(name, written, tuple(piece for piece in found if piece is not matching[-1]))


def fit(definition: str, stub: Stub) -> str:
    """The text of the reply's definition, with what it left out of the target's own put back.

    The signature in the file wins when the names, kinds and defaults of the parameters are the same.
    """
    own, theirs = take_apart(definition), stub.written
    if own is None:
        return definition
    header = theirs.header if _signature(own.node) == _signature(theirs.node) else own.header
    body = own.body
    if theirs.docstring and not own.docstring:
        body = f"\n{own.margin}{theirs.docstring}{_on_its_own_line(own)}"
    kept = {ast.dump(decorator) for decorator in own.node.decorator_list}
    missing = [f"@{ast.unparse(node)}\n" for node in theirs.node.decorator_list if ast.dump(node) not in kept]
    return "".join([*missing, own.decorators, header, body]).rstrip()


def take_apart(text: str) -> Written | None:
    """A text that is one definition at the left margin; None when it is anything else."""
    tree = parse(text)
    if not isinstance(tree, ast.Module) or len(tree.body) != 1 or not isinstance(node := tree.body[0], Definition):
        return None
    lines = lines_of(text)
    row, column = _colon(lines, node.lineno)
    first = node.body[0]
    literal = ""
    if ast.get_docstring(node, clean=False) is not None:
        literal = ast.get_source_segment(text, first) or ""
    return Written(
        node=node,
        decorators="".join(lines[: node.lineno - 1]),
        header="".join([*lines[node.lineno - 1 : row - 1], lines[row - 1][:column]]),
        body="".join([lines[row - 1][column:], *lines[row:]]),
        docstring=literal,
        margin="    " if first.lineno == row else _margin(lines[first.lineno - 1]),
    )


def _signature(node: Definition) -> tuple[object, ...]:
    arguments = node.args
    groups = [arguments.posonlyargs, arguments.args, [arguments.vararg], arguments.kwonlyargs, [arguments.kwarg]]
    names = [tuple(argument.arg if argument else None for argument in group) for group in groups]
    defaults = [ast.dump(default) if default else None for default in [*arguments.defaults, *arguments.kw_defaults]]
    return (type(node), *names, *defaults)


def _colon(lines: list[str], line: int) -> tuple[int, int]:
    """Where the signature of the definition at `line` ends: row (1-based) and the column after its colon."""
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO("".join(lines[line - 1 :])).readline):
        if token.string in ("(", "[", "{"):
            depth += 1
        elif token.string in (")", "]", "}"):
            depth -= 1
        elif token.string == ":" and depth == 0:
            return token.end[0] + line - 1, token.end[1]
    raise AssertionError("a parsed definition has a colon")


def _on_its_own_line(own: Written) -> str:
    return own.body if own.body.lstrip(" \t").startswith(("\n", "#")) else f"\n{own.margin}{own.body.strip()}"


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]

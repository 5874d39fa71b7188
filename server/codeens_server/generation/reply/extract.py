"""Makes a replacement out of a model's reply, whatever its shape.

A reply is cut into parts (fences, prose); each part is read statement by statement, so that prose, prints, asserts and
torn ends fall away. The last definition of the target with a real body is taken, from the likeliest part that has one;
without any definition the parts are read as the body of the target. What the definition uses is gathered around it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from codeens_server.domain import Replacement
from codeens_server.generation.reply.fitting import Stub, fit, read_stub
from codeens_server.generation.reply.gathering import gather
from codeens_server.generation.reply.python_text import Definition, Piece, parse, pieces
from codeens_server.generation.reply.shapes import Part, by_likelihood, parts
from codeens_server.generation.reply.unwrapping import unwrap
from codeens_server.workspace.functions import is_body_missing
from codeens_server.workspace.indent import dedented, indented
from codeens_server.workspace.text import lines_of

MOST_CHARACTERS = 100_000
"""Of a reply that are read; a function is never that long."""


class Unusable(Exception):
    """The reply holds no implementation of the target; the message says what it holds instead."""


class _Found(NamedTuple):
    """A definition of the target, and the statements of the part it is from."""

    text: str
    beside: list[Piece]


def extract(reply: str, target_name: str, *, stub: str, is_method: bool) -> Replacement:
    """The implementation of `target_name` in a reply.

    `stub` is what the model was asked to complete or replace: imports, helpers, and the definition of the target.

    Raises:
        Unusable: there is none, or it is torn off before its end.
    """
    text = reply[:MOST_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    own = read_stub(stub, target_name)
    if not text.strip():
        raise Unusable("the reply is empty")
    likely = by_likelihood(parts(text))
    found = _find_definition(likely, target_name, is_method) or (own and _find_body(likely, own))
    if found is None:
        raise Unusable(_why_not(text, target_name))
    function = fit(found.text, own) if own else found.text.rstrip()
    others = [piece for part in parts(text)[:-1] if part.rank < 2 for piece in pieces(part.text)]
    return gather(function, target_name, [found.beside, others], own.around if own else ())


def _find_definition(likely: list[Part], name: str, is_method: bool) -> _Found | None:
    for part in likely:
        for text in _readings(part.text, name):
            found = pieces(text)
            definition = _last_definition(found, name, is_method)
            if definition is not None:
                return definition
    return None


def _readings(text: str, name: str) -> Iterator[str]:
    """The text as it is, and mended where the definition's margin or that of its body is wrong as a whole."""
    yield text
    bare = re.search(rf"^(?:async[ \t]+)?def[ \t]+{re.escape(name)}[ \t]*\(.*:[ \t]*\n+(?=\S)", text, re.MULTILINE)
    if bare:
        yield text[: bare.end()] + indented(text[bare.end() :], "    ")
    match = re.search(rf"^([ \t]+)(?:async[ \t]+)?def[ \t]+{re.escape(name)}\b", text, re.MULTILINE)
    if match and not re.search(r"^class\b", text[: match.start()], re.MULTILINE):
        margin = match[1]
        yield "".join(line.removeprefix(margin) for line in lines_of(text))


def _last_definition(found: list[Piece], name: str, is_method: bool) -> _Found | None:
    for piece in reversed(found):
        if isinstance(piece.node, Definition) and piece.node.name == name and not is_body_missing(piece.node):
            return _Found(piece.text, [other for other in found if other is not piece])
    for piece in reversed(found):
        inner = _inner_definition(piece, name)
        if inner is None:
            continue
        beside = [other for other in found if other is not piece]
        if isinstance(piece.node, ast.ClassDef) and not is_method:
            plain = unwrap(piece.node, name)
            if plain is None:
                continue
            *siblings, text = plain
            return _Found(text, [*beside, *(sibling for code in siblings for sibling in pieces(code))])
        return _Found(inner, beside)
    return None


def _inner_definition(piece: Piece, name: str) -> str | None:
    """The text, at the left margin, of the last definition of that name inside of a class or function."""
    tree = parse(piece.text)
    inner = [
        node
        for node in (ast.walk(tree) if isinstance(tree, ast.Module) else ())
        if isinstance(node, Definition) and node.name == name and node.col_offset and not is_body_missing(node)
    ]
    if not inner:
        return None
    last = inner[-1]
    first_line = min([last.lineno, *(decorator.lineno for decorator in last.decorator_list)])
    return dedented("".join(lines_of(piece.text)[first_line - 1 : last.end_lineno])).rstrip()


def _find_body(likely: list[Part], own: Stub) -> _Found | None:
    """The target's own signature with a part of the reply as its body."""
    for part in likely:
        if re.search(rf"\bdef[ \t]+{re.escape(own.name)}\b", part.text):
            continue  # a torn definition is no body
        for body in _bodies(part.text):
            found = pieces(f"{own.written.header}\n{body}\n")
            definition = _last_definition(found, own.name, is_method=False)
            if definition is not None:
                return definition
    return None


def _bodies(text: str) -> Iterator[str]:
    """The text as a body: as it is; moved in as a whole; with the indentation that its first line lost."""
    yield text
    stripped = text.lstrip("\n")
    tree = parse(stripped)
    if isinstance(tree, ast.Module) and any(_leaves(statement) for statement in tree.body):
        yield indented(stripped, "    ")
    second = re.match(r"\S.*\n\s*\n?([ \t]+)\S", stripped)
    if second:
        margins = re.findall(r"^[ \t]+(?=\S)", stripped, re.MULTILINE)
        yield f"{min(margins, key=len)}{stripped}"


def _leaves(statement: ast.stmt) -> bool:
    """Whether a statement at the top of a text returns, which it could only do in a function."""
    if isinstance(statement, ast.Return):
        return True
    if isinstance(statement, ast.ClassDef | Definition):
        return False
    return any(isinstance(child, ast.stmt) and _leaves(child) for child in ast.iter_child_nodes(statement))


def _why_not(text: str, name: str) -> str:
    if re.search(rf"\bdef[ \t]+{re.escape(name)}\b", text):
        return f"the reply's definition of {name!r} is torn off, has no body, or is not valid Python"
    if re.search(r"^[ \t]*(?:async[ \t]+)?def[ \t]", text, re.MULTILINE):
        return f"the reply defines other functions but not {name!r}"
    return "the reply holds no Python code that could be the function"

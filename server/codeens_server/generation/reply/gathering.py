"""Gathers what a function from a reply needs beside it: imports, helpers, constants and what fills them."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence

from codeens_server.domain import Replacement
from codeens_server.generation.reply.normalise import same_code
from codeens_server.generation.reply.python_text import Names, Piece, names_of

BUILTINS = frozenset(dir(builtins))
IMPORTS = ast.Import | ast.ImportFrom
DEFINITIONS = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
CONSTANTS = ast.Assign | ast.AnnAssign


def gather(function: str, name: str, sources: Sequence[list[Piece]], around: Sequence[Piece]) -> Replacement:
    """The function with what it uses, transitively, of the statements that came with it.

    `sources` are searched in order: what the first defines is not taken from the second. What `around` (the file, as
    shown to the model) has in the same words already is left out; where words differ the reply's definition is taken.
    """
    shelf = _Shelf(sources, name)
    missing = shelf.take_for(names_of(function).used)
    known = {bound for piece in around for bound in names_of(piece.text).bound} | BUILTINS | {name}
    chosen = shelf.chosen()
    imports = [line for piece in chosen if isinstance(piece.node, IMPORTS) for line in _lines(piece.node, shelf.needed)]
    imports += [piece.text for piece in shelf.stars] if missing - known else []
    present = {line for piece in around if isinstance(piece.node, IMPORTS) for line in _lines(piece.node, None)}
    return Replacement(
        function=function,
        imports=tuple(dict.fromkeys(line for line in imports if line not in present)),
        helpers=tuple(
            piece.text.rstrip()
            for piece in chosen
            if not isinstance(piece.node, IMPORTS) and not any(same_code(piece.text, other.text) for other in around)
        ),
    )


class _Shelf:
    """The statements of a reply by what they bind, and which of them were taken."""

    def __init__(self, sources: Sequence[list[Piece]], target: str) -> None:
        self.needed: set[str] = set()
        self.stars: list[Piece] = []
        self._pieces: list[tuple[Piece, Names]] = []
        self._binding: dict[str, list[int]] = {}
        self._taken: set[int] = set()
        for source in sources:
            self._add(source, target)

    def take_for(self, names: frozenset[str]) -> set[str]:
        """Take all statements that bind these names, and those that these need; what nothing binds is returned."""
        missing: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in self.needed:
                continue
            self.needed.add(name)
            if name not in self._binding:
                missing.add(name)
            for index in [*self._binding.get(name, ()), *self._filling(name)]:
                if index not in self._taken:
                    self._taken.add(index)
                    waiting.extend(self._pieces[index][1].used)
        return missing

    def chosen(self) -> list[Piece]:
        return [self._pieces[index][0] for index in sorted(self._taken)]

    def _add(self, source: list[Piece], target: str) -> None:
        """Put the statements of one source up; of several that bind a name only the last definition counts."""
        fresh: dict[str, list[int]] = {}
        seen = {piece.text for piece, _ in self._pieces}
        for piece in source:
            if piece.text in seen:
                continue
            if _is_star(piece.node):
                self.stars.append(piece)
                continue
            if _is_left_out(piece.node):
                continue
            names = names_of(piece.text)
            self._pieces.append((piece, names))
            index = len(self._pieces) - 1
            for name in names.bound - {target}:
                if isinstance(piece.node, DEFINITIONS | IMPORTS):
                    fresh[name] = [index]
                else:
                    fresh.setdefault(name, []).append(index)
        self._binding = fresh | self._binding

    def _filling(self, name: str) -> Iterator[int]:
        """Statements that fill a constant after it was bound: `TABLE.append(…)`, `for …: TABLE[i] = …`."""
        constants = (i for i in self._binding.get(name, ()) if isinstance(self._pieces[i][0].node, CONSTANTS))
        first = next(constants, len(self._pieces))
        for index, (piece, _) in enumerate(self._pieces[first:], first):
            if not isinstance(piece.node, DEFINITIONS) and _fills(piece.node, name):
                yield index


def _is_star(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.names[0].name == "*"


def _is_left_out(node: ast.stmt) -> bool:
    """Tests and demonstrations; and `__future__` imports, which speak for a whole file."""
    match node:
        case ast.ImportFrom(module="__future__") | ast.Assert():
            return True
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case _:
            return False


def _fills(statement: ast.stmt, name: str) -> bool:
    for node in ast.walk(statement):
        match node:
            case ast.Subscript(value=ast.Name(id=owner), ctx=ast.Store()) if owner == name:
                return True
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=owner)))) if owner == name:
                return True
            case _:
                continue
    return False


def _lines(node: ast.stmt, needed: set[str] | None) -> Iterator[str]:
    """An import as one line per name, of those needed."""
    assert isinstance(node, IMPORTS)
    for alias in node.names:
        bound = alias.asname or alias.name.split(".")[0]
        if needed is not None and bound not in needed:
            continue
        renamed = f" as {alias.asname}" if alias.asname else ""
        if isinstance(node, ast.Import):
            yield f"import {alias.name}{renamed}"
        else:
            yield f"from {'.' * node.level}{node.module or ''} import {alias.name}{renamed}"

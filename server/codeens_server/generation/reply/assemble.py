"""Put a replacement together: a definition from a reply, fitted to the target's own, and what it needs beside it."""

from __future__ import annotations

import ast
import builtins
import hashlib
import io
import tokenize
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from codeens_server.domain.target import Replacement
from codeens_server.generation.reply.python_text import Names, Statement, names_of, statements_of
from codeens_server.syntax.parsing import parse
from codeens_server.workspace.functions import FunctionNode, normalised, same_code
from codeens_server.workspace.text import lines_of

BUILTINS = frozenset(dir(builtins))
IMPORTS = ast.Import | ast.ImportFrom
DEFINITIONS = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
CONSTANTS = ast.Assign | ast.AnnAssign


class Stub(NamedTuple):
    """The target as the model saw it."""

    name: str
    written: DefinitionParts
    around: tuple[Statement, ...]
    """What stands beside it: imports and helpers."""


class DefinitionParts(NamedTuple):
    """A definition, taken apart as it is written."""

    node: FunctionNode
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
    """Return the last definition of `name` at the top of a text, with what stands around it; None without one."""
    found = statements_of(stub)
    matching = [
        statement for statement in found if isinstance(statement.node, FunctionNode) and statement.node.name == name
    ]
    written = take_apart(matching[-1].text) if matching else None
    if written is None:
        return None
    return Stub(name, written, tuple(statement for statement in found if statement is not matching[-1]))


def fit(definition: str, stub: Stub) -> str:
    """Return the text of a reply's definition, with what it left out of the target's own put back.

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


def take_apart(text: str) -> DefinitionParts | None:
    """Take apart a text that is one definition at the left margin; None when it is anything else."""
    tree = parse(text)
    if not isinstance(tree, ast.Module) or len(tree.body) != 1 or not isinstance(node := tree.body[0], FunctionNode):
        return None
    lines = lines_of(text)
    row, column = _colon(lines, node.lineno)
    first = node.body[0]
    literal = ""
    if ast.get_docstring(node, clean=False) is not None:
        literal = ast.get_source_segment(text, first) or ""
    return DefinitionParts(
        node=node,
        decorators="".join(lines[: node.lineno - 1]),
        header="".join([*lines[node.lineno - 1 : row - 1], lines[row - 1][:column]]),
        body="".join([lines[row - 1][column:], *lines[row:]]),
        docstring=literal,
        margin="    " if first.lineno == row else _margin(lines[first.lineno - 1]),
    )


def _signature(node: FunctionNode) -> tuple[object, ...]:
    arguments = node.args
    groups = [arguments.posonlyargs, arguments.args, [arguments.vararg], arguments.kwonlyargs, [arguments.kwarg]]
    names = [tuple(argument.arg if argument else None for argument in group) for group in groups]
    defaults = [ast.dump(default) if default else None for default in [*arguments.defaults, *arguments.kw_defaults]]
    return (type(node), *names, *defaults)


def _colon(lines: list[str], line: int) -> tuple[int, int]:
    """Return where the signature of the definition at `line` ends: row (1-based) and the column after its colon."""
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO("".join(lines[line - 1 :])).readline):
        if token.string in ("(", "[", "{"):
            depth += 1
        elif token.string in (")", "]", "}"):
            depth -= 1
        elif token.string == ":" and depth == 0:
            return token.end[0] + line - 1, token.end[1]
    raise AssertionError("a parsed definition has a colon")


def _on_its_own_line(own: DefinitionParts) -> str:
    return own.body if own.body.lstrip(" \t").startswith(("\n", "#")) else f"\n{own.margin}{own.body.strip()}"


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def assemble(function: str, name: str, sources: Sequence[list[Statement]], around: Sequence[Statement]) -> Replacement:
    """Return a replacement: the function with what it uses, transitively, of the statements that came with it.

    Args:
        function: the text of the definition.
        name: its name.
        sources: statements of the reply, searched in order: what the first defines is not taken from the second.
        around: the file, as shown to the model. What it has in the same words is left out; where words differ the
            reply's definition is taken.
    """
    shelf = _Shelf(sources, name)
    missing = shelf.take_for(names_of(function).used)
    known = {bound for statement in around for bound in names_of(statement.text).bound} | BUILTINS | {name}
    chosen = shelf.chosen()
    imports = [
        line
        for statement in chosen
        if isinstance(statement.node, IMPORTS)
        for line in _lines(statement.node, shelf.needed)
    ]
    imports += [statement.text for statement in shelf.stars] if missing - known else []
    present = {
        line for statement in around if isinstance(statement.node, IMPORTS) for line in _lines(statement.node, None)
    }
    return Replacement(
        function=function,
        imports=tuple(dict.fromkeys(line for line in imports if line not in present)),
        helpers=tuple(
            statement.text.rstrip()
            for statement in chosen
            if not isinstance(statement.node, IMPORTS)
            and not any(same_code(statement.text, other.text) for other in around)
        ),
    )


class _Shelf:
    """The statements of a reply by what they bind, and which of them were taken."""

    def __init__(self, sources: Sequence[list[Statement]], target: str) -> None:
        self.needed: set[str] = set()
        self.stars: list[Statement] = []
        self._statements: list[tuple[Statement, Names]] = []
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
                    waiting.extend(self._statements[index][1].used)
        return missing

    def chosen(self) -> list[Statement]:
        return [self._statements[index][0] for index in sorted(self._taken)]

    def _add(self, source: list[Statement], target: str) -> None:
        """Put the statements of one source up; of several that bind a name only the last definition counts."""
        fresh: dict[str, list[int]] = {}
        seen = {statement.text for statement, _ in self._statements}
        for statement in source:
            if statement.text in seen:
                continue
            if _is_star(statement.node):
                self.stars.append(statement)
                continue
            if _is_left_out(statement.node):
                continue
            names = names_of(statement.text)
            self._statements.append((statement, names))
            index = len(self._statements) - 1
            for name in names.bound - {target}:
                if isinstance(statement.node, DEFINITIONS | IMPORTS):
                    fresh[name] = [index]
                else:
                    fresh.setdefault(name, []).append(index)
        self._binding = fresh | self._binding

    def _filling(self, name: str) -> Iterator[int]:
        """Return statements that fill a constant after it was bound: `TABLE.append(…)`, `for …: TABLE[i] = …`."""
        constants = (i for i in self._binding.get(name, ()) if isinstance(self._statements[i][0].node, CONSTANTS))
        first = next(constants, len(self._statements))
        for index, (statement, _) in enumerate(self._statements[first:], first):
            if not isinstance(statement.node, DEFINITIONS) and _fills(statement.node, name):
                yield index


def _is_star(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.names[0].name == "*"


def _is_left_out(node: ast.stmt) -> bool:
    """Return whether it is a test, a demonstration, or a `__future__` import, which speaks for a whole file."""
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
    """Yield an import as one line per name, of those needed; of all where `needed` is None."""
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


def digest(replacement: Replacement) -> str:
    """Return the SHA-256 (hex) of the normalised syntax trees; layout and wording do not count.

    Names and annotations count, since a program can see them. The order of imports does not.
    """
    parts = [*sorted(replacement.imports), *replacement.helpers, replacement.function]
    return hashlib.sha256("\0".join(map(normalised, parts)).encode()).hexdigest()

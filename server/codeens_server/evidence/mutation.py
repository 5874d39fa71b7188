"""Small changes of the original, to see whether the evidence would notice them (mutation analysis).

The operators are the usual ones: those of Offutt et al., "An experimental determination of sufficient mutant operators"
(TOSEM 1996), and what people get wrong in Python: slices, keywords, copies, the order of statements.
"""

from __future__ import annotations

import ast
import hashlib
from collections import defaultdict, deque
from collections.abc import Iterator
from types import CodeType
from typing import Any, NamedTuple, TypeAlias, cast

from codeens_server.evidence.mutation_operators import changed_expressions, changed_handlers, changed_statements
from codeens_server.syntax.parsing import ParseFailure, compiled, parse

_LONGEST_SOURCE = 100_000
_NOT_CHANGED = frozenset({"annotation", "returns", "decorator_list", "format_spec"})
_Place: TypeAlias = "tuple[ast.AST, str, int | None]"
"""A node's parent, the field that holds the node, and its index where that is a list."""


class Mutant(NamedTuple):
    """The original with one small change."""

    line: int
    """Of the function's source; 1-based."""
    before: str
    after: str
    """Empty where `before` is left out."""
    source: str


def mutants(source: str, most: int, *, seed: str) -> list[Mutant]:
    """Return at most `most` changed versions of a function, from all its lines, the same ones for the same seed.

    What compiles to the bytecode of the original is none, and no change is there twice.

    Args:
        source: one function definition.
        most: how many to return.
        seed: decides which, where there are more.
    """
    tree = parse(source)
    if isinstance(tree, ParseFailure) or len(source) > _LONGEST_SOURCE or not tree.body:
        return []
    function = tree.body[0]
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return []
    original = compiled(ast.unparse(tree))
    different: dict[str, Mutant] = {}
    for mutant in _all_mutants(tree, function):
        if mutant.source not in different and _differs(original, compiled(mutant.source)):
            different[mutant.source] = mutant
    return _spread(list(different.values()), most, seed)


def _all_mutants(tree: ast.Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Mutant]:
    for place, node in list(_places(function)):
        if isinstance(node, ast.expr):
            for changed in changed_expressions(node):
                yield _mutant(tree, place, node, changed)
        elif isinstance(node, ast.stmt):
            for changed in changed_statements(node):
                yield _mutant(tree, place, node, changed)
        elif isinstance(node, ast.ExceptHandler):
            for changed in changed_handlers(node):
                yield _mutant(tree, place, node, changed)
    for block in _blocks(function):
        yield from _reordered(tree, block)


def _places(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[_Place, ast.AST]]:
    """Yield what can be changed: the body and default values; no docstring, annotation or decorator."""
    pending = [child for child in _children(function) if child[0][1] == "body"]
    if ast.get_docstring(function, clean=False) is not None:
        pending.pop(0)
    pending += [child for child in _children(function.args) if child[0][1] in {"defaults", "kw_defaults"}]
    while pending:
        place, node = pending.pop()
        yield place, node
        pending += _children(node)


def _children(node: ast.AST) -> Iterator[tuple[_Place, ast.AST]]:
    for name in node._fields:
        value: Any = getattr(node, name, None)
        if name in _NOT_CHANGED:
            continue
        is_list = isinstance(value, list)
        for index, child in enumerate(cast("list[object]", value) if is_list else [value]):
            if isinstance(child, ast.AST) and not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
                yield (node, name, index if is_list else None), child


def _mutant(
    tree: ast.Module, place: _Place, node: ast.expr | ast.stmt | ast.ExceptHandler, changed: ast.AST | None
) -> Mutant:
    """Return the function with a node changed; None leaves a statement out."""
    new = changed if changed is not None else ast.Pass()
    _put(place, new)
    try:
        source = ast.unparse(ast.fix_missing_locations(tree))
    finally:
        _put(place, node)
    return Mutant(node.lineno, _text(node), _text(changed) if changed is not None else "", source)


def _put(place: _Place, node: ast.AST) -> None:
    parent, name, index = place
    if index is None:
        setattr(parent, name, node)
    else:
        getattr(parent, name)[index] = node


def _text(node: ast.AST) -> str:
    """Return a node's code; of a statement with a body, its first line."""
    return ast.unparse(ast.fix_missing_locations(node)).split("\n", 1)[0]


def _blocks(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(function):
        for name in ("body", "orelse", "finalbody"):
            block: object = getattr(node, name, None)
            if isinstance(block, list):
                yield block


def _reordered(tree: ast.Module, block: list[ast.stmt]) -> Iterator[Mutant]:
    """Yield the function with two neighbouring statements in the other order."""
    first = int(bool(block) and isinstance(block[0], ast.Expr) and isinstance(block[0].value, ast.Constant))
    for at in range(first, len(block) - 1):
        one, other = block[at], block[at + 1]
        if isinstance(one, (ast.Return, ast.Raise)) or isinstance(other, ast.Return):
            continue
        if _may_stand_anywhere(one, other) or _may_stand_anywhere(other, one):
            continue
        block[at : at + 2] = [other, one]
        try:
            source = ast.unparse(tree)
        finally:
            block[at : at + 2] = [one, other]
        yield Mutant(one.lineno, f"{_text(one)}; {_text(other)}", f"{_text(other)}; {_text(one)}", source)


def _differs(original: CodeType | ParseFailure, mutant: CodeType | ParseFailure) -> bool:
    """Return whether a change can be seen at all: it compiles, and to something else."""
    if isinstance(original, ParseFailure) or isinstance(mutant, ParseFailure):
        return False
    return _essence(original) != _essence(mutant)


def _essence(code: CodeType) -> tuple[object, ...]:
    """Return all of the compiled code but where it stands in the text."""
    constants = tuple(
        _essence(item) if isinstance(item, CodeType) else (type(item).__name__, repr(item)) for item in code.co_consts
    )
    return (code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars, code.co_flags, code.co_argcount)


def _spread(found: list[Mutant], most: int, seed: str) -> list[Mutant]:
    """Return at most `most` in the order of the text; lines take turns, and chance decides within a line."""
    by_line: defaultdict[int, list[Mutant]] = defaultdict(list)
    for mutant in sorted(found, key=lambda item: hashlib.sha256(f"{seed}\0{item.source}".encode()).digest()):
        by_line[mutant.line].append(mutant)
    turns = deque(deque(by_line[line]) for line in sorted(by_line))
    chosen: list[Mutant] = []
    while turns and len(chosen) < most:
        line = turns.popleft()
        chosen.append(line.popleft())
        if line:
            turns.append(line)
    return sorted(chosen, key=lambda item: (item.line, item.before, item.after))


def _may_stand_anywhere(binding: ast.stmt, other: ast.stmt) -> bool:
    """Return whether a statement only names a literal (`seen = []`) that its neighbour has nothing to do with."""
    match binding:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value) | ast.AnnAssign(target=ast.Name(id=name), value=value)
        ):
            names = {node.id for node in ast.walk(other) if isinstance(node, ast.Name)}
            literal = value is not None and all(isinstance(node, _LITERAL) for node in ast.walk(value))
            return literal and name not in names
        case _:
            return False


_LITERAL = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.expr_context, ast.UnaryOp, ast.unaryop)

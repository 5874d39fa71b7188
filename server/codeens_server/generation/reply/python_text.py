"""Reading Python text that may be broken, hostile or cut short. Nothing here runs or imports what it reads."""

from __future__ import annotations

import ast
import io
import re
import symtable
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from codeens_server.syntax.parsing import ParseFailure, parse, symbol_table
from codeens_server.workspace.functions import FunctionNode
from codeens_server.workspace.text import lines_of

INCOMPLETE = ("was never closed", "unterminated triple-quoted", "unexpected EOF")
"""Parser messages which say that more lines could make the text whole."""
CONTINUES = re.compile(r"(?:[\s)\]}#]|(?:else|elif|except|finally|case)\b|$)")
"""A line at the left margin that cannot begin a statement."""
MOST_EXTENSIONS = 40
MOST_ATTEMPTS = 200
MOST_CUTS = 200
"""Bounds of the work on a torn text, far above what real replies need: lines tried after a statement that is not
whole, such tries in one text, and lines taken from a torn definition's end."""


class Statement(NamedTuple):
    """A statement at the top of a text, and its own text with decorators."""

    node: ast.stmt
    text: str


class Names(NamedTuple):
    """What a text binds at its top, and what it takes from around it."""

    bound: frozenset[str]
    used: frozenset[str]


def names_of(text: str) -> Names:
    """Return the global names a text binds and uses, nested scopes included; a text that Python refuses has none."""
    table = symbol_table(text)
    if isinstance(table, ParseFailure):
        return Names(frozenset(), frozenset())
    symbols = table.get_symbols()
    bound = {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
    used = {symbol.get_name() for symbol in symbols if symbol.is_referenced()}
    return Names(frozenset(bound), frozenset(used | set(_globals_below(table))))


def renamed(text: str, old: str, new: str) -> str:
    """Return a text with a name replaced wherever it stands alone; attributes, strings and comments are left."""
    lines = lines_of(text)
    places: list[tuple[int, int]] = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME and token.string == old and before != ".":
            places.append(token.start)
        before = token.string
    for row, column in reversed(places):
        line = lines[row - 1]
        lines[row - 1] = f"{line[:column]}{new}{line[column + len(old) :]}"
    return "".join(lines)


def statements_of(text: str) -> list[Statement]:
    """Return the top-level statements of a text, in order; what is no Python (prose, a torn end) is left out."""
    tree = parse(text)
    if isinstance(tree, ast.Module):
        return _split(tree, text)
    chunks = _chunks(text)
    found: list[Statement] = []
    position = attempts = 0
    while position < len(chunks):
        most = MOST_EXTENSIONS if attempts < MOST_ATTEMPTS else 1
        tried, taken, more = _longest(chunks[position : position + most])
        found.extend(more)
        position += taken
        attempts += tried
    return found


def always_leaves(body: list[ast.stmt]) -> bool:
    """Return whether control cannot fall out of the end of these statements."""
    match body[-1]:
        case ast.Return() | ast.Raise():
            return True
        case ast.If(body=inner, orelse=[_, *_] as other):
            return always_leaves(inner) and always_leaves(other)
        case ast.With(body=inner) | ast.AsyncWith(body=inner):
            return always_leaves(inner)
        case ast.While(test=ast.Constant(value=True)) as loop:
            return not any(isinstance(node, ast.Break) for node in ast.walk(loop))
        case ast.Try(body=inner, handlers=handlers, orelse=other):
            return always_leaves(other or inner) and all(always_leaves(handler.body) for handler in handlers)
        case _:
            return False


def _globals_below(table: symtable.SymbolTable) -> Iterator[str]:
    for child in table.get_children():
        yield from (symbol.get_name() for symbol in child.get_symbols() if symbol.is_global())
        yield from _globals_below(child)


def _split(tree: ast.Module, text: str) -> list[Statement]:
    lines = lines_of(text)
    return [Statement(node, _text_of(node, lines, text)) for node in tree.body]


def _text_of(node: ast.stmt, lines: list[str], text: str) -> str:
    if node.col_offset:  # after a semicolon: the line is not this statement's alone
        return ast.get_source_segment(text, node) or ""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    last_line = (node.end_lineno or node.lineno) - 1
    line = lines[last_line].encode()
    last, after = line[: node.end_col_offset].decode(), line[node.end_col_offset :].decode()
    if after.lstrip().startswith("#"):
        last += after.rstrip()
    return "".join([*lines[first - 1 : last_line], last]) if first - 1 <= last_line else last


def _chunks(text: str) -> list[str]:
    """Return the text cut before every line that could begin a statement at the left margin."""
    found: list[str] = []
    for line in lines_of(text):
        if found and CONTINUES.match(line):
            found[-1] += line
        else:
            found.append(line)
    return found


def _longest(chunks: list[str]) -> tuple[int, int, list[Statement]]:
    """Return how many more chunks were tried and are taken, and the statements that begin at the first chunk."""
    text = ""
    tried = 0
    for tried, chunk in enumerate(chunks):
        text += chunk
        tree = parse(text)
        if isinstance(tree, ast.Module):
            return tried, tried + 1, _split(tree, text)
        if not (text.startswith("@") or any(sign in tree.message for sign in INCOMPLETE)):
            break
    return tried, 1, _cut_back(chunks[0])


def _cut_back(chunk: str) -> list[Statement]:
    """Return a torn definition without its torn end, if what is left of it cannot fall out of its end."""
    if not re.match(r"(?:async\s+def|def|class)\b", chunk):
        return []
    lines = lines_of(chunk)
    for _ in range(MOST_CUTS):
        tree = parse("".join(lines))
        if isinstance(tree, ast.Module):
            whole = bool(tree.body) and _is_whole(tree.body[-1])
            return _split(tree, "".join(lines)) if whole else []
        del lines[min(len(lines), tree.line) - 1 :]
        if len(lines) < 2:
            break
    return []


def _is_whole(node: ast.stmt) -> bool:
    if isinstance(node, ast.ClassDef):
        return _is_whole(node.body[-1])
    return isinstance(node, FunctionNode) and always_leaves(node.body)

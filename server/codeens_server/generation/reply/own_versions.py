"""Keeps a reply's own version of a function apart from the module's, which others may call."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from itertools import count

from msgspec.structs import replace

from codeens_server.domain.target import Replacement
from codeens_server.syntax.parsing import ParseFailure, parse
from codeens_server.workspace.functions import FunctionNode, bound_names, same_code
from codeens_server.workspace.text import lines_of


def kept_apart(replacement: Replacement, module: str) -> tuple[Replacement, tuple[str, ...]]:
    """Return a replacement that redefines no function of its module, and what was renamed, in words for people.

    What it brings in other words than the module has it gets a name of its own: nobody has judged what the module's
    other functions would do with it.

    Args:
        replacement: a function, and what it needs.
        module: the text that it comes into.
    """
    tree = parse(module)
    if isinstance(tree, ParseFailure):
        return replacement, ()
    existing = {name: node for node in tree.body for name in bound_names(node)}
    texts, said = [*replacement.helpers, replacement.function], list[str]()
    taken = {*existing, *(name for text in texts for name in _words(text))}
    for helper in replacement.helpers:
        name = _function_in(helper)
        there = existing.get(name)
        if not isinstance(there, FunctionNode) or same_code(ast.unparse(there), helper):
            continue
        new = next(fresh for number in count(2) if (fresh := f"{name}_{number}") not in taken)
        changed = [_renamed(text, name, new) for text in texts]
        if any(text is None for text in changed):
            continue  # the edit says which name it cannot bring
        texts = [text for text in changed if text is not None]
        taken.add(new)
        said.append(f"its own {name} is called {new}: others may call the module's")
    *helpers, function = texts
    return replace(replacement, helpers=tuple(helpers), function=function), tuple(said)


def _function_in(text: str) -> str:
    """Return the name of the function that a text is; empty where it is anything else."""
    tree = parse(text)
    match tree:
        case ast.Module(body=[ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name)]):
            return name
        case _:
            return ""


def _words(text: str) -> Iterator[str]:
    return (token.string for token in _tokens(text) if token.type == tokenize.NAME)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(text).readline)


def _renamed(text: str, old: str, new: str) -> str | None:
    """Return a text that calls a global name otherwise; None where the name means something else somewhere in it."""
    tree = parse(text)
    if isinstance(tree, ParseFailure) or any(_binds(node, old, is_top=node in tree.body) for node in ast.walk(tree)):
        return None
    lines = lines_of(text)
    used = {
        (node.lineno, len(lines[node.lineno - 1].encode()[: node.col_offset].decode()))
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == old
    }
    before = ""
    places: list[tuple[int, int]] = []
    for token in _tokens(text):
        if token.string == old and (token.start in used or before == "def"):
            places.append(token.start)
        before = token.string
    for row, column in reversed(places):
        line = lines[row - 1]
        lines[row - 1] = f"{line[:column]}{new}{line[column + len(old) :]}"
    return "".join(lines)


def _binds(node: ast.AST, name: str, *, is_top: bool) -> bool:
    """Return whether a node gives a name another meaning than that of the function at the top."""
    match node:
        case ast.arg(arg=bound) | ast.ExceptHandler(name=bound) | ast.MatchAs(name=bound) | ast.MatchStar(name=bound):
            return bound == name
        case ast.Name(id=bound, ctx=ast.Store() | ast.Del()):
            return bound == name
        case ast.alias(name=imported, asname=bound):
            return (bound or imported.partition(".")[0]) == name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
        case ast.FunctionDef(name=bound) | ast.AsyncFunctionDef(name=bound) | ast.ClassDef(name=bound):
            return bound == name and not is_top
        case _:
            return False

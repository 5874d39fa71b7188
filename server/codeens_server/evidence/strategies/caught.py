"""Exceptions that a text waits for: functions that are made up raise these, and one that nobody waits for."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator

from codeens_server.evidence.strategies.definitions import Definitions, dotted_name, last_name
from codeens_server.syntax.parsing import ParseFailure, parse

USUAL = "builtins:ValueError"
_UNEXPECTED = "builtins:RuntimeError"
_ANY = "Exception"


def raised_for(sources: Iterable[str], module: str, text: str) -> list[str]:
    """Return the classes of exceptions, as `module:name`, on which it shows what programs catch.

    Args:
        sources: texts of the functions.
        module: where they stand.
        text: its text, which says what names are imported or defined.
    """
    definitions = Definitions(text)
    named = [node for source in sources for node in _caught(source)]
    found = [name for node in named if (name := _resolved(node, module, definitions))]
    return list(dict.fromkeys([*found, USUAL, *([_UNEXPECTED] if named else [])]))


def _caught(source: str) -> Iterator[ast.expr]:
    """Yield what handlers name, and what is suppressed."""
    tree = parse(source)
    for node in () if isinstance(tree, ParseFailure) else ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type or ast.Name(_ANY, ast.Load())
            yield from kinds.elts if isinstance(kinds, ast.Tuple) else (kinds,)
        elif isinstance(node, ast.Call) and last_name(node.func) == "suppress":
            yield from node.args


def _resolved(node: ast.expr, module: str, definitions: Definitions) -> str:
    """Return `module:name` of a class of exceptions; empty where it cannot be told, or ends programs."""
    name = dotted_name(node)
    if name in definitions.classes:
        return f"{module}:{name}"
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, BaseException):
        is_usual = issubclass(kind, Exception)
        return f"builtins:{name if is_usual else _ANY}" if is_usual or kind is BaseException else ""
    owner, _, last = definitions.full_name(node).rpartition(".")
    return f"{owner}:{last}" if owner else ""

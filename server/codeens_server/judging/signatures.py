"""Whether every way of calling one function is a way of calling another."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codeens_server.workspace.functions import FunctionNode


class _Positional(NamedTuple):
    name: str
    by_keyword: bool
    has_default: bool


def incompatibility(original: FunctionNode, replacement: FunctionNode) -> str | None:
    """The first way in which callers of `original` could not call `replacement`; None when there is none."""
    old, new = original.args, replacement.args
    if old.vararg and not new.vararg:
        return f"it takes no *{old.vararg.arg}"
    if old.kwarg and not new.kwarg:
        return f"it takes no **{old.kwarg.arg}"
    return _positional_mismatch(old, new) or _keyword_mismatch(old, new) or _demand(old, new)


def _positional(arguments: ast.arguments) -> list[_Positional]:
    everything = [*arguments.posonlyargs, *arguments.args]
    first_default = len(everything) - len(arguments.defaults)
    return [
        _Positional(item.arg, index >= len(arguments.posonlyargs), index >= first_default)
        for index, item in enumerate(everything)
    ]


def _keywords(arguments: ast.arguments) -> dict[str, bool]:
    """Names that can be given by keyword, and whether they may be left out."""
    named = {item.name: item.has_default for item in _positional(arguments) if item.by_keyword}
    only = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return named | {item.arg: default is not None for item, default in only}


def _positional_mismatch(old: ast.arguments, new: ast.arguments) -> str | None:
    ours, theirs = _positional(old), _positional(new)
    for index, item in enumerate(ours):
        if index >= len(theirs):
            return None if new.vararg and not item.by_keyword else f"it does not take {item.name} by position"
        other = theirs[index]
        if item.by_keyword and other.name != item.name:
            return f"its parameter {index + 1} is {other.name}, not {item.name}"
        if item.has_default and not other.has_default:
            return f"it has no default for {item.name}"
    if old.vararg and len(theirs) > len(ours):
        return f"its parameter {theirs[len(ours)].name} takes what was meant for *{old.vararg.arg}"
    return None


def _keyword_mismatch(old: ast.arguments, new: ast.arguments) -> str | None:
    ours, theirs = _keywords(old), _keywords(new)
    for name, has_default in ours.items():
        if name not in theirs:
            if new.kwarg:
                continue
            return f"it does not take {name} by keyword"
        if has_default and not theirs[name]:
            return f"it has no default for {name}"
    added = next((name for name in theirs if name not in ours), None)
    if old.kwarg and added:
        return f"its parameter {added} takes what was meant for **{old.kwarg.arg}"
    return None


def _demand(old: ast.arguments, new: ast.arguments) -> str | None:
    """A parameter that callers do not know and that cannot be left out."""
    known = len(_positional(old))
    demanded = [item.name for item in _positional(new)[known:] if not item.has_default]
    known_names = set(_keywords(old))
    demanded += [
        item.arg
        for item, default in zip(new.kwonlyargs, new.kw_defaults, strict=True)
        if default is None and item.arg not in known_names
    ]
    return f"it demands {demanded[0]}, which no caller gives" if demanded else None

"""Exceptions that only one of original and candidate catches: what no call is known to raise was not looked at."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from codeens_sandbox_backends.values.made_up import raised_by_functions
from codeens_server.domain.evidence import Case
from codeens_server.syntax.parsing import ParseFailure, parse

_ALL = "BaseException"
BROAD = frozenset({"Exception", _ALL})


class Unseen(NamedTuple):
    """An exception that one of both alone catches, and that no function that was given raises."""

    name: str
    tried: tuple[ast.stmt, ...]
    """What may raise it: the bodies of the `try` statements that catch it."""


def caught_unseen(original: str, candidate: Iterable[str], cases: Sequence[Case]) -> tuple[Unseen, ...]:
    """Return what one of both alone catches, where no function that was given raises it.

    An original without handlers may look where a candidate tries: there only what catches nearly everything counts.

    Args:
        original: text of the function.
        candidate: texts of the function and its helpers.
        cases: what both were held to.
    """
    our_bodies, their_bodies = _swallowed([original]), _swallowed(candidate)
    ours, theirs = {*our_bodies}, {*their_bodies}
    more = {name for name in theirs if not _is_caught(name, ours)} & (theirs if ours else BROAD)
    fewer = {name for name in ours if not _is_caught(name, theirs)} if theirs else set[str]()
    raised = {name for case in cases for name in raised_by_functions([*case.input.args, *case.input.kwargs.values()])}
    return tuple(
        Unseen(name, tuple(bodies[name]))
        for names, others, bodies in ((more, ours, their_bodies), (fewer, theirs, our_bodies))
        for name in sorted(names)
        if not any(_is_caught(kind, {name}) and not _is_caught(kind, others) for kind in raised)
    )


def said_of(unseen: Sequence[Unseen]) -> tuple[str, ...]:
    """Return in words what was not looked at."""
    names = ", ".join(each.name for each in unseen)
    return (f"what raises {names} (caught by one of both alone, and never met)",) if unseen else ()


def _swallowed(sources: Iterable[str]) -> dict[str, list[ast.stmt]]:
    """Return the bodies that are tried by names of exceptions that do not come through; those of handlers that end by
    raising them again do.
    """
    found: dict[str, list[ast.stmt]] = {}
    for source in sources:
        tree = parse(source)
        for node in () if isinstance(tree, ParseFailure) else ast.walk(tree):
            for name, body in _caught_by(node):
                found.setdefault(name, []).extend(body)
    return found


def _caught_by(node: ast.AST) -> Iterator[tuple[str, list[ast.stmt]]]:
    if isinstance(node, ast.Try):
        for handler in node.handlers:
            kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            for kind in () if _raises_again(handler) else kinds:
                yield _last_name(kind) if kind is not None else _ALL, node.body
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and _last_name(call.func) == "suppress":
                yield from ((_last_name(kind), node.body) for kind in call.args)


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_caught(name: str, by: set[str]) -> bool:
    kind = getattr(builtins, name, Exception)
    above = {base.__name__ for base in kind.__mro__} if isinstance(kind, type) else set[str]()
    return name in by or not above.isdisjoint(by)

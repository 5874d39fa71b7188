"""Exceptions that only one of original and candidate catches: what no call is known to raise was not looked at."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence

from codeens_sandbox_backends.values.made_up import raised_by_functions
from codeens_server.domain.evidence import Case
from codeens_server.syntax.parsing import ParseFailure, parse

_ALL = "BaseException"
_BROAD = frozenset({"Exception", _ALL})


def caught_unseen(original: str, candidate: Iterable[str], cases: Sequence[Case]) -> tuple[str, ...]:
    """Return what one of both alone catches, in words, where no function that was given raises it.

    An original without handlers may look where a candidate tries: there only what catches nearly everything counts.

    Args:
        original: text of the function.
        candidate: texts of the function and its helpers.
        cases: what both were held to.
    """
    ours, theirs = {*_swallowed(original)}, {name for text in candidate for name in _swallowed(text)}
    more = {name for name in theirs if not _is_caught(name, ours)} & (theirs if ours else _BROAD)
    fewer = {name for name in ours if not _is_caught(name, theirs)} if theirs else set[str]()
    raised = {name for case in cases for name in raised_by_functions([*case.input.args, *case.input.kwargs.values()])}
    unseen = [
        name
        for names, others in ((more, ours), (fewer, theirs))
        for name in sorted(names)
        if not any(_is_caught(kind, {name}) and not _is_caught(kind, others) for kind in raised)
    ]
    return (f"what raises {', '.join(unseen)} (caught by one of both alone, and never met)",) if unseen else ()


def _swallowed(source: str) -> Iterator[str]:
    """Yield names of exceptions that do not come through; those of handlers that end by raising them again do."""
    tree = parse(source)
    for node in () if isinstance(tree, ParseFailure) else ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and not _raises_again(node):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            yield from (_last_name(kind) if kind is not None else _ALL for kind in kinds)
        elif isinstance(node, ast.Call) and _last_name(node.func) == "suppress":
            yield from map(_last_name, node.args)


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_caught(name: str, by: set[str]) -> bool:
    kind = getattr(builtins, name, Exception)
    above = {base.__name__ for base in kind.__mro__} if isinstance(kind, type) else set[str]()
    return name in by or not above.isdisjoint(by)

"""Calls of the target with literal arguments, read from text without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_sandbox_backends.worker.values.grammar import EncodeError
from codeens_server.domain.target import Target
from codeens_server.evidence.strategies.definitions import dotted_name
from codeens_server.syntax.parsing import ParseFailure, parse_expression

_WITHOUT_FIELDS = 2
"""Parts of an encoded object beside its fields."""
_RUNNERS = frozenset({"asyncio.run", "anyio.run", "trio.run", "run"})


class NotLiteral(Exception):
    """The text is no call of the target, or one of its values is not a literal."""


def literal(node: ast.expr | str) -> Encoded:
    """Return the encoded value of a literal: containers, negative and complex numbers included.

    Raises:
        NotLiteral: it is something else.
    """
    try:
        value: Any = ast.literal_eval(expression(node) if isinstance(node, str) else node)
        return encode(value)
    except (ValueError, TypeError, RecursionError, MemoryError, EncodeError):
        message = "not a literal"
        raise NotLiteral(message) from None


def expression(text: str) -> ast.expr:
    """Return one expression.

    Raises:
        NotLiteral: the text is not one.
    """
    node = parse_expression(text)
    if isinstance(node, ParseFailure):
        message = "not an expression"
        raise NotLiteral(message)
    return node


def literal_call(node: ast.expr, target: Target, instance: Encoded = None) -> CallInput:
    """Return the arguments of `f(1, key=[2])`; of `asyncio.run(f(1))` too where the target is async.

    Args:
        node: the call.
        target: what it must call.
        instance: what a method is called on; without it, calls of methods are not read.

    Raises:
        NotLiteral: it calls something else, or with values that are not literals.
    """
    call = _unwrapped(node) if target.is_async else node
    if not isinstance(call, ast.Call) or not _is_target(call.func, target, instance):
        message = "not a call of the target"
        raise NotLiteral(message)
    if any(keyword.arg is None for keyword in call.keywords):
        message = "unpacks a mapping"
        raise NotLiteral(message)
    return CallInput(
        args=(*([instance] if target.kind == "method" else ()), *(literal(argument) for argument in call.args)),
        kwargs={keyword.arg: literal(keyword.value) for keyword in call.keywords if keyword.arg is not None},
    )


def _unwrapped(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Await):
        return node.value
    if isinstance(node, ast.Call) and len(node.args) == 1 and dotted_name(node.func) in _RUNNERS:
        return node.args[0]
    return node


def _is_method(called: ast.expr, target: Target, instance: Encoded) -> bool:
    """Return whether `Solution().f` is called; also `f` and `s.f`, where instances have no state to be known."""
    owner, _, name = target.qualname.rpartition(".")
    has_state = len(instance) > _WITHOUT_FIELDS
    if isinstance(called, ast.Name):
        return called.id == name and not has_state
    if not isinstance(called, ast.Attribute) or called.attr != name:
        return False
    on = called.value
    made = isinstance(on, ast.Call) and not on.args and not on.keywords and dotted_name(on.func) == owner
    return made or (isinstance(on, ast.Name) and not has_state)


def _is_target(called: ast.expr, target: Target, instance: Encoded) -> bool:
    if target.kind == "method":
        return instance is not None and _is_method(called, target, instance)
    owner, _, name = target.qualname.rpartition(".")
    if target.kind == "function":
        if isinstance(called, ast.Name):
            return called.id == name
        around = dotted_name(called)
        return around.endswith(f".{name}") and around.removesuffix(f".{name}") in _module_names(target.module)
    if target.kind in {"staticmethod", "classmethod"}:
        return dotted_name(called) == f"{owner}.{name}"
    return False


def _module_names(module: str) -> Iterator[str]:
    """Return `a.b.c`, `b.c`, `c`, and the packages above, which may pass the function on: `a.b`, `a`."""
    parts = module.split(".")
    yield from (".".join(parts[index:]) for index in range(len(parts)))
    yield from (".".join(parts[:index]) for index in range(1, len(parts)))

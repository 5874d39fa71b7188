"""Inputs that people give: calls with literals, and what stands for large ones, read without running anything."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from typing import Any, cast

from codeens_sandbox_backends.programs import CallInput, Encoded
from codeens_sandbox_backends.worker.values.codec import encode
from codeens_sandbox_backends.worker.values.grammar import EncodeError
from codeens_server.domain.target import Target
from codeens_server.errors import Hint, InputError
from codeens_server.evidence.literal_calls import NotLiteral, expression, literal_call

MOST_CALLS = 100
_MOST_ITEMS = 200_000
_LARGEST = 10**18
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
_MAKERS: dict[str, Callable[..., Any]] = {"range": range, "list": list, "tuple": tuple, "set": set, "str": str}


def given_calls(texts: Sequence[str], target: Target, instance: Encoded = None) -> list[CallInput]:
    """Return the inputs of calls as people write them: `f([3, 1], key=None)`, `f(list(range(10_000)))`.

    Args:
        texts: the calls.
        target: what they must call.
        instance: what a method is called on; None: calls of methods are refused.

    Raises:
        InputError: one calls something else, or has another argument (code `not_a_call`); or there are too many.
    """
    if len(texts) > MOST_CALLS:
        message = f"{len(texts)} calls are given; at most {MOST_CALLS} are taken."
        raise InputError(message, code="not_a_call")
    return [_given_call(text, target, instance) for text in texts]


def _given_call(text: str, target: Target, instance: Encoded) -> CallInput:
    try:
        node = expression(text)
        if isinstance(node, ast.Call) and all(keyword.arg for keyword in node.keywords):
            bare = literal_call(ast.Call(func=node.func, args=[], keywords=[]), target, instance)
            arguments = (encode(_value(argument)) for argument in node.args)
            return CallInput(
                args=(*bare.args, *arguments),
                kwargs={str(keyword.arg): encode(_value(keyword.value)) for keyword in node.keywords},
            )
    except (NotLiteral, EncodeError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        pass
    message = f"{text[:200]!r} is no call of {target.qualname} with literal arguments."
    advice = "Write calls as Python would: f([1, 2], key={'a': 3}); large ones as list(range(n)) or [0] * n."
    raise InputError(message, code="not_a_call", hint=Hint("fix", advice))


def _value(node: ast.expr) -> Any:
    match node:
        case ast.BinOp():
            return _computed(node.op, _value(node.left), _value(node.right))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _MAKERS:
            made = _MAKERS[name](*map(_value, arguments))
            return _checked(made)
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item) for item in items)
        case _:
            return ast.literal_eval(node)


def _computed(sign: ast.operator, left: Any, right: Any) -> Any:
    """Return a repetition, or the result of arithmetic with small numbers.

    Raises:
        ValueError: it is something else, or large.
    """
    if isinstance(left, (list, tuple, str)) and isinstance(right, int) and isinstance(sign, ast.Mult):
        sized = cast("list[Any]", left)
        if len(sized) * right <= _MOST_ITEMS:
            return sized * right
    if isinstance(left, (int, float)) and isinstance(right, (int, float)) and type(sign) in _ARITHMETIC:
        number = _ARITHMETIC[type(sign)](left, right)
        if abs(number) < _LARGEST:
            return number
    raise ValueError


def _checked(made: Any) -> Any:
    if len(made) > _MOST_ITEMS:
        raise ValueError
    return made

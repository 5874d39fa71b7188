"""Generated asserts, read without running them: a call with literal arguments, and what is claimed of its value."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

from codeens_sandbox_backends.programs import CallInput, Encoded, Outcome, Returned
from codeens_sandbox_backends.values.check import SCALAR, Node, open_node
from codeens_sandbox_backends.values.compare import all_match, match_exactly
from codeens_server.evidence.literal_calls import NotLiteral, literal

Relation: TypeAlias = Literal["equal", "unequal", "true", "false"]
_RELATIONS: dict[type[ast.cmpop], Relation] = {
    ast.Eq: "equal",
    ast.Is: "equal",
    ast.NotEq: "unequal",
    ast.IsNot: "unequal",
}
_ASSERT = re.compile(r"^[ \t]*assert\b", re.MULTILINE)
_LONGEST = 4000


class Claim(Struct, frozen=True, kw_only=True):
    """What an assert says: that the value of a call has a relation to another value."""

    call: CallInput
    relation: Relation
    value: Encoded = None

    def holds(self, outcome: Outcome) -> bool:
        """Return whether it is true of what the call did, by Python's own equality. What did not return has failed."""
        if not isinstance(outcome, Returned):
            return False
        match self.relation:
            case "equal":
                return _equal(self.value, outcome.value)
            case "unequal":
                return not _equal(self.value, outcome.value)
            case "true":
                return _truth(outcome.value)
            case "false":
                return not _truth(outcome.value)


def claims_of(text: str, name: str) -> list[Claim]:
    """Return what the asserts of a text claim of the function `name`, in order.

    Args:
        text: the continuation of `assert`, as models are asked for it, or whole statements among others; what is
            cut off or cannot be read is left out.
        name: of the function.
    """
    whole = text if _ASSERT.match(text.lstrip("\n")) else f"assert {text.lstrip()}"
    return [claim for node in _asserted(whole) if (claim := _claim(node, name)) is not None]


def _asserted(text: str) -> Iterator[ast.expr]:
    """Yield what is asserted in a text of which parts may be no Python."""
    starts = [match.start() for match in _ASSERT.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        lines = text[start : min(end, start + _LONGEST)].strip().split("\n")
        for count in range(1, len(lines) + 1):
            statement = _parsed("\n".join(lines[:count]))
            if statement is not None:
                yield statement
                break


def _parsed(text: str) -> ast.expr | None:
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    first = module.body[0] if module.body else None
    return first.test if isinstance(first, ast.Assert) else None


def _claim(node: ast.expr, name: str) -> Claim | None:
    try:
        match node:
            case ast.Call():
                return Claim(call=_call(node, name), relation="true")
            case ast.UnaryOp(op=ast.Not(), operand=called):
                return Claim(call=_call(called, name), relation="false")
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in _RELATIONS:
                called, value = (left, right) if _is_call(left, name) else (right, left)
                return Claim(call=_call(called, name), relation=_RELATIONS[type(operator)], value=literal(value))
            case _:
                return None
    except NotLiteral:
        return None


def _is_call(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _call(node: ast.expr, name: str) -> CallInput:
    if not isinstance(node, ast.Call) or not _is_call(node, name):
        message = "not a call of the function"
        raise NotLiteral(message)
    keywords = {keyword.arg: literal(keyword.value) for keyword in node.keywords if keyword.arg is not None}
    if len(keywords) != len(node.keywords):
        message = "unpacks a mapping"
        raise NotLiteral(message)
    return CallInput(args=tuple(map(literal, node.args)), kwargs=keywords)


def _equal(a: Encoded, b: Encoded) -> bool:
    return all_match(a, b, _match)


def _match(a: Node, b: Node) -> list[tuple[Encoded, Encoded]] | None:
    numbers = _number(a), _number(b)
    if numbers[0] is not None and numbers[1] is not None:
        return [] if numbers[0] == numbers[1] else None
    return match_exactly(a, b)


def _number(node: Node) -> float | None:
    if node.tag == "int":
        return int(node.head[0], 16)
    value = node.head[0] if node.tag == SCALAR else None
    return value if isinstance(value, (int, float)) else None


def _truth(value: Encoded) -> bool:
    node = open_node(value)
    return bool(node.head[0]) if node.tag == SCALAR else bool(node.children or node.pairs) or node.tag == "int"

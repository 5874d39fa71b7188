"""Short forms for shapes of code that many rules look for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import libcst as cst


class MethodCall(NamedTuple):
    """`receiver.method(args)` with plain positional arguments."""

    receiver: cst.BaseExpression
    method: str
    args: list[cst.BaseExpression]


def method_call(node: cst.CSTNode) -> MethodCall | None:
    """Return the call of a method with positional arguments only."""
    match node:
        case cst.Call(func=cst.Attribute(value=receiver, attr=cst.Name(value=method)), args=args):
            plain = plain_args(args)
            return None if plain is None else MethodCall(receiver, method, plain)
        case _:
            return None


def plain_args(args: Sequence[cst.Arg]) -> list[cst.BaseExpression] | None:
    """Return the arguments, if all are positional and none is starred."""
    if any(arg.keyword is not None or arg.star for arg in args):
        return None
    return [arg.value for arg in args]


def call_of(node: cst.CSTNode, name: str) -> list[cst.BaseExpression] | None:
    """Return the positional arguments of `name(...)`."""
    match node:
        case cst.Call(func=cst.Name(value=value), args=args) if value == name:
            return plain_args(args)
        case _:
            return None


def lines(suite: cst.BaseSuite) -> list[cst.BaseStatement | cst.BaseSmallStatement]:
    """Return the statements of a body, those that share a line one by one."""
    found: list[cst.BaseStatement | cst.BaseSmallStatement] = []
    for statement in suite.body:
        if isinstance(statement, cst.SimpleStatementLine):
            found.extend(statement.body)
        else:
            found.append(statement)
    return found


def only_line(suite: cst.BaseSuite) -> cst.BaseStatement | cst.BaseSmallStatement | None:
    """Return the statement of a body that has just one."""
    found = lines(suite)
    return found[0] if len(found) == 1 else None


def sole(statement: cst.CSTNode | None) -> cst.BaseSmallStatement | None:
    """Return the small statement that has its line to itself."""
    match statement:
        case cst.SimpleStatementLine(body=[small]):
            return small
        case _:
            return None


def assigned_name(statement: cst.CSTNode | None) -> tuple[str, cst.BaseExpression] | None:
    """Return `(x, value)` of the line `x = value`, annotated or not."""
    match sole(statement):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
            return name, value
        case cst.AnnAssign(target=cst.Name(value=name), value=cst.BaseExpression() as value):
            return name, value
        case _:
            return None


def is_name(node: cst.CSTNode | None, name: str) -> bool:
    """Return whether the node is this name."""
    return isinstance(node, cst.Name) and node.value == name


def same(one: cst.CSTNode, other: cst.CSTNode) -> bool:
    """Return whether two nodes are the same code, white space and comments included."""
    return one.deep_equals(other)


def index_of(node: cst.CSTNode) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """Return `(value, index)` of `value[index]`, where the index is one expression and no slice."""
    match node:
        case cst.Subscript(value=value, slice=[cst.SubscriptElement(slice=cst.Index(value=index, star=None))]):
            return value, index
        case _:
            return None


def slice_of(node: cst.CSTNode) -> tuple[cst.BaseExpression, cst.Slice] | None:
    """Return `(value, slice)` of `value[a:b]` without a step."""
    match node:
        case cst.Subscript(value=value, slice=[cst.SubscriptElement(slice=cst.Slice(step=None) as part)]):
            return value, part
        case _:
            return None


def number(node: cst.CSTNode | None) -> int | None:
    """Return the value of an integer literal, negative ones included."""
    match node:
        case cst.Integer():
            return node.evaluated_value
        case cst.UnaryOperation(operator=cst.Minus(), expression=cst.Integer() as inner):
            return -inner.evaluated_value
        case _:
            return None


def is_empty_list(node: cst.CSTNode) -> bool:
    """Return whether the node is `[]` or `list()`."""
    match node:
        case cst.List(elements=[]):
            return True
        case cst.Call(func=cst.Name(value="list"), args=[]):
            return True
        case _:
            return False


def is_empty_dict(node: cst.CSTNode) -> bool:
    """Return whether the node is `{}` or `dict()`."""
    match node:
        case cst.Dict(elements=[]):
            return True
        case cst.Call(func=cst.Name(value="dict"), args=[]):
            return True
        case _:
            return False


def conjuncts(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """Yield the parts of `a and b and c`, in order."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        yield from conjuncts(test.left)
        yield from conjuncts(test.right)
    else:
        yield test

"""Whether values are such that they can be remembered: nothing that a caller could change, and known by their hash."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.kinds import IMMUTABLE, annotated_kind
from codeens_server.generation.rewrites.recursion import is_own_call

HASHABLE = frozenset(IMMUTABLE | {"tuple", "frozenset"}) - {"float"}
"""Kinds of which equal values lead to equal results; 0.0 and -0.0 are equal, and yet do not."""
_ALSO_HASHABLE = frozenset({"None", "Optional", "Union", "Fraction", "Decimal", "date", "datetime", "Hashable"})
_ARITHMETIC = (cst.BinaryOperation, cst.Comparison, cst.ComparisonTarget, cst.UnaryOperation)
_BITWISE = (cst.BitAnd, cst.BitOr, cst.BitXor)


def gives_value(subject: FunctionTree, node: cst.BaseExpression) -> bool:
    """Return whether the expression's value is nothing that can be changed: a number, text, a tuple of such."""
    match node:
        case cst.Integer() | cst.Float() | cst.SimpleString() | cst.FormattedString() | cst.Comparison():
            return True
        case cst.BinaryOperation(left=left, right=right) | cst.BooleanOperation(left=left, right=right):
            return gives_value(subject, left) and gives_value(subject, right)
        case cst.IfExp(body=body, orelse=orelse):
            return gives_value(subject, body) and gives_value(subject, orelse)
        case cst.UnaryOperation(expression=inner):
            return gives_value(subject, inner)
        case cst.Tuple(elements=elements):
            return all(gives_value(subject, element.value) for element in elements)
        case cst.Subscript():
            return _is_number_here(subject, node)
        case cst.Name(value=name):
            return name in ("True", "False", "None") or _is_value(subject, name)
        case cst.Call():
            values = ("sum", "abs", "len", "int", "str", "float", "bool", "any", "all", "pow", "round")
            if subject.is_builtin(node.func, "min", "max"):
                positional = [arg.value for arg in node.args if not arg.keyword]
                return len(positional) == 1 or all(gives_value(subject, one) for one in positional)
            return is_own_call(subject, node) or subject.is_builtin(node.func, *values)
        case _:
            return False


def _is_number_here(subject: FunctionTree, node: cst.CSTNode) -> bool:
    """Return whether the value is only a part of arithmetic, whose result is another one."""
    return isinstance(subject.parent(node), cst.BinaryOperation)


def _is_value(subject: FunctionTree, name: str) -> bool:
    """Return whether all that the variable is given is of a kind that cannot be changed."""
    if param := subject.parameters.get(name):
        return takes_hashable(subject, param)
    bound = [place for place in subject.variables(subject.function, name) if subject.is_bound_here(place)]
    return bool(bound) and all(_is_given_value(subject, place) for place in bound)


def _is_given_value(subject: FunctionTree, place: cst.Name) -> bool:
    parent = subject.parent(place)
    statement = subject.parent(parent) if isinstance(parent, cst.AssignTarget) else parent
    match statement:
        case cst.AugAssign(value=value) | cst.Assign(value=value):
            pass
        case cst.For(iter=cst.Call(func=func)):
            return subject.is_builtin(func, "range")
        case _:
            return False
    reads = subject.variables(value, place.value)
    is_compared = all(isinstance(subject.parent(one), cst.Arg | cst.BinaryOperation) for one in reads)
    return is_compared and _gives_value_beside(subject, value, place.value)


def _gives_value_beside(subject: FunctionTree, node: cst.BaseExpression, name: str) -> bool:
    """Return whether an expression gives such a value if the variable, which it may read, holds one."""
    match node:
        case cst.Name(value=value) if value == name:
            return True
        case cst.Call(func=func, args=args) if subject.is_builtin(func, "min", "max") and len(args) > 1:
            return all(_gives_value_beside(subject, arg.value, name) for arg in args if not arg.keyword)
        case cst.BinaryOperation(left=left, right=right):
            return _gives_value_beside(subject, left, name) and _gives_value_beside(subject, right, name)
        case _:
            return gives_value(subject, node)


def takes_hashable(subject: FunctionTree, param: cst.Param) -> bool:
    """Return whether the parameter is of a kind by which results can be told apart."""
    if param.annotation is not None:
        return _names_hashable(subject, param.annotation.annotation)
    if isinstance(param.default, cst.Integer | cst.SimpleString | cst.Tuple):
        return True
    return _is_used_as_number(subject, param.name.value)


def _names_hashable(subject: FunctionTree, annotation: cst.BaseExpression) -> bool:
    if isinstance(annotation, cst.SimpleString):
        text = annotation.evaluated_value
        return isinstance(text, str) and text in HASHABLE
    kinds = [node for node in subject.walk(annotation) if isinstance(node, cst.Name)]
    return all(annotated_kind(node) in HASHABLE or node.value in _ALSO_HASHABLE for node in kinds)


def _is_used_as_number(subject: FunctionTree, name: str) -> bool:
    """Return whether the parameter is used in arithmetic, or as a position, and never as a collection."""
    uses = [subject.parent(place) for place in subject.variables(subject.function.body, name)]
    allowed = (*_ARITHMETIC, cst.Arg, cst.If, cst.While, cst.Return, cst.BooleanOperation, cst.IfExp, cst.AssignTarget)
    computed = any(isinstance(use, cst.BinaryOperation | cst.Index) for use in uses)
    return computed and all(isinstance(use, (*allowed, cst.Index, cst.Element)) for use in uses)


def is_plain_number(subject: FunctionTree, name: str) -> bool:
    """Return whether the results are the same for True and for 1: the parameter is only computed with, or compared."""
    return all(_is_computed_with(subject, place) for place in subject.variables(subject.function.body, name))


def _is_computed_with(subject: FunctionTree, place: cst.Name) -> bool:
    parent = subject.parent(place)
    match parent:
        case cst.BinaryOperation(operator=operator):
            return not isinstance(operator, _BITWISE)
        case cst.Comparison() | cst.ComparisonTarget() | cst.If() | cst.While() | cst.Return() | cst.Index():
            return not isinstance(getattr(parent, "operator", None), cst.Is | cst.IsNot)
        case cst.Arg():
            call = subject.parent(parent)
            return isinstance(call, cst.Call) and (is_own_call(subject, call) or subject.is_builtin(call.func, "range"))
        case _:
            return False

"""Remembering the results of a recursive function."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.function_tree import SCOPES, FunctionTree
from codeens_server.generation.rewrites.kinds import IMMUTABLE, annotated_kind
from codeens_server.generation.rewrites.placing import is_repeated
from codeens_server.generation.rewrites.purity import is_pure_function, suspends
from codeens_server.generation.rewrites.rule import Codemod

HASHABLE = frozenset(IMMUTABLE | {"tuple", "frozenset"})
_ALSO_HASHABLE = frozenset({"None", "Optional", "Union", "Fraction", "Decimal", "date", "datetime", "Hashable"})
_ARITHMETIC = (cst.BinaryOperation, cst.Comparison, cst.ComparisonTarget, cst.UnaryOperation)


class Memoise(Codemod):
    """See `rationale`."""

    name = "memoise"
    rationale = (
        "Remembers results with functools.lru_cache, so that a recursion which meets the same arguments again and "
        "again computes each only once."
    )

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        if not _is_plain_function(subject) or not _recurs_twice(subject) or not _is_pure_function(subject):
            return
        if not all(_takes_hashable(subject, param) for param in subject.parameters.values()):
            return
        cache = edits.require("functools", "lru_cache")
        if cache is None:
            return
        typed = "" if all(param.annotation for param in subject.parameters.values()) else ", typed=True"
        edits.decorate(f"{cache}(maxsize=None{typed})")


def _is_plain_function(subject: FunctionTree) -> bool:
    function = subject.function
    decorators = [subject.code(one.decorator) for one in function.decorators]
    stars = isinstance(function.params.star_kwarg, cst.Param) or isinstance(function.params.star_arg, cst.Param)
    is_bound = "self" in subject.parameters or "cls" in subject.parameters
    is_nested = function.name.value in subject.facts.enclosing
    return (
        decorators in ([], ["staticmethod"])
        and function.asynchronous is None
        and not (stars or is_bound or is_nested or suspends(subject, function.body))
        and bool(subject.parameters)
    )


def _recurs_twice(subject: FunctionTree) -> bool:
    calls = [call for call in subject.own(cst.Call) if _is_itself(subject, call)]
    return len(calls) >= 2 or any(is_repeated(subject, call) for call in calls)


def _is_itself(subject: FunctionTree, call: cst.Call) -> bool:
    """Match `f(...)`, or `Class.f(...)` for a static method."""
    match call.func:
        case cst.Name(value=name):
            return name == subject.function.name.value and name not in subject.bound(subject.function.body)
        case cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=name)):
            return name == subject.function.name.value and owner in subject.facts.names and owner[:1].isupper()
        case _:
            return False


def _is_pure_function(subject: FunctionTree) -> bool:
    """Return whether the result depends on the arguments alone, and is nothing that a caller could change."""
    body = subject.function.body
    if any(isinstance(node, (*SCOPES, cst.Global, cst.Nonlocal, cst.Del, cst.With)) for node in subject.walk(body)):
        return False
    for node in subject.walk(body):
        if isinstance(node, cst.Call) and not _is_itself(subject, node) and not is_pure_function(subject, node.func):
            return False
        if isinstance(node, cst.AssignTarget | cst.AugAssign) and not isinstance(node.target, cst.Name | cst.Tuple):
            return False
    if not all(_is_constant(subject, name.value) for name in subject.reads(body)):
        return False
    return all(one.value is not None and _gives_value(subject, one.value) for one in subject.own(cst.Return))


def _is_constant(subject: FunctionTree, name: str) -> bool:
    """Return whether the name means the same at every call: a local variable, a builtin, an import, a constant."""
    facts = subject.facts
    if name in subject.local_names or name == subject.function.name.value or name not in facts.names:
        return True
    return name in facts.imports or name[:1].isupper()


def _gives_value(subject: FunctionTree, node: cst.BaseExpression) -> bool:
    match node:
        case cst.Integer() | cst.Float() | cst.SimpleString() | cst.FormattedString() | cst.Comparison():
            return True
        case cst.BinaryOperation(left=left, right=right) | cst.BooleanOperation(left=left, right=right):
            return _gives_value(subject, left) and _gives_value(subject, right)
        case cst.IfExp(body=body, orelse=orelse):
            return _gives_value(subject, body) and _gives_value(subject, orelse)
        case cst.UnaryOperation(expression=inner):
            return _gives_value(subject, inner)
        case cst.Tuple(elements=elements):
            return all(_gives_value(subject, element.value) for element in elements)
        case cst.Name(value=name):
            return name in ("True", "False", "None") or _is_value(subject, name)
        case cst.Call():
            values = ("min", "max", "sum", "abs", "len", "int", "str", "float", "bool", "any", "all", "pow", "round")
            return _is_itself(subject, node) or subject.is_builtin(node.func, *values)
        case _:
            return False


def _is_value(subject: FunctionTree, name: str) -> bool:
    """Return whether all that the variable is given is of a kind that cannot be changed."""
    if param := subject.parameters.get(name):
        return _takes_hashable(subject, param)
    bound = [place for place in subject.variables(subject.function, name) if subject.is_bound_here(place)]
    return bool(bound) and all(_is_given_value(subject, place) for place in bound)


def _is_given_value(subject: FunctionTree, place: cst.Name) -> bool:
    parent = subject.parent(place)
    statement = subject.parent(parent) if isinstance(parent, cst.AssignTarget) else parent
    if not isinstance(statement, cst.Assign | cst.AugAssign):
        return False
    reads_itself = any(True for _ in subject.variables(statement.value, place.value))
    return not reads_itself and _gives_value(subject, statement.value)


def _takes_hashable(subject: FunctionTree, param: cst.Param) -> bool:
    if param.annotation is not None:
        return _names_hashable(subject, param.annotation.annotation)
    if isinstance(param.default, cst.Integer | cst.Float | cst.SimpleString | cst.Tuple):
        return True
    return _is_used_as_number(subject, param.name.value)


def _names_hashable(subject: FunctionTree, annotation: cst.BaseExpression) -> bool:
    if isinstance(annotation, cst.SimpleString):
        text = annotation.evaluated_value
        return isinstance(text, str) and text in HASHABLE
    kinds = [node for node in subject.walk(annotation) if isinstance(node, cst.Name)]
    return all(annotated_kind(node) in HASHABLE or node.value in _ALSO_HASHABLE for node in kinds)


def _is_used_as_number(subject: FunctionTree, name: str) -> bool:
    """Return whether the parameter is used in arithmetic and never as a collection."""
    uses = [subject.parent(place) for place in subject.variables(subject.function.body, name)]
    allowed = (*_ARITHMETIC, cst.Arg, cst.If, cst.While, cst.Return, cst.BooleanOperation, cst.IfExp, cst.AssignTarget)
    computed = any(isinstance(use, cst.BinaryOperation) for use in uses)
    return computed and all(isinstance(use, allowed) for use in uses)

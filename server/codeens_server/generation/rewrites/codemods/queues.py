"""Queues that are served from the front."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.placing import is_repeated
from codeens_server.generation.rewrites.rule import Codemod

SAME_METHODS = frozenset({"append", "extend", "clear", "remove", "count", "index"})
SAME_FUNCTIONS = (
    "len",
    "list",
    "tuple",
    "set",
    "sorted",
    "sum",
    "min",
    "max",
    "any",
    "all",
    "enumerate",
    "zip",
    "bool",
)


class QueueToDeque(Codemod):
    """See `rationale`."""

    name = "queue-to-deque"
    rationale = "Takes from the front of a deque in constant time, where list.pop(0) moved all other elements."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        for call in subject.own(cst.Call):
            taken = _end_of(call)
            if taken and taken[1] == "popleft" and is_repeated(subject, call) and _convert(subject, edits, taken[0]):
                return


def _end_of(call: cst.CSTNode) -> tuple[str, str] | None:
    """Match `xs.pop(0)`: `(xs, "popleft")`; `xs.insert(0, x)`: `(xs, "appendleft")`; `xs.pop()`: `(xs, "pop")`."""
    found = tree.method_call(call)
    if found is None or not isinstance(found.receiver, cst.Name):
        return None
    match found.method, found.args:
        case "pop", []:
            return found.receiver.value, "pop"
        case "pop", [first] if tree.number(first) == 0:
            return found.receiver.value, "popleft"
        case "insert", [first, _] if tree.number(first) == 0:
            return found.receiver.value, "appendleft"
        case _:
            return None


def _convert(subject: FunctionTree, edits: Edits, name: str) -> bool:
    if not subject.is_local(name) or name in subject.parameters:
        return False
    places = list(subject.variables(subject.function, name))
    making = [place for place in places if subject.is_bound_here(place)]
    if not making or not all(_made_list(subject, place) or _is_extended(subject, place) for place in making):
        return False
    if not all(_is_same_for_deque(subject, place) for place in places if place not in making):
        return False
    deque = edits.require("collections", "deque")
    if deque is None:
        return False
    for place in making:
        if made := _made_list(subject, place):
            line, value = made
            edits.statement(line, f"{name} = {deque}({_contents(subject, value)})")
    for place in places:
        _use_ends(subject, edits, place)
    return True


def _made_list(subject: FunctionTree, place: cst.Name) -> tuple[cst.SimpleStatementLine, cst.BaseExpression] | None:
    """Return the line `xs = [...]` or `xs = list(...)` that binds this place."""
    for parent in subject.above(place):
        if isinstance(parent, cst.SimpleStatementLine):
            made = tree.assigned_name(parent)
            if made is None or made[0] != place.value or subject.occurs(made[1], place.value):
                return None
            is_list = isinstance(made[1], cst.List | cst.ListComp)
            called = isinstance(made[1], cst.Call) and subject.is_builtin(made[1].func, "list")
            return (parent, made[1]) if is_list or called else None
    return None


def _is_extended(subject: FunctionTree, place: cst.Name) -> bool:
    parent = subject.parent(place)
    return isinstance(parent, cst.AugAssign) and isinstance(parent.operator, cst.AddAssign)


def _contents(subject: FunctionTree, value: cst.BaseExpression) -> str:
    if tree.is_empty_list(value):
        return ""
    if isinstance(value, cst.Call):
        return ", ".join(subject.code(arg) for arg in value.args)
    return subject.code(value)


def _use_ends(subject: FunctionTree, edits: Edits, place: cst.Name) -> None:
    attribute = subject.parent(place)
    call = subject.parent(attribute) if isinstance(attribute, cst.Attribute) else None
    if not isinstance(call, cst.Call) or (end := _end_of(call)) is None:
        return
    rest = [subject.code(arg.value) for arg in call.args[1:]] if end[1] != "pop" else []
    edits.expression(call, f"{end[0]}.{end[1]}({', '.join(rest)})")


def _is_same_for_deque(subject: FunctionTree, place: cst.Name) -> bool:
    """Return whether what is done with the list here means the same for a deque."""
    parent = subject.parent(place)
    match parent:
        case cst.Attribute(attr=cst.Name(value=method)):
            call = subject.parent(parent)
            if not isinstance(call, cst.Call) or call.func is not parent:
                return False
            return method in SAME_METHODS or _end_of(call) is not None
        case cst.ComparisonTarget(operator=operator):
            return isinstance(operator, cst.In | cst.NotIn)
        case cst.If() | cst.While() | cst.BooleanOperation() | cst.StarredElement():
            return not isinstance(parent, cst.BooleanOperation) or _is_tested(subject, parent)
        case cst.UnaryOperation(operator=operator):
            return isinstance(operator, cst.Not)
        case cst.Arg():
            call = subject.parent(parent)
            return isinstance(call, cst.Call) and subject.is_builtin(call.func, *SAME_FUNCTIONS)
        case cst.CompFor():
            return True
        case cst.For(body=body):
            return not any(True for _ in subject.variables(body, place.value))
        case cst.Subscript():
            indexed = tree.index_of(parent)
            return indexed is not None and tree.number(indexed[1]) in (0, -1)
        case _:
            return False


def _is_tested(subject: FunctionTree, node: cst.CSTNode) -> bool:
    """Return whether only the truth of the expression matters."""
    parent = subject.parent(node)
    if isinstance(parent, cst.BooleanOperation):
        return _is_tested(subject, parent)
    return isinstance(parent, cst.If | cst.While | cst.UnaryOperation)

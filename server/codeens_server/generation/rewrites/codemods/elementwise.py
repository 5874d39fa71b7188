"""Loops over the elements of numpy arrays."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import is_used_outside
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.kinds import annotation_of, kind_of
from codeens_server.generation.rewrites.rule import Codemod

_ARITHMETIC = (cst.Add, cst.Subtract, cst.Multiply, cst.Divide)
_MAKERS = frozenset({"numpy.zeros", "numpy.empty", "numpy.ones", "numpy.zeros_like", "numpy.empty_like"})


class ElementLoopToArrays(Codemod):
    """See `rationale`. Each element is computed by the same operations in the same order, so that none rounds anew."""

    name = "element-loop-to-arrays"
    rationale = "Computes with whole arrays, where a loop took each element out and put each result back."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        for loop in subject.own(cst.For):
            if text := _whole(subject, loop):
                edits.statement(loop, text)
                return


def _whole(subject: FunctionTree, loop: cst.For) -> str | None:
    """Return the text for `for i in range(len(a)): out[i] = …`."""
    turns = tree.call_of(loop.iter, "range")
    if not turns or len(turns) != 1 or not isinstance(loop.iter, cst.Call) or not subject.is_builtin(loop.iter.func):
        return None
    if loop.orelse is not None or loop.asynchronous is not None or not isinstance(loop.target, cst.Name):
        return None
    variable = loop.target.value
    match tree.only_line(loop.body):
        case cst.Assign(targets=[cst.AssignTarget(target=target)], value=value):
            pass
        case _:
            return None
    indexed = tree.index_of(target)
    if indexed is None or not tree.is_name(indexed[1], variable) or not isinstance(indexed[0], cst.Name):
        return None
    out, count = indexed[0].value, subject.code(turns[0])
    measured = tree.call_of(turns[0], "len")
    if not measured or not isinstance(measured[0], cst.Name) or not _is_array(subject, measured[0].value):
        return None
    if not _is_made_here(subject, out) or is_used_outside(subject, variable, loop) or subject.occurs(value, out):
        return None
    arrays = _arrays(subject, value, variable)
    if arrays is None or measured[0].value not in arrays:
        return None
    places = [one for one in subject.own(cst.Subscript, loop) if tree.index_of(one)]
    text = subject.code(value)
    for place in sorted({subject.code(one) for one in places}):
        name = place.partition("[")[0]
        text = text.replace(place, name if name == measured[0].value else f"{name}[:{count}]")
    return f"{out}[:{count}] = {text}"


def _arrays(subject: FunctionTree, node: cst.BaseExpression, variable: str) -> set[str] | None:
    """Return the arrays whose elements the arithmetic is about; None where there is something else in it."""
    match node:
        case cst.BinaryOperation(left=left, operator=operator, right=right) if isinstance(operator, _ARITHMETIC):
            one, other = _arrays(subject, left, variable), _arrays(subject, right, variable)
            return None if one is None or other is None else one | other
        case cst.Subscript():
            indexed = tree.index_of(node)
            if indexed is None or not isinstance(indexed[0], cst.Name) or not tree.is_name(indexed[1], variable):
                return None
            return {indexed[0].value} if _is_array(subject, indexed[0].value) else None
        case cst.Name(value=name):
            return set() if name != variable and kind_of(subject, node) in ("int", "float") else None
        case cst.Integer() | cst.Float():
            return set()
        case _:
            return None


def _is_array(subject: FunctionTree, name: str) -> bool:
    """Return whether the variable is annotated as an array, and given no other value."""
    annotation = annotation_of(subject, name)
    base = annotation.value if isinstance(annotation, cst.Subscript) else annotation
    is_bound = name in subject.bound(subject.function.body)
    return base is not None and subject.origin(base) in ("numpy.ndarray", "numpy.typing.NDArray") and not is_bound


def _is_made_here(subject: FunctionTree, name: str) -> bool:
    bound = [place for place in subject.variables(subject.function, name) if subject.is_bound_here(place)]
    target = subject.parent(bound[0]) if len(bound) == 1 else None
    assign = subject.parent(target) if isinstance(target, cst.AssignTarget) else None
    value = assign.value if isinstance(assign, cst.Assign) else None
    return isinstance(value, cst.Call) and subject.origin(value.func) in _MAKERS

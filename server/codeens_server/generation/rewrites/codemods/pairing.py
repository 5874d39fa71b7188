"""Pairs of a list's elements with a given sum, or that are equal, by looking the second one up."""

from __future__ import annotations

from typing import NamedTuple

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import is_used_outside
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.kinds import UNHASHABLE, element_kind, kind_of
from codeens_server.generation.rewrites.placing import place_for
from codeens_server.generation.rewrites.purity import is_pure
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.tree import conjuncts


class Pairs(NamedTuple):
    """`for j in range(i + 1, len(xs))`, and what `xs[j]` must be for its body to do anything."""

    collection: str
    first: str
    """Text of the first position, empty for 0."""
    wanted: str
    condition: cst.If


class PairsToPositions(Codemod):
    """See `rationale`."""

    name = "pairs-to-positions"
    rationale = "Looks up at which positions the second element of a pair is, where a loop tried all of them."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        for loop in subject.own(cst.For):
            if (pairs := _pairs(subject, loop)) and _look_up(subject, edits, loop, pairs):
                return


def _look_up(subject: FunctionTree, edits: Edits, loop: cst.For, pairs: Pairs) -> bool:
    place = place_for(subject, loop, [pairs.collection])
    default = edits.require("collections", "defaultdict") if place is not None else None
    if place is None or default is None or not subject.has_builtin("enumerate", "list"):
        return False
    positions = edits.fresh(f"{pairs.collection.lower().lstrip('_')}_positions")
    position, element = edits.fresh("position"), edits.fresh("element")
    edits.before(
        place,
        f"{positions} = {default}(list)\nfor {position}, {element} in enumerate({pairs.collection}):\n"
        f"    {positions}[{element}].append({position})\n",
    )
    variable = subject.code(loop.target)
    tests = [f"{variable} >= {pairs.first}"] if pairs.first else []
    tests[:] = [*tests, *map(subject.code, conjuncts(pairs.condition.test))]
    condition = pairs.condition.with_changes(test=cst.parse_expression(" and ".join(tests)))
    iterable = cst.parse_expression(f"{positions}.get({pairs.wanted}, ())")
    edits.node(loop, loop.with_changes(iter=iterable, body=loop.body.with_changes(body=[condition])))
    return True


def _pairs(subject: FunctionTree, loop: cst.For) -> Pairs | None:
    condition = tree.only_line(loop.body)
    if not isinstance(condition, cst.If) or condition.orelse is not None or loop.orelse is not None:
        return None
    if loop.asynchronous is not None or not isinstance(loop.target, cst.Name):
        return None
    bounds = _bounds(subject, loop.iter)
    if bounds is None or is_used_outside(subject, loop.target.value, loop):
        return None
    collection, first = bounds
    if kind_of(subject, cst.Name(collection)) not in ("list", "tuple"):
        return None
    if element_kind(subject, cst.Name(collection)) in UNHASHABLE:
        return None
    parts = list(conjuncts(condition.test))
    for number, part in enumerate(parts):
        wanted = _wanted(subject, part, collection, loop.target.value)
        if wanted and all(is_pure(subject, one) for one in parts[: number + 1]):
            return Pairs(collection, first, wanted, condition)
        if not _is_comparison_of_positions(subject, part, loop.target.value):
            return None
    return None


def _bounds(subject: FunctionTree, iterable: cst.BaseExpression) -> tuple[str, str] | None:
    """Return the xs and the first position of `range(a, len(xs))`, which is surely not negative; empty for 0."""
    args = tree.call_of(iterable, "range")
    if not args or not isinstance(iterable, cst.Call) or not subject.is_builtin(iterable.func) or len(args) > 2:
        return None
    measured = tree.call_of(args[-1], "len")
    if measured is None or len(measured) != 1 or not isinstance(measured[0], cst.Name):
        return None
    if len(args) == 1 or tree.number(args[0]) == 0:
        return measured[0].value, ""
    return (measured[0].value, subject.code(args[0])) if _is_position(subject, args[0]) else None


def _is_position(subject: FunctionTree, node: cst.BaseExpression) -> bool:
    """Match `i`, `i + 1` and `1`, where i is the variable of a loop over positions: never negative."""
    match node:
        case cst.Integer():
            return True
        case cst.BinaryOperation(left=left, operator=cst.Add(), right=right):
            return _is_position(subject, left) and _is_position(subject, right)
        case cst.Name(value=name):
            return any(
                isinstance(loop.target, cst.Name) and loop.target.value == name and _counts_up(subject, loop.iter)
                for loop in subject.own(cst.For)
            ) and all(_is_counted(subject, place) for place in _givings(subject, name))
        case _:
            return False


def _givings(subject: FunctionTree, name: str) -> list[cst.Name]:
    return [place for place in subject.variables(subject.function, name) if subject.is_bound_here(place)]


def _is_counted(subject: FunctionTree, place: cst.Name) -> bool:
    loop = subject.parent(place)
    return isinstance(loop, cst.For) and _counts_up(subject, loop.iter)


def _counts_up(subject: FunctionTree, iterable: cst.BaseExpression) -> bool:
    args = tree.call_of(iterable, "range")
    if not args or len(args) > 2 or not isinstance(iterable, cst.Call) or not subject.is_builtin(iterable.func):
        return False
    return len(args) == 1 or _is_position(subject, args[0])


def _wanted(subject: FunctionTree, part: cst.BaseExpression, collection: str, variable: str) -> str:
    """Return what `xs[j]` must be equal to; empty where the test is no such equality."""
    match part:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=cst.Equal(), comparator=right)]):
            pass
        case _:
            return ""
    element = f"{collection}[{variable}]"
    for one, other in ((left, right), (right, left)):
        if subject.occurs(other, variable):
            continue
        if subject.code(one) == element:
            return "" if kind_of(subject, other) in UNHASHABLE else subject.code(other)
        rest = _other_summand(subject, one, element, variable)
        if rest and kind_of(subject, other) == "int" and element_kind(subject, cst.Name(collection)) == "int":
            return f"{subject.code(other)} - {rest}"
    return ""


def _other_summand(subject: FunctionTree, node: cst.BaseExpression, element: str, variable: str) -> str:
    """Return the a of `a + xs[j]`, a whole number, as it can be taken away."""
    match node:
        case cst.BinaryOperation(left=left, operator=cst.Add(), right=right):
            for one, other in ((left, right), (right, left)):
                # Sums of floats would round otherwise.
                is_whole = kind_of(subject, other) == "int" and not subject.occurs(other, variable)
                if subject.code(one) == element and is_whole:
                    return f"({subject.code(other)})" if isinstance(other, cst.BinaryOperation) else subject.code(other)
        case _:
            pass
    return ""


def _is_comparison_of_positions(subject: FunctionTree, part: cst.BaseExpression, variable: str) -> bool:
    """Match `i != j` and the like, which may stand before the equality."""
    match part:
        case cst.Comparison(
            left=cst.Name(value=one), comparisons=[cst.ComparisonTarget(comparator=cst.Name(value=other))]
        ):
            return variable in (one, other) and is_pure(subject, part)
        case _:
            return False

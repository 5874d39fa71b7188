"""Loops that search a collection for matching elements, again for each element of another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import is_used_outside
from codeens_server.generation.rewrites.function_tree import FunctionTree, target_names
from codeens_server.generation.rewrites.kinds import UNHASHABLE, annotation_of, kind_of, may_be_none
from codeens_server.generation.rewrites.placing import Statement, place_for
from codeens_server.generation.rewrites.purity import is_pure
from codeens_server.generation.rewrites.rule import Codemod

SearchLoop: TypeAlias = cst.For | cst.CompFor
ONE_PASS_ONLY = frozenset({"Iterator", "Iterable", "Generator", "AsyncIterator"})


class Match(NamedTuple):
    """`key(y) == wanted`, where only the key depends on the element; and what else must hold."""

    key: cst.BaseExpression
    wanted: cst.BaseExpression
    rest: list[cst.BaseExpression]


class Search(NamedTuple):
    """A loop over a collection that goes on only with the elements that match."""

    loop: SearchLoop
    condition: cst.If | cst.CompIf
    match: Match
    place: Statement
    """Before it the index can be made."""


class NestedLoopToIndex(Codemod):
    """See `rationale`."""

    name = "nested-loop-to-index"
    rationale = (
        "Groups the inner collection by the compared value once and looks matches up, where each turn of the outer "
        "loop compared every element."
    )

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        loops = [loop for loop in subject.own(cst.CSTNode) if isinstance(loop, cst.For | cst.CompFor)]
        searches = [found for loop in loops if (found := _search(subject, loop))]
        default = edits.require("collections", "defaultdict") if searches else None
        if default is None:
            return
        first = searches[0]
        index = edits.fresh(f"{_plural(first.loop)}_by_{_subject_of(subject, first.match.key)}")
        edits.before(first.place, _making(subject, default, index, first))
        done: list[SearchLoop] = []
        for search in searches:
            is_free = not any(subject.is_inside(search.loop, other) for other in done)
            is_same = _making(subject, default, index, search) == _making(subject, default, index, first)
            if is_free and is_same and search.place is first.place:
                _look_up(subject, edits, index, search)
                done.append(search.loop)


def _making(subject: FunctionTree, default: str, index: str, search: Search) -> str:
    """Return the statements that make the index."""
    target = search.loop.target
    element = subject.code(target)
    stored = f"({element})" if isinstance(target, cst.Tuple) and not target.lpar else element
    return (
        f"{index} = {default}(list)\n"
        f"for {element} in {subject.code(search.loop.iter)}:\n"
        f"    {index}[{subject.code(search.match.key)}].append({stored})\n"
    )


def _look_up(subject: FunctionTree, edits: Edits, index: str, search: Search) -> None:
    iterable = cst.parse_expression(f"{index}.get({subject.code(search.match.wanted)}, ())")
    test = cst.parse_expression(" and ".join(map(subject.code, search.match.rest))) if search.match.rest else None
    loop, condition = search.loop, search.condition
    if isinstance(loop, cst.CompFor):
        first = [condition.with_changes(test=test)] if test else []
        edits.node(loop, loop.with_changes(iter=iterable, ifs=[*first, *loop.ifs[1:]]))
    elif isinstance(condition, cst.If):
        body = loop.body.with_changes(body=[condition.with_changes(test=test)]) if test else condition.body
        edits.node(loop, loop.with_changes(iter=iterable, body=body))


def _search(subject: FunctionTree, loop: SearchLoop) -> Search | None:
    condition = _condition(loop)
    if condition is None or loop.asynchronous is not None or not _can_be_walked_again(subject, loop.iter):
        return None
    variables = {name.value for name in target_names(loop.target)}
    match = _match(subject, condition.test, variables)
    if match is None:
        return None
    region = loop if isinstance(loop, cst.For) else subject.parent(loop) or loop
    if any(is_used_outside(subject, name, region) for name in variables):
        return None
    names = {name.value for node in (loop.iter, match.key) for name in subject.variables(node)}
    place = place_for(subject, region, names - variables)
    return Search(loop, condition, match, place) if place is not None else None


def _condition(loop: SearchLoop) -> cst.If | cst.CompIf | None:
    if isinstance(loop, cst.CompFor):
        return loop.ifs[0] if loop.ifs and loop.inner_for_in is None else None
    match tree.only_line(loop.body):
        case cst.If(orelse=None) as condition if loop.orelse is None:
            return condition
        case _:
            return None


def _match(subject: FunctionTree, test: cst.BaseExpression, variables: set[str]) -> Match | None:
    """Return the first equality that tells the elements apart; only other equalities may stand before it."""
    parts = list(_conjuncts(test))
    for number, part in enumerate(parts):
        sides = _equal_sides(part)
        if sides is None:
            return None
        left, right = sides if _depends(subject, sides[0], variables) else sides[::-1]
        is_key = _depends(subject, left, variables) and not _depends(subject, right, variables)
        if not is_pure(subject, left) or not is_pure(subject, right):
            return None
        if is_key and not isinstance(right, cst.BaseString | cst.BaseNumber):
            rest = [*parts[:number], *parts[number + 1 :]]
            return None if kind_of(subject, right) in UNHASHABLE else Match(left, right, rest)
    return None


def _equal_sides(node: cst.BaseExpression) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    match node:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=cst.Equal(), comparator=right)]):
            return left, right
        case _:
            return None


def _conjuncts(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        yield from _conjuncts(test.left)
        yield from _conjuncts(test.right)
    else:
        yield test


def _depends(subject: FunctionTree, node: cst.BaseExpression, variables: set[str]) -> bool:
    return any(name.value in variables for name in subject.variables(node))


def _can_be_walked_again(subject: FunctionTree, collection: cst.BaseExpression) -> bool:
    """Return whether the collection is no iterator and no string, as far as one can see: `xs + ys`, `d.items()`."""
    match collection:
        case cst.Name(value=name):
            kinds = ("str", "bytes", "dict", "set")
            return not may_be_none(subject, name) and not (
                kind_of(subject, collection) in kinds or _is_for_one_pass(subject, name)
            )
        case cst.BinaryOperation(left=left, operator=cst.Add(), right=right):
            return _can_be_walked_again(subject, left) and _can_be_walked_again(subject, right)
        case _:
            call = tree.method_call(collection)
            if call is None or call.method not in ("items", "values") or call.args:
                return False
            return isinstance(call.receiver, cst.Name)


def _is_for_one_pass(subject: FunctionTree, name: str) -> bool:
    annotation = annotation_of(subject, name)
    base = annotation.value if isinstance(annotation, cst.Subscript) else annotation
    named = base.attr if isinstance(base, cst.Attribute) else base
    return isinstance(named, cst.Name) and named.value in ONE_PASS_ONLY


def _plural(loop: SearchLoop) -> str:
    """Return what the elements are called."""
    if isinstance(loop.iter, cst.Name):
        return loop.iter.value.lstrip("_").lower()
    name = next((found.value for found in target_names(loop.target)), "element")
    return name if name.endswith("s") else f"{name}s"


def _subject_of(subject: FunctionTree, key: cst.BaseExpression) -> str:
    """Return what the index is by: the attribute or the string key that is compared."""
    for node in subject.walk(key):
        match node:
            case cst.SimpleString() if isinstance(text := node.evaluated_value, str) and text.isidentifier():
                return text.lower()
            case cst.Attribute(attr=cst.Name(value=name)) if not isinstance(subject.parent(node), cst.Call):
                return name
            case _:
                continue
    return "key"

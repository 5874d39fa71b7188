"""Loops that search a collection for matching elements, again for each element of another."""

from __future__ import annotations

import textwrap
from typing import NamedTuple, TypeAlias

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import is_used_outside
from codeens_server.generation.rewrites.function_tree import FunctionTree, Kind, target_names
from codeens_server.generation.rewrites.kinds import UNHASHABLE, annotation_of, kind_of, may_be_none
from codeens_server.generation.rewrites.placing import Statement, place_for
from codeens_server.generation.rewrites.purity import is_pure
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.tree import conjuncts

SearchLoop: TypeAlias = cst.For | cst.CompFor
EXACT: frozenset[Kind | None] = frozenset({"str", "bytes", "int", "bool"})
ONE_PASS_ONLY = frozenset({"Iterator", "Iterable", "Generator", "AsyncIterator"})


class Match(NamedTuple):
    """`key(y) == wanted`, where only the key depends on the element; and what else must hold."""

    test: cst.BaseExpression
    is_exact: bool
    """A dictionary finds just what is equal. It would find a nan, too, and what says otherwise than its hash."""
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
    wanted_by: str
    """The list for whose elements the index is made; empty where none is known."""


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
    loop = (
        f"for {element} in {subject.code(search.loop.iter)}:\n"
        f"    {index}[{subject.code(search.match.key)}].append({stored})\n"
    )
    # Where nothing is looked up, the keys are not read, as before.
    guarded = f"if {search.wanted_by}:\n{textwrap.indent(loop, '    ')}" if search.wanted_by else loop
    return f"{index} = {default}(list)\n{guarded}"


def _look_up(subject: FunctionTree, edits: Edits, index: str, search: Search) -> None:
    loop, condition = search.loop, search.condition
    found = f"{index}.get({subject.code(search.match.wanted)}, ())"
    # Where there is nothing to find, what is wanted is not read, as before.
    is_plain = isinstance(search.match.wanted, cst.Name)
    iterable = cst.parse_expression(found if is_plain else f"({found} if {index} else ())")
    left = search.match.rest if search.match.is_exact else [search.match.test, *search.match.rest]
    test = cst.parse_expression(" and ".join(map(subject.code, left))) if left else None
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
    around = loop if isinstance(loop, cst.For) else _comprehension(subject, loop)
    if any(is_used_outside(subject, name, around) for name in variables):
        return None
    names = {name.value for node in (loop.iter, match.key) for name in subject.variables(node)}
    repeated = loop if isinstance(subject.parent(loop), cst.CompFor) else around
    place = place_for(subject, repeated, names - variables)
    return Search(loop, condition, match, place, _outer_list(subject, loop, place)) if place is not None else None


def _comprehension(subject: FunctionTree, loop: cst.CompFor) -> cst.CSTNode:
    return next(parent for parent in subject.above(loop) if isinstance(parent, cst.BaseComp))


def _outer_list(subject: FunctionTree, loop: SearchLoop, place: Statement) -> str:
    """Return the list that the loop below the index goes over, where its text tells that it is one."""
    above = subject.parent(loop)
    if isinstance(above, cst.CompFor):
        outer = above.iter if not isinstance(subject.parent(above), cst.CompFor) else None
    else:
        outer = place.iter if isinstance(place, cst.For) else None
    is_known = isinstance(outer, cst.Name) and kind_of(subject, outer) in ("list", "tuple", "dict", "set")
    return subject.code(outer) if outer and is_known else ""


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
    parts = list(conjuncts(test))
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
            is_exact = {kind_of(subject, left), kind_of(subject, right)} <= EXACT
            return None if kind_of(subject, right) in UNHASHABLE else Match(part, is_exact, left, right, rest)
    return None


def _equal_sides(node: cst.BaseExpression) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    match node:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=cst.Equal(), comparator=right)]):
            return left, right
        case _:
            return None


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

"""Loops that search a collection for matching elements, again for each element of another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import is_used_outside
from codeens_server.generation.rewrites.kinds import UNHASHABLE, annotation_of, kind_of, may_be_none
from codeens_server.generation.rewrites.names import target_names
from codeens_server.generation.rewrites.placing import place_for
from codeens_server.generation.rewrites.purity import is_pure
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.subject import Subject

ONE_PASS_ONLY = frozenset({"Iterator", "Iterable", "Generator", "str", "AsyncIterator"})


class Match(NamedTuple):
    """`key(y) == wanted`, where only the key depends on the element; and what else must hold."""

    key: cst.BaseExpression
    wanted: cst.BaseExpression
    rest: list[cst.BaseExpression]


class NestedLoopToIndex(Codemod):
    """See `rationale`."""

    name = "nested-loop-to-index"
    rationale = (
        "Groups the inner collection by the compared value once and looks matches up, where each turn of the outer "
        "loop compared every element."
    )

    def plan(self, subject: Subject, edits: Edits) -> None:
        for loop in subject.own(cst.For):
            if _look_up_in_loop(subject, edits, loop):
                return
        for comprehension in subject.own(cst.BaseComp):
            if isinstance(comprehension, cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp):
                if _look_up_in_comprehension(subject, edits, comprehension):
                    return


def _look_up_in_loop(subject: Subject, edits: Edits, loop: cst.For) -> bool:
    condition = _only_condition(loop)
    if condition is None or loop.orelse is not None or loop.asynchronous is not None:
        return False
    variables = {name.value for name in target_names(loop.target)}
    match = _match(subject, condition.test, variables)
    if match is None or any(is_used_outside(subject, name, loop) for name in variables):
        return False
    index = _index(subject, edits, loop, loop.target, loop.iter, match)
    if index is None:
        return False
    body = condition.body
    if match.rest:
        remaining = " and ".join(subject.code(part) for part in match.rest)
        inner = condition.with_changes(test=cst.parse_expression(remaining))
        body = loop.body.with_changes(body=[inner])
    edits.node(loop, loop.with_changes(iter=cst.parse_expression(index), body=body))
    return True


def _only_condition(loop: cst.For) -> cst.If | None:
    match tree.only_line(loop.body):
        case cst.If(orelse=None) as condition:
            return condition
        case _:
            return None


def _look_up_in_comprehension(
    subject: Subject, edits: Edits, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp
) -> bool:
    loop = node.for_in
    if loop.inner_for_in is not None or loop.asynchronous is not None or not loop.ifs:
        return False
    variables = {name.value for name in target_names(loop.target)}
    match = _match(subject, loop.ifs[0].test, variables)
    index = _index(subject, edits, node, loop.target, loop.iter, match) if match else None
    if match is None or index is None:
        return False
    remaining = " and ".join(subject.code(part) for part in match.rest)
    first = [loop.ifs[0].with_changes(test=cst.parse_expression(remaining))] if match.rest else []
    edits.node(loop, loop.with_changes(iter=cst.parse_expression(index), ifs=[*first, *loop.ifs[1:]]))
    return True


def _match(subject: Subject, test: cst.BaseExpression, variables: set[str]) -> Match | None:
    first, *rest = _conjuncts(test)
    match first:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=cst.Equal(), comparator=right)]):
            pass
        case _:
            return None
    if _depends(subject, right, variables):
        left, right = right, left
    if not _depends(subject, left, variables) or _depends(subject, right, variables):
        return None
    if not is_pure(subject, left) or not is_pure(subject, right) or _is_constant(right):
        return None
    return None if kind_of(subject, right) in UNHASHABLE else Match(left, right, rest)


def _is_constant(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.SimpleString | cst.Integer | cst.Float)


def _conjuncts(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        yield from _conjuncts(test.left)
        yield from _conjuncts(test.right)
    else:
        yield test


def _depends(subject: Subject, node: cst.BaseExpression, variables: set[str]) -> bool:
    return any(name.value in variables for name in subject.variables(node))


def _index(
    subject: Subject,
    edits: Edits,
    node: cst.CSTNode,
    target: cst.BaseAssignTargetExpression,
    iterable: cst.BaseExpression,
    match: Match,
) -> str | None:
    """Put the index before the outer loop, and give the text of the lookup."""
    if not isinstance(iterable, cst.Name) or not _can_be_walked_again(subject, iterable):
        return None
    variables = {name.value for name in target_names(target)}
    others = {name.value for name in subject.variables(match.key)} - variables
    place = place_for(subject, node, {iterable.value, *others})
    if place is None or _is_needed(subject, variables, node):
        return None
    default = edits.require("collections", "defaultdict")
    if default is None:
        return None
    index = subject.fresh(f"{iterable.value}_by_{_subject_of(subject, match.key)}")
    element = subject.code(target)
    stored = f"({element})" if isinstance(target, cst.Tuple) and not target.lpar else element
    edits.before(
        place,
        f"{index} = {default}(list)\n"
        f"for {element} in {iterable.value}:\n"
        f"    {index}[{subject.code(match.key)}].append({stored})\n",
    )
    return f"{index}.get({subject.code(match.wanted)}, ())"


def _can_be_walked_again(subject: Subject, iterable: cst.Name) -> bool:
    if may_be_none(subject, iterable.value) or kind_of(subject, iterable) in ("str", "bytes", "dict", "set"):
        return False
    annotation = annotation_of(subject, iterable.value)
    base = annotation.value if isinstance(annotation, cst.Subscript) else annotation
    name = base.attr if isinstance(base, cst.Attribute) else base
    return not (isinstance(name, cst.Name) and name.value in ONE_PASS_ONLY)


def _is_needed(subject: Subject, variables: set[str], node: cst.CSTNode) -> bool:
    """Whether the loop that fills the index would overwrite a variable of the function."""
    if isinstance(node, cst.For):
        return False
    names = (place.value for place in subject.variables(subject.function) if not subject.is_inside(place, node))
    return not variables.isdisjoint(names)


def _subject_of(subject: Subject, key: cst.BaseExpression) -> str:
    """What the index is by: the attribute or the string key that is compared."""
    match key:
        case cst.Attribute(attr=cst.Name(value=name)):
            return name
        case cst.Subscript():
            indexed = tree.index_of(key)
            text = subject.code(indexed[1]) if indexed else ""
            words = re.findall(r"\w+", text)
            return "_".join(words).lower() if words and not words[0].isdigit() else "key"
        case _:
            return "key"

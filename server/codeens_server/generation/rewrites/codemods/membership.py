"""Looking values up in a set where a list was searched again and again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.kinds import UNHASHABLE, annotation_of, element_kind, kind_of, may_be_none
from codeens_server.generation.rewrites.placing import Statement, is_repeated, loops_repeating, place_for
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.stability import is_only_read

FEWEST_LITERALS = 4
"""Below this a search is as fast as a hash."""
SOUNDS_MANY = re.compile(r"[^\W\d]{2,}(?<!s)s$|(?:list|array|items|seq)\d*$")
SEQUENCES = frozenset({"Sequence", "Collection", "MutableSequence"})


class MembershipToSet(Codemod):
    """See `rationale`."""

    name = "list-membership-to-set"
    rationale = "Looks values up in a set, in constant time, where a loop searched a list from its start in each turn."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        if not subject.has_builtin("set"):
            return
        for line in subject.own(cst.SimpleStatementLine):
            if index_seen_list(subject, edits, line):
                return
        for comparison in subject.own(cst.Comparison):
            if _index_list(subject, edits, comparison):
                return


def membership(node: cst.CSTNode) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """Match `(x, xs)` of `x in xs` and `x not in xs`."""
    match node:
        case cst.Comparison(
            left=left, comparisons=[cst.ComparisonTarget(operator=cst.In() | cst.NotIn(), comparator=comparator)]
        ):
            return left, comparator
        case _:
            return None


def _index_list(subject: FunctionTree, edits: Edits, comparison: cst.Comparison) -> bool:
    found = membership(comparison)
    if found is None or kind_of(subject, found[0]) in UNHASHABLE or isinstance(found[0], cst.SimpleString):
        return False
    if isinstance(found[1], cst.List | cst.Tuple):
        return _index_literal(subject, edits, comparison, found[1])
    text = subject.code(found[1])
    match found[1]:
        case cst.Name(value=owner) if _is_searched_list(subject, found[1]):
            wanted = f"{owner.lower().lstrip('_')}_set"
        case cst.Attribute(value=cst.Name(value="self" as owner), attr=attr) if kind_of(subject, found[1]) == "list":
            wanted = f"{attr.value.lower().lstrip('_')}_set"
        case _:
            return False
    place = place_for(subject, found[1], [owner])
    if place is None:
        return False
    index = edits.computed(place, f"set({text})", [owner], wanted)
    for other in subject.own(cst.Comparison, place):
        tested = membership(other)
        if tested and subject.code(tested[1]) == text:
            edits.expression(tested[1], index)
    return True


def _is_searched_list(subject: FunctionTree, collection: cst.Name) -> bool:
    """Return whether the variable is a list or a tuple of what can be in a set.

    Of a bare parameter only its name tells: `x in text` may look for a part of a string.
    """
    if may_be_none(subject, collection.value) or element_kind(subject, collection) in UNHASHABLE:
        return False
    if kind_of(subject, collection) in ("list", "tuple"):
        return not _is_short(subject, collection.value)
    annotation = annotation_of(subject, collection.value)
    if annotation is None:
        is_rebound = collection.value in subject.bound(subject.function.body)
        return collection.value in subject.parameters and not is_rebound and bool(SOUNDS_MANY.search(collection.value))
    base = annotation.value if isinstance(annotation, cst.Subscript) else annotation
    name = base.attr if isinstance(base, cst.Attribute) else base
    return isinstance(name, cst.Name) and name.value in SEQUENCES


def _is_short(subject: FunctionTree, name: str) -> bool:
    """Return whether the variable holds a list written out here or in the module, too short for a set to pay."""
    text = subject.facts.values.get(name, "") if name not in subject.local_names else ""
    values: list[cst.CSTNode] = [cst.parse_expression(text)] if text else []
    for line in subject.own(cst.SimpleStatementLine):
        made = tree.assigned_name(line)
        values += [made[1]] if made and made[0] == name else []
    return (
        len(values) == 1 and isinstance(values[0], cst.List | cst.Tuple) and len(values[0].elements) < FEWEST_LITERALS
    )


def _index_literal(
    subject: FunctionTree, edits: Edits, comparison: cst.Comparison, literal: cst.List | cst.Tuple
) -> bool:
    """Search `x in ["a", "b", …]` of a loop in a set literal: Python keeps a set of constants ready made."""
    constants = all(isinstance(one.value, cst.SimpleString | cst.BaseNumber) for one in literal.elements)
    if not constants or len(literal.elements) < FEWEST_LITERALS or not is_repeated(subject, comparison):
        return False
    if isinstance(literal, cst.List):
        opening, closing = literal.lbracket.whitespace_after, literal.rbracket.whitespace_before
    else:
        opening, closing = literal.lpar[0].whitespace_after, literal.rpar[0].whitespace_before
    braces = cst.LeftCurlyBrace(whitespace_after=opening), cst.RightCurlyBrace(whitespace_before=closing)
    edits.node(literal, cst.Set(literal.elements, lbrace=braces[0], rbrace=braces[1]))
    return True


class Uses(NamedTuple):
    """All that a function does with a list, sorted by what a set would have to follow."""

    tests: list[cst.ComparisonTarget]
    appends: list[cst.Expr]
    others: int
    """Places that need the list itself: they only read it."""


def index_seen_list(subject: FunctionTree, edits: Edits, line: cst.SimpleStatementLine) -> bool:
    """Turn the list that this line makes into a set, or put a set beside it where the list itself is needed."""
    made = tree.assigned_name(line)
    if made is None or not isinstance(made[1], cst.List | cst.Call) or kind_of(subject, made[1]) != "list":
        return False
    name, value = made
    if not subject.is_local(name) or name in subject.parameters:
        return False
    uses = _uses(subject, line, name)
    if uses is None or not uses.appends or not any(_is_searched_in_loop(subject, test, line) for test in uses.tests):
        return False
    if uses.others == 0 and isinstance(value, cst.List):
        _become_set(subject, edits, line, uses, name, value)
        return True
    return _add_set(subject, edits, line, uses, name, value)


def _uses(subject: FunctionTree, line: cst.SimpleStatementLine, name: str) -> Uses | None:
    """Return how the list is used; None if a set beside it could not follow something that is done with it."""
    tests: list[cst.ComparisonTarget] = []
    appends: list[cst.Expr] = []
    others = 0
    for place in _places(subject, line, name):
        appended = _append_of(subject, place)
        parent = subject.parent(place)
        if subject.is_bound_here(place):
            return None
        if isinstance(parent, cst.ComparisonTarget) and isinstance(parent.operator, cst.In | cst.NotIn):
            if _can_not_be_hashed(subject, subject.parent(parent)):
                return None
            tests.append(parent)
        elif appended is not None:
            appends.append(appended)
        elif is_only_read(subject, place):
            others += 1
        else:
            return None
    return Uses(tests, appends, others)


def _places(subject: FunctionTree, line: cst.SimpleStatementLine, name: str) -> Iterator[cst.Name]:
    return (place for place in subject.variables(subject.function, name) if not subject.is_inside(place, line))


def _append_of(subject: FunctionTree, place: cst.Name) -> cst.Expr | None:
    """Return the statement `seen.append(x)`, for an x that can be written twice."""
    attribute = subject.parent(place)
    call = subject.parent(attribute) if isinstance(attribute, cst.Attribute) else None
    statement = subject.parent(call) if call is not None else None
    appended = tree.method_call(call) if call is not None else None
    if not isinstance(statement, cst.Expr) or appended is None or appended.receiver is not place:
        return None
    if appended.method != "append" or len(appended.args) != 1 or not _is_plain(appended.args[0]):
        return None
    return None if kind_of(subject, appended.args[0]) in UNHASHABLE else statement


def _is_plain(node: cst.BaseExpression) -> bool:
    match node:
        case cst.Name() | cst.SimpleString() | cst.Integer():
            return True
        case cst.Attribute(value=value) | cst.Subscript(value=value):
            return _is_plain(value)
        case cst.Tuple(elements=elements):
            return all(_is_plain(element.value) for element in elements)
        case _:
            return False


def _can_not_be_hashed(subject: FunctionTree, comparison: cst.CSTNode | None) -> bool:
    return isinstance(comparison, cst.Comparison) and kind_of(subject, comparison.left) in UNHASHABLE


def _is_searched_in_loop(subject: FunctionTree, test: cst.ComparisonTarget, line: Statement) -> bool:
    return any(not subject.is_inside(line, loop) for loop in loops_repeating(subject, test))


def _become_set(
    subject: FunctionTree, edits: Edits, line: cst.SimpleStatementLine, uses: Uses, name: str, value: cst.List
) -> None:
    first = ", ".join(subject.code(element.value) for element in value.elements)
    edits.statement(line, f"{name} = {{{first}}}" if first else f"{name} = set()")
    for statement in uses.appends:
        edits.small(statement, f"{name}.add({_appended(subject, statement)})")


def _add_set(
    subject: FunctionTree, edits: Edits, line: cst.SimpleStatementLine, uses: Uses, name: str, value: cst.BaseExpression
) -> bool:
    lines = [subject.parent(statement) for statement in uses.appends]
    index = edits.fresh(f"{name.lstrip('_')}_set")
    if not all(isinstance(subject.parent(one), cst.IndentedBlock) for one in lines if one is not None):
        return False
    edits.after(line, f"{index} = set()" if tree.is_empty_list(value) else f"{index} = set({name})")
    for one, statement in zip(lines, uses.appends, strict=True):
        if isinstance(one, cst.SimpleStatementLine):
            edits.after(one, f"{index}.add({_appended(subject, statement)})")
    for test in uses.tests:
        edits.expression(test.comparator, index)
    return True


def _appended(subject: FunctionTree, statement: cst.Expr) -> str:
    call = tree.method_call(statement.value)
    return subject.code(call.args[0]) if call else ""

"""A list that grows while it is searched: the `if x not in seen: seen.append(x)` of many loops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.kinds import UNHASHABLE, kind_of
from codeens_server.generation.rewrites.placing import Statement, loops_repeating
from codeens_server.generation.rewrites.purity import is_only_read
from codeens_server.generation.rewrites.subject import Subject


class Uses(NamedTuple):
    """All that a function does with a list, sorted by what a set would have to follow."""

    tests: list[cst.ComparisonTarget]
    appends: list[cst.Expr]
    others: int
    """Places that need the list itself: they only read it."""


def index_seen_list(subject: Subject, edits: Edits, line: cst.SimpleStatementLine) -> bool:
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


def _uses(subject: Subject, line: cst.SimpleStatementLine, name: str) -> Uses | None:
    """None if something is done with the list that a set beside it could not follow."""
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


def _places(subject: Subject, line: cst.SimpleStatementLine, name: str) -> Iterator[cst.Name]:
    return (place for place in subject.variables(subject.function, name) if not subject.is_inside(place, line))


def _append_of(subject: Subject, place: cst.Name) -> cst.Expr | None:
    """The statement `seen.append(x)`, for an x that can be written twice."""
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


def _can_not_be_hashed(subject: Subject, comparison: cst.CSTNode | None) -> bool:
    return isinstance(comparison, cst.Comparison) and kind_of(subject, comparison.left) in UNHASHABLE


def _is_searched_in_loop(subject: Subject, test: cst.ComparisonTarget, line: Statement) -> bool:
    return any(not subject.is_inside(line, loop) for loop in loops_repeating(subject, test))


def _become_set(
    subject: Subject, edits: Edits, line: cst.SimpleStatementLine, uses: Uses, name: str, value: cst.List
) -> None:
    first = ", ".join(subject.code(element.value) for element in value.elements)
    edits.statement(line, f"{name} = {{{first}}}" if first else f"{name} = set()")
    for statement in uses.appends:
        edits.small(statement, f"{name}.add({_appended(subject, statement)})")


def _add_set(
    subject: Subject, edits: Edits, line: cst.SimpleStatementLine, uses: Uses, name: str, value: cst.BaseExpression
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


def _appended(subject: Subject, statement: cst.Expr) -> str:
    call = tree.method_call(statement.value)
    return subject.code(call.args[0]) if call else ""

"""Looking values up in a set where a list was searched again and again."""

from __future__ import annotations

import re

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.codemods.seen_lists import index_seen_list
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.kinds import UNHASHABLE, annotation_of, element_kind, kind_of, may_be_none
from codeens_server.generation.rewrites.placing import is_repeated, place_for
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.subject import Subject

FEWEST_LITERALS = 4
"""Below this a search is as fast as a hash."""
SOUNDS_MANY = re.compile(r"[^\W\d]{2,}(?<!s)s$|(?:list|array|items|seq)\d*$")
SEQUENCES = frozenset({"Sequence", "Collection", "MutableSequence"})


class MembershipToSet(Codemod):
    """See `rationale`."""

    name = "list-membership-to-set"
    rationale = "Looks values up in a set, in constant time, where a loop searched a list from its start in each turn."

    def plan(self, subject: Subject, edits: Edits) -> None:
        if not subject.has_builtin("set"):
            return
        for line in subject.own(cst.SimpleStatementLine):
            if index_seen_list(subject, edits, line):
                return
        for comparison in subject.own(cst.Comparison):
            if _index_list(subject, edits, comparison):
                return


def membership(node: cst.CSTNode) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """`(x, xs)` of `x in xs` and `x not in xs`."""
    match node:
        case cst.Comparison(
            left=left, comparisons=[cst.ComparisonTarget(operator=cst.In() | cst.NotIn(), comparator=comparator)]
        ):
            return left, comparator
        case _:
            return None


def _index_list(subject: Subject, edits: Edits, comparison: cst.Comparison) -> bool:
    found = membership(comparison)
    if found is None or kind_of(subject, found[0]) in UNHASHABLE or isinstance(found[0], cst.SimpleString):
        return False
    if isinstance(found[1], cst.List | cst.Tuple):
        return _index_literal(subject, edits, comparison, found[1])
    if not isinstance(found[1], cst.Name) or not _is_searched_list(subject, found[1]):
        return False
    name = found[1].value
    place = place_for(subject, found[1], [name])
    if place is None:
        return False
    index = edits.computed(place, f"set({name})", [name], f"{name.lower().lstrip('_')}_set")
    for other in subject.own(cst.Comparison, place):
        tested = membership(other)
        if tested and tree.is_name(tested[1], name):
            edits.expression(tested[1], index)
    return True


def _is_searched_list(subject: Subject, collection: cst.Name) -> bool:
    """Whether the variable is a list or a tuple of what can be in a set.

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


def _is_short(subject: Subject, name: str) -> bool:
    """Whether the variable holds a list written out here or in the module, too short for a set to pay."""
    text = subject.facts.values.get(name, "") if name not in subject.local_names else ""
    values: list[cst.CSTNode] = [cst.parse_expression(text)] if text else []
    for line in subject.own(cst.SimpleStatementLine):
        made = tree.assigned_name(line)
        values += [made[1]] if made and made[0] == name else []
    return (
        len(values) == 1 and isinstance(values[0], cst.List | cst.Tuple) and len(values[0].elements) < FEWEST_LITERALS
    )


def _index_literal(subject: Subject, edits: Edits, comparison: cst.Comparison, literal: cst.List | cst.Tuple) -> bool:
    """`x in ["a", "b", …]` in a loop: Python keeps a set of constants ready made."""
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

"""Work on lists that grows with the square of their length, though it need not."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.codemods.duplicates import find_duplicates_once
from codeens_server.generation.rewrites.codemods.prefix_sums import sum_once
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import made_above
from codeens_server.generation.rewrites.kinds import kind_of
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.subject import Subject

CONTAINERS = frozenset({"list", "tuple", "dict", "set", "frozenset", "deque"})


class QuadraticBuiltins(Codemod):
    """See `rationale`."""

    name = "quadratic-builtins"
    rationale = (
        "Replaces work that is done over the whole collection for each of its elements (searching a copy, inserting at "
        "the front, summing slices, comparing all pairs) by one pass over it."
    )

    def plan(self, subject: Subject, edits: Edits) -> None:
        for comparison in subject.own(cst.ComparisonTarget):
            if searched := _searched_copy(subject, comparison):
                edits.expression(comparison.comparator, subject.code(searched))
                return
        for loop in subject.own(cst.For):
            if find_duplicates_once(subject, edits, loop):
                return
        for call in subject.own(cst.Call):
            if _append_and_reverse(subject, edits, call) or sum_once(subject, edits, call):
                return


def _searched_copy(subject: Subject, comparison: cst.ComparisonTarget) -> cst.BaseExpression | None:
    """The d of `x in d.keys()` and `x in list(d)`."""
    if not isinstance(comparison.operator, cst.In | cst.NotIn):
        return None
    call = tree.method_call(comparison.comparator)
    if call is not None and call.method == "keys" and not call.args:
        return call.receiver
    match comparison.comparator:
        case cst.Call(func=func, args=[cst.Arg(value=value, keyword=None, star="")]):
            if not subject.is_builtin(func, "list", "tuple", "sorted"):
                return None
            inner = tree.method_call(value)
            is_keys = inner is not None and inner.method == "keys" and not inner.args
            return value if is_keys or kind_of(subject, value) in CONTAINERS else None
        case _:
            return None


def _append_and_reverse(subject: Subject, edits: Edits, call: cst.Call) -> bool:
    """`xs.insert(0, x)`, all that a loop does with an empty list: append, and reverse once."""
    inserted = tree.method_call(call)
    statement = subject.parent(call)
    if inserted is None or inserted.method != "insert" or not isinstance(statement, cst.Expr):
        return False
    if not isinstance(inserted.receiver, cst.Name) or len(inserted.args) != 2 or tree.number(inserted.args[0]) != 0:
        return False
    name = inserted.receiver.value
    for loop in subject.above(call):
        if not isinstance(loop, cst.For | cst.While):
            continue
        made = made_above(subject, loop, name)
        is_only_use = sum(1 for _ in subject.variables(loop, name)) == 1
        if made and tree.is_empty_list(made[1]) and is_only_use and subject.is_local(name):
            edits.small(statement, f"{name}.append({subject.code(inserted.args[1])})")
            edits.after(loop, f"{name}.reverse()")
            return True
    return False

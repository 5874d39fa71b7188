"""Taking the first or last few of a sorted list without sorting all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import assigning
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.kinds import element_kind, kind_of
from codeens_server.generation.rewrites.placing import after, before, is_guarded, is_nonempty
from codeens_server.generation.rewrites.purity import is_assigned, is_known_call
from codeens_server.generation.rewrites.rule import Codemod

MOST_FROM_FRONT = 8
"""Elements read off a sorted list by literal index for which a heap is still the better choice."""


class Sorting(NamedTuple):
    """What is sorted, and how."""

    iterable: cst.BaseExpression
    text: str
    key: str
    reverse: bool
    is_known: bool
    """The key runs no code that nobody knows, so that it may be called in another order."""

    def selecting(self, edits: Edits, count: str, *, is_safe: bool) -> str | None:
        """Return the text that selects the first `count` in order; a count that may be negative is sorted as before."""
        key = f", key={self.key}" if self.key else ""
        function = edits.require("heapq", "nlargest" if self.reverse else "nsmallest")
        if function is None:
            return None
        text = f"{function}({count}, {self.text}{key})"
        reverse = ", reverse=True" if self.reverse else ""
        if is_safe:
            return text
        return f"(\n    {text}\n    if {count} >= 0\n    else sorted({self.text}{key}{reverse})\n)"


class SortToSelection(Codemod):
    """See `rationale`."""

    name = "sort-to-min-max-heapq"
    rationale = (
        "Selects the few wanted elements with min, max or a heap, which looks at each element once, "
        "where the whole collection was sorted before."
    )

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        for node in subject.own(cst.Subscript):
            if text := _from_call(subject, edits, node):
                edits.expression(node, text)
                return
        for statement in subject.own(cst.SimpleStatementLine):
            if text := _from_variable(subject, edits, statement):
                edits.statement(statement, text)
                return


def _from_call(subject: FunctionTree, edits: Edits, node: cst.Subscript) -> str | None:
    """Return the text for `sorted(xs)[0]`, `sorted(xs)[-1]` and `sorted(xs)[:k]`."""
    sorting = _sorted_call(subject, node.value)
    if sorting is None:
        return None
    if indexed := tree.index_of(node):
        return _one(subject, edits, sorting, tree.number(indexed[1]))
    count = _front_count(subject, node)
    if count is None:
        return None
    is_safe = _is_never_negative(subject, count)
    text = sorting.selecting(edits, subject.code(count), is_safe=is_safe)
    return text if is_safe or text is None else f"{text}[:{subject.code(count)}]"


def _one(subject: FunctionTree, edits: Edits, sorting: Sorting, index: int | None) -> str | None:
    """Return the text for the first or the last element. An empty collection must raise IndexError, as before.

    Among equals the first is taken; the last of a stable order is the first from the other end.
    """
    if index not in (0, -1):
        return None
    smallest = (index == 0) is not sorting.reverse
    if index == -1:
        is_sequence = kind_of(subject, sorting.iterable) in ("list", "tuple") and subject.has_builtin("reversed")
        if not is_sequence or not sorting.is_known:
            return None
        sorting = sorting._replace(text=f"reversed({sorting.text})")
    if is_nonempty(subject, sorting.iterable):
        builtin = "min" if smallest else "max"
        key = f", key={sorting.key}" if sorting.key else ""
        return f"{builtin}({sorting.text}{key})" if subject.has_builtin(builtin) else None
    selected = sorting._replace(reverse=not smallest).selecting(edits, "1", is_safe=True)
    return f"{selected}[0]" if selected else None


def _from_variable(subject: FunctionTree, edits: Edits, statement: cst.SimpleStatementLine) -> str | None:
    """Return the text for `ys = sorted(xs)` or `ys.sort()`, where afterwards ys is only read at its front."""
    found = _sorted_variable(subject, statement)
    if found is None or not subject.is_local(found[0]) or found[0] in subject.parameters:
        return None
    name, sorting = found
    reads = _reads_below(subject, statement, name)
    count = _front_read(subject, reads) if reads else None
    if count is not None:
        selected = sorting.selecting(edits, str(count), is_safe=True)
    else:
        wanted = _later_slice(subject, statement, reads)
        if wanted is None:
            return None
        is_safe = _is_never_negative(subject, wanted)
        selected = sorting.selecting(edits, subject.code(wanted), is_safe=is_safe)
    if not selected:
        return None
    return assigning(subject, statement, selected) if tree.assigned_name(statement) else f"{name} = {selected}"


def _sorted_call(subject: FunctionTree, node: cst.BaseExpression) -> Sorting | None:
    if not isinstance(node, cst.Call) or not subject.is_builtin(node.func, "sorted") or not node.args:
        return None
    first, *rest = node.args
    how = _order(subject, rest)
    if how is None or first.keyword is not None or first.star or _may_hold_nan(subject, first.value, how[0]):
        return None
    return Sorting(first.value, subject.code(first.value), *how, is_known_call(subject, node))


def _may_hold_nan(subject: FunctionTree, collection: cst.BaseExpression, key: str) -> bool:
    """Return whether the elements are numbers among which a nan would be sorted otherwise than it is selected."""
    return not key and element_kind(subject, collection) == "float"


def _order(subject: FunctionTree, args: Sequence[cst.Arg]) -> tuple[str, bool] | None:
    """Return the key's text and whether the order is reversed; None when that is decided at run time."""
    key, reverse = "", False
    for arg in args:
        match arg:
            case cst.Arg(keyword=cst.Name(value="key"), value=value):
                key = "" if tree.is_name(value, "None") else subject.code(value)
            case cst.Arg(keyword=cst.Name(value="reverse"), value=cst.Name(value="True" | "False") as value):
                reverse = value.value == "True"
            case _:
                return None
    return key, reverse


def _sorted_variable(subject: FunctionTree, statement: cst.SimpleStatementLine) -> tuple[str, Sorting] | None:
    if assigned := tree.assigned_name(statement):
        sorting = _sorted_call(subject, assigned[1])
        return (assigned[0], sorting) if sorting else None
    match tree.sole(statement):
        case cst.Expr(
            value=cst.Call(func=cst.Attribute(value=cst.Name() as owner, attr=cst.Name(value="sort")), args=args)
        ):
            how = _order(subject, args)
            fresh = _is_made_above(subject, statement, owner.value)
            if how is None or not fresh or _may_hold_nan(subject, owner, how[0]):
                return None
            return owner.value, Sorting(owner, owner.value, *how, is_known=False)
        case _:
            return None


def _is_made_above(subject: FunctionTree, statement: cst.SimpleStatementLine, name: str) -> bool:
    """Return whether the line above made the list, so that nobody else holds it."""
    made = tree.assigned_name(before(subject, statement)[-1]) if before(subject, statement) else None
    if made is None or made[0] != name:
        return False
    match made[1]:
        case cst.List() | cst.ListComp():
            return True
        case cst.Call(func=func):
            return subject.is_builtin(func, "list")
        case _:
            return False


def _reads_below(subject: FunctionTree, statement: cst.SimpleStatementLine, name: str) -> list[cst.Name]:
    """Return reads of the sorted list below the sort; none at all if it is used or bound in any other place."""
    below = [place for one in after(subject, statement) for place in subject.variables(one, name)]
    making = [statement] if tree.assigned_name(statement) else [before(subject, statement)[-1], statement]
    nearby = [place for one in making for place in subject.variables(one, name)]
    everywhere = list(subject.variables(subject.function, name))
    if any(subject.is_bound_here(place) for place in below) or len(below) + len(nearby) != len(everywhere):
        return []
    return below


def _front_read(subject: FunctionTree, reads: list[cst.Name]) -> int | None:
    """Return how many elements from the front the reads need; None when that is not a small number known here."""
    needed = [_position_read(subject, read) for read in reads]
    known = [position for position in needed if position is not None]
    return max(known) if len(known) == len(needed) and 0 < max(known) <= MOST_FROM_FRONT else None


def _position_read(subject: FunctionTree, read: cst.Name) -> int | None:
    """Return 2 for `ys[1]`, 3 for `ys[:3]`, 0 for a test of emptiness."""
    parent = subject.parent(read)
    if isinstance(parent, cst.Subscript) and not is_assigned(subject, parent):
        if indexed := tree.index_of(parent):
            index = tree.number(indexed[1])
            return index + 1 if index is not None and index >= 0 else None
        count = tree.number(_front_count(subject, parent))
        return count if count is not None and count >= 0 else None
    if isinstance(parent, cst.If | cst.While) and parent.test is read:
        return 0
    return 0 if isinstance(parent, cst.UnaryOperation) and isinstance(parent.operator, cst.Not) else None


def _later_slice(
    subject: FunctionTree, statement: cst.SimpleStatementLine, reads: list[cst.Name]
) -> cst.BaseExpression | None:
    """Return the k of `ys[:k]`, if that is the only read, below the sort in its block, and k is the same at both."""
    below = after(subject, statement)
    parent = subject.parent(reads[0]) if len(reads) == 1 else None
    if not isinstance(parent, cst.Subscript) or is_assigned(subject, parent):
        return None
    count = _front_count(subject, parent)
    is_same = isinstance(count, cst.Name) and not any(count.value in subject.bound(one) for one in below)
    return count if is_same and subject.is_inside(parent, subject.parent(statement) or parent) else None


def _front_count(subject: FunctionTree, node: cst.Subscript) -> cst.BaseExpression | None:
    """Return the k of `[:k]`, if it is a whole number."""
    sliced = tree.slice_of(node)
    if sliced is None or sliced[1].lower is not None or sliced[1].upper is None:
        return None
    count = sliced[1].upper
    literal = tree.number(count)
    if literal is not None:
        return count if literal >= 0 else None
    return count if isinstance(count, cst.Name) and _is_whole(subject, count) else None


def _is_whole(subject: FunctionTree, count: cst.Name) -> bool:
    param = subject.parameters.get(count.value)
    by_default = param is not None and param.annotation is None and isinstance(param.default, cst.Integer)
    return by_default or kind_of(subject, count) == "int"


def _is_never_negative(subject: FunctionTree, count: cst.BaseExpression) -> bool:
    if not isinstance(count, cst.Name):
        return True
    name = count.value
    return is_guarded(subject, count, name, (f"{name} < 0", f"{name} <= 0", f"{name} < 1"))

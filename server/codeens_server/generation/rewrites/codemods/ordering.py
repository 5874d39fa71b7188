"""Lists that are kept in order by sorting them again after each addition."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.kinds import element_kind, kind_of
from codeens_server.generation.rewrites.placing import Statement, before, is_repeated
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.stability import is_only_read

KEEPS_ORDER = frozenset({"pop", "remove", "clear", "copy"})
"""Methods after which a sorted list is still sorted."""


class SortToInsort(Codemod):
    """See `rationale`."""

    name = "sort-to-insort"
    rationale = "Inserts each new element where it belongs, by bisection, where the whole list was sorted again."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        for line in subject.own(cst.SimpleStatementLine):
            name = _sorted_name(line)
            if name and is_repeated(subject, line) and _is_kept_in_order(subject, name):
                added = _added_above(subject, line, name)
                insort = edits.require("bisect", "insort") if added is not None else None
                if added is not None and insort is not None:
                    edits.statement(line, f"{insort}({name}, {subject.code(added[1])})", merged=[added[0]])
                    edits.remove(added[0])
                    return


def _sorted_name(line: cst.SimpleStatementLine) -> str:
    """Return the xs of `xs.sort()`."""
    match tree.sole(line):
        case cst.Expr(
            value=cst.Call(func=cst.Attribute(value=cst.Name(value=name), attr=cst.Name(value="sort")), args=[])
        ):
            return name
        case _:
            return ""


def _added_above(
    subject: FunctionTree, line: Statement, name: str
) -> tuple[cst.SimpleStatementLine, cst.BaseExpression] | None:
    """Return the line `xs.append(x)` right above, and x."""
    above = before(subject, line)
    last = above[-1] if above else None
    small = tree.sole(last)
    call = tree.method_call(small.value) if isinstance(small, cst.Expr) else None
    if call is None or call.method != "append" or len(call.args) != 1 or not tree.is_name(call.receiver, name):
        return None
    if not isinstance(last, cst.SimpleStatementLine) or not _has_one_order(subject, call.args[0]):
        return None
    return last, call.args[0]


def _has_one_order(subject: FunctionTree, node: cst.BaseExpression) -> bool:
    """Return whether the value is of a kind of which each two have an order, unlike a nan and a number."""
    if isinstance(node, cst.Tuple):
        return all(_has_one_order(subject, element.value) for element in node.elements)
    return kind_of(subject, node) in ("int", "str", "bytes", "bool")


def _is_kept_in_order(subject: FunctionTree, name: str) -> bool:
    """Return whether the list is sorted whenever the loop sorts it, but for the element that was just added."""
    if not subject.is_local(name) or name in subject.parameters or kind_of(subject, cst.Name(name)) != "list":
        return False
    return all(_keeps_order(subject, place) for place in subject.variables(subject.function, name))


def _keeps_order(subject: FunctionTree, place: cst.Name) -> bool:
    if subject.is_bound_here(place):
        return _is_begun_in_order(subject, place)
    if is_only_read(subject, place):
        return True
    attribute = subject.parent(place)
    call = subject.parent(attribute) if isinstance(attribute, cst.Attribute) else None
    found = tree.method_call(call) if call is not None else None
    if call is None or found is None or found.receiver is not place:
        return False
    statement = subject.parent(call)
    line = subject.parent(statement) if isinstance(statement, cst.Expr) else None
    if found.method == "append" and isinstance(line, cst.SimpleStatementLine):
        return _is_sorted_below(subject, line, place.value)
    return found.method in KEEPS_ORDER or (found.method == "sort" and not found.args)


def _is_begun_in_order(subject: FunctionTree, place: cst.Name) -> bool:
    """Match `xs = []` and `xs = sorted(ys)`, of what has an order in which nothing stands beside another."""
    target = subject.parent(place)
    assign = subject.parent(target) if isinstance(target, cst.AssignTarget) else target
    value = assign.value if isinstance(assign, cst.Assign | cst.AnnAssign) else None
    if value is None:
        return False
    if tree.is_empty_list(value):
        return True
    ordered = tree.call_of(value, "sorted")
    return bool(ordered) and len(ordered or []) == 1 and element_kind(subject, value) in ("int", "str")


def _is_sorted_below(subject: FunctionTree, line: cst.SimpleStatementLine, name: str) -> bool:
    """Return whether the next line sorts the list."""
    block = subject.parent(line)
    if not isinstance(block, cst.IndentedBlock):
        return False
    position = next(number for number, one in enumerate(block.body) if one is line)
    following = block.body[position + 1] if position + 1 < len(block.body) else None
    return isinstance(following, cst.SimpleStatementLine) and _sorted_name(following) == name

"""Sums of growing or shrinking slices, from one list of running totals."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.kinds import element_kind, kind_of
from codeens_server.generation.rewrites.placing import is_guarded, place_for
from codeens_server.generation.rewrites.subject import Subject


def sum_once(subject: Subject, edits: Edits, call: cst.Call) -> bool:
    """Change `sum(xs[:i])` in a loop over the positions i of a list of whole numbers (others would round anew)."""
    if not subject.is_builtin(call.func, "sum") or len(call.args) != 1:
        return False
    sliced = tree.slice_of(call.args[0].value)
    if sliced is None or not isinstance(sliced[0], cst.Name):
        return False
    collection, part = sliced[0], sliced[1]
    is_list = kind_of(subject, collection) in ("list", "tuple") and element_kind(subject, collection) == "int"
    ends = _ends(subject, call, collection.value, part) if is_list else None
    place = place_for(subject, call, [collection.value]) if ends else None
    accumulate = edits.require("itertools", "accumulate") if place is not None else None
    if ends is None or place is None or accumulate is None:
        return False
    name, value = collection.value, f"[0, *{accumulate}({collection.value})]"
    totals = edits.computed(place, value, [name], f"{name}_totals")
    for other in subject.own(cst.Call, place):
        if other is call or tree.same(other, call):
            edits.expression(other, _difference(totals, *ends))
    return True


def _difference(totals: str, low: str, high: str) -> str:
    return f"{totals}[{high}]" if not low else f"({totals}[{high}] - {totals}[{low}])"


def _ends(subject: Subject, call: cst.Call, collection: str, part: cst.Slice) -> tuple[str, str] | None:
    """Where in the totals the slice begins (empty: at 0) and ends."""
    low = subject.code(part.lower) if part.lower else ""
    high = subject.code(part.upper) if part.upper else ""
    for parent in subject.above(call):
        if not isinstance(parent, cst.For | cst.CompFor | cst.ListComp | cst.GeneratorExp):
            continue
        loop = parent.for_in if isinstance(parent, cst.ListComp | cst.GeneratorExp) else parent
        position = _position(subject, loop, collection)
        known = {"", position, f"{position}+1"}
        if position and {_squeezed(low), _squeezed(high)} <= known and low != high:
            return low, high or "-1"
        width = _squeezed(high).removeprefix(f"{low}+")
        if low and width.isidentifier() and _is_window(subject, call, loop, collection, low, width):
            return low, high
    return None


def _squeezed(text: str) -> str:
    return text.replace(" ", "")


def _position(subject: Subject, loop: cst.For | cst.CompFor, collection: str) -> str:
    """The variable that runs over all positions of the list."""
    target = subject.code(loop.target).strip("()")
    iterable = subject.code(loop.iter)
    if iterable == f"enumerate({collection})":
        return target.partition(",")[0].strip()
    positions = (f"range(len({collection}))", f"range(1, len({collection}))", f"range(0, len({collection}))")
    return target if iterable in positions else ""


def _is_window(
    subject: Subject, call: cst.Call, loop: cst.For | cst.CompFor, collection: str, low: str, width: str
) -> bool:
    """Whether the slice is one of all the windows of a width that is surely not negative."""
    iterable = subject.code(loop.iter)
    positions = (f"range(len({collection})-{width}+1)", f"range(0,len({collection})-{width}+1)")
    if subject.code(loop.target) != low or _squeezed(iterable) not in positions:
        return False
    return is_guarded(subject, call, width, (f"{width} <= 0", f"{width} < 1", f"{width} < 0"))

"""Work that grows with the square of a list's length, done once."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import Filling, assigning, filling_of, made_above
from codeens_server.generation.rewrites.function_tree import FunctionTree, Kind
from codeens_server.generation.rewrites.kinds import UNHASHABLE, element_kind, kind_of
from codeens_server.generation.rewrites.placing import after, is_guarded, place_for
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.tree import conjuncts

CONTAINERS = frozenset({"list", "tuple", "dict", "set", "frozenset", "deque"})
EXACT: frozenset[Kind | None] = frozenset({"str", "bytes", "int", "bool"})
"""Kinds whose values are all equal to themselves."""


class QuadraticBuiltins(Codemod):
    """See `rationale`."""

    name = "quadratic-builtins"
    rationale = (
        "Replaces work that is done over the whole collection for each of its elements (searching a copy, inserting at "
        "the front, summing slices, comparing all pairs) by one pass over it."
    )

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
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


def _searched_copy(subject: FunctionTree, comparison: cst.ComparisonTarget) -> cst.BaseExpression | None:
    """Return the d of `x in d.keys()` and `x in list(d)`."""
    if not isinstance(comparison.operator, cst.In | cst.NotIn):
        return None
    call = tree.method_call(comparison.comparator)
    if call is not None and call.method == "keys" and not call.args:
        return call.receiver if kind_of(subject, call.receiver) == "dict" else None
    match comparison.comparator:
        case cst.Call(func=func, args=[cst.Arg(value=value, keyword=None, star="")]):
            if not subject.is_builtin(func, "list", "tuple"):
                return None
            inner = tree.method_call(value)
            is_keys = inner is not None and inner.method == "keys" and kind_of(subject, inner.receiver) == "dict"
            return value if is_keys or kind_of(subject, value) in CONTAINERS else None
        case _:
            return None


def _append_and_reverse(subject: FunctionTree, edits: Edits, call: cst.Call) -> bool:
    """Append and reverse once, where a loop only does `xs.insert(0, x)` with an empty list."""
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


def find_duplicates_once(subject: FunctionTree, edits: Edits, loop: cst.For) -> bool:
    """Change two nested loops over all pairs of a list's elements that look for equal ones."""
    filling = filling_of(subject, loop)
    if filling is None or len(filling.loops) != 2:
        return False
    pair = _pair(subject, filling)
    if pair is None:
        return False
    collection, one, other = pair
    tests = {subject.code(part) for test in filling.tests for part in conjuncts(test)}
    equal = {f"{one} == {other}", f"{other} == {one}"}
    if not tests & equal or kind_of(subject, cst.Name(collection)) not in (None, "list", "tuple"):
        return False
    if element_kind(subject, cst.Name(collection)) in UNHASHABLE or not subject.has_builtin("set", "len"):
        return False
    rest = tests - equal
    if not rest:
        return _answer_if_any(subject, edits, loop, filling, collection)
    return _collect(subject, edits, loop, filling, collection, one, rest)


def _pair(subject: FunctionTree, filling: Filling) -> tuple[str, str, str] | None:
    """Return the collection and the texts of the two elements, of loops over all pairs in order."""
    i, j = (subject.code(loop.target) for loop in filling.loops)
    inner = subject.code(filling.loops[1].iter).replace(" ", "")
    match filling.loops[0].iter:
        case cst.Call(func=cst.Name(value="range"), args=[cst.Arg(value=cst.BaseExpression() as length)]):
            name = _measured(length)
            fits = inner == f"range({i}+1,len({name}))"
            return (name, f"{name}[{i}]", f"{name}[{j}]") if name and fits else None
        case cst.Call(func=cst.Name(value="enumerate"), args=[cst.Arg(value=cst.Name(value=name))]):
            position, _, first = i.strip("()").replace(" ", "").partition(",")
            return (name, first, j) if first and inner == f"{name}[{position}+1:]" else None
        case _:
            return None


def _measured(node: cst.BaseExpression) -> str:
    """Return the xs of `len(xs)` and `len(xs) - 1`."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Subtract):
        node = node.left if tree.number(node.right) == 1 else node
    args = tree.call_of(node, "len")
    return args[0].value if args and isinstance(args[0], cst.Name) else ""


def _answer_if_any(subject: FunctionTree, edits: Edits, loop: cst.For, filling: Filling, collection: str) -> bool:
    """Match `return True` at the first pair and `return False` below the loops."""
    following = after(subject, loop)
    returned = tree.sole(following[0]) if following else None
    if not isinstance(returned, cst.Return) or not isinstance(filling.statement, cst.Return):
        return False
    found, missing = filling.statement.value, returned.value
    if not isinstance(found, cst.Name) or not isinstance(missing, cst.Name):
        return False
    operator = {("True", "False"): "<", ("False", "True"): "=="}.get((found.value, missing.value))
    line = following[0]
    if operator is None or not isinstance(line, cst.SimpleStatementLine):
        return False
    if element_kind(subject, cst.Name(collection)) in EXACT:
        edits.statement(loop, f"return len(set({collection})) {operator} len({collection})")
    else:
        item, kept = edits.fresh("item"), edits.fresh("comparable")
        own = f"{kept} = [{item} for {item} in {collection} if {item} == {item}]  # nan is equal to nothing"
        edits.statement(loop, f"{own}\nreturn len(set({kept})) {operator} len({kept})")
    edits.remove(line)
    return True


def _collect(
    subject: FunctionTree, edits: Edits, loop: cst.For, filling: Filling, collection: str, one: str, rest: set[str]
) -> bool:
    """Match `if x not in found: found.append(x)` for each pair."""
    call = tree.method_call(filling.statement.value) if isinstance(filling.statement, cst.Expr) else None
    if call is None or call.method != "append" or len(call.args) != 1 or subject.code(call.args[0]) != one:
        return False
    name = subject.code(call.receiver)
    made = made_above(subject, loop, name)
    if made is None or not tree.is_empty_list(made[1]) or rest != {f"{one} not in {name}"}:
        return False
    counter = edits.require("collections", "Counter") if subject.is_local(name) else None
    if counter is None:
        return False
    item, count = edits.fresh("item"), edits.fresh("count")
    is_exact = element_kind(subject, cst.Name(collection)) in EXACT
    # nan is equal to nothing, not even to itself
    counted = collection if is_exact else f"{item} for {item} in {collection} if {item} == {item}"
    pairs = f"{counter}({counted}).items()"
    twice = f"[{item} for {item}, {count} in {pairs} if {count} > 1]"
    edits.statement(loop, assigning(subject, made[0], twice), merged=[made[0]])
    edits.remove(made[0])
    return True


def sum_once(subject: FunctionTree, edits: Edits, call: cst.Call) -> bool:
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


def _ends(subject: FunctionTree, call: cst.Call, collection: str, part: cst.Slice) -> tuple[str, str] | None:
    """Return where in the totals the slice begins (empty: at 0) and ends."""
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


def _position(subject: FunctionTree, loop: cst.For | cst.CompFor, collection: str) -> str:
    """Return the variable that runs over all positions of the list."""
    target = subject.code(loop.target).strip("()")
    iterable = subject.code(loop.iter)
    if iterable == f"enumerate({collection})":
        return target.partition(",")[0].strip()
    positions = (f"range(len({collection}))", f"range(1, len({collection}))", f"range(0, len({collection}))")
    return target if iterable in positions else ""


def _is_window(
    subject: FunctionTree, call: cst.Call, loop: cst.For | cst.CompFor, collection: str, low: str, width: str
) -> bool:
    """Return whether the slice is one of all the windows of a width that is surely not negative."""
    iterable = subject.code(loop.iter)
    positions = (f"range(len({collection})-{width}+1)", f"range(0,len({collection})-{width}+1)")
    if subject.code(loop.target) != low or _squeezed(iterable) not in positions:
        return False
    return is_guarded(subject, call, width, (f"{width} <= 0", f"{width} < 1", f"{width} < 0"))

"""Finding equal elements by comparing all pairs."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import Filling, assigning, filling_of, made_above
from codeens_server.generation.rewrites.kinds import UNHASHABLE, element_kind, kind_of
from codeens_server.generation.rewrites.placing import after
from codeens_server.generation.rewrites.subject import Subject


def find_duplicates_once(subject: Subject, edits: Edits, loop: cst.For) -> bool:
    """Change two nested loops over all pairs of a list's elements that look for equal ones."""
    filling = filling_of(subject, loop)
    if filling is None or len(filling.loops) != 2:
        return False
    pair = _pair(subject, filling)
    if pair is None:
        return False
    collection, one, other = pair
    tests = {subject.code(part) for test in filling.tests for part in _conjuncts(test)}
    equal = {f"{one} == {other}", f"{other} == {one}"}
    if not tests & equal or kind_of(subject, cst.Name(collection)) not in (None, "list", "tuple"):
        return False
    if element_kind(subject, cst.Name(collection)) in UNHASHABLE or not subject.has_builtin("set", "len"):
        return False
    rest = tests - equal
    if not rest:
        return _answer_if_any(subject, edits, loop, filling, collection)
    return _collect(subject, edits, loop, filling, collection, one, rest)


def _pair(subject: Subject, filling: Filling) -> tuple[str, str, str] | None:
    """The collection and the texts of the two elements, of loops over all pairs in order."""
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
    """The xs of `len(xs)` and `len(xs) - 1`."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Subtract):
        node = node.left if tree.number(node.right) == 1 else node
    args = tree.call_of(node, "len")
    return args[0].value if args and isinstance(args[0], cst.Name) else ""


def _conjuncts(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        yield from _conjuncts(test.left)
        yield from _conjuncts(test.right)
    else:
        yield test


def _answer_if_any(subject: Subject, edits: Edits, loop: cst.For, filling: Filling, collection: str) -> bool:
    """`return True` at the first pair and `return False` below the loops."""
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
    edits.statement(loop, f"return len(set({collection})) {operator} len({collection})")
    edits.remove(line)
    return True


def _collect(
    subject: Subject, edits: Edits, loop: cst.For, filling: Filling, collection: str, one: str, rest: set[str]
) -> bool:
    """`if x not in found: found.append(x)` for each pair."""
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
    pairs = f"{counter}({collection}).items()"
    twice = f"[{item} for {item}, {count} in {pairs} if {count} > 1]"
    edits.statement(loop, assigning(subject, made[0], twice), merged=[made[0]])
    edits.remove(made[0])
    return True

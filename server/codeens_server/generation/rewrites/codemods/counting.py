"""Counting what is in a collection: by a loop over it, or by searching all of it for each of its elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import Filling, after_clauses, assigning, filling_of, made_above
from codeens_server.generation.rewrites.function_tree import FunctionTree, target_names
from codeens_server.generation.rewrites.kinds import annotation_of, kind_of, may_be_none
from codeens_server.generation.rewrites.placing import Statement, place_for, statement_of
from codeens_server.generation.rewrites.purity import is_pure, suspends
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.stability import calls_next, runs_unknown_code


class Counted(NamedTuple):
    """`counts[key]` is one more than it was."""

    counts: str
    key: cst.BaseExpression
    mentions: int
    """How often the statements that do it name the collection of counts."""


class ManualCountToCounter(Codemod):
    """See `rationale`."""

    name = "manual-count-to-counter"
    rationale = "Counts all elements in one pass of collections.Counter, whose loop runs in C."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        for node in subject.own(cst.BaseExpression):
            if count_once(subject, edits, node):
                return
        for loop in subject.own(cst.For):
            if _count_in_one_pass(subject, edits, loop):
                return


def _count_in_one_pass(subject: FunctionTree, edits: Edits, loop: cst.For) -> bool:
    filling = filling_of(subject, loop)
    counted = (_counted_in_branches(filling.body) or _counted(filling.statement)) if filling else None
    if filling is None or counted is None or suspends(subject, loop) or not is_pure(subject, counted.key):
        return False
    name = counted.counts
    made = made_above(subject, loop, name)
    mentions = sum(1 for _ in subject.variables(loop, name))
    if made is None or mentions != counted.mentions or not subject.is_local(name):
        return False
    counter = edits.require("collections", "Counter")
    counts = f"{counter}({_elements(subject, filling, counted.key)})"
    wrapped = _like_original(subject, made[1], counts, starts_missing=counted.mentions == 1)
    if wrapped is None or counter is None:
        return False
    edits.statement(loop, assigning(subject, made[0], wrapped), merged=[made[0]])
    edits.remove(made[0])
    return True


def _counted(statement: cst.CSTNode | None) -> Counted | None:
    """Match `d[k] = d.get(k, 0) + 1`, and `d[k] += 1`, which needs a dictionary with a default."""
    match statement:
        case cst.AugAssign(target=target, operator=cst.AddAssign(), value=cst.Integer(value="1")):
            item = _item(target)
            return Counted(*item, mentions=1) if item else None
        case cst.Assign(
            targets=[cst.AssignTarget(target=target)],
            value=cst.BinaryOperation(left=cst.Call() as got, operator=cst.Add(), right=cst.Integer(value="1")),
        ):
            item, call = _item(target), tree.method_call(got)
            if item is None or call is None or call.method != "get" or not tree.is_name(call.receiver, item[0]):
                return None
            is_zero = len(call.args) == 2 and tree.number(call.args[1]) == 0
            return Counted(*item, mentions=2) if is_zero and tree.same(call.args[0], item[1]) else None
        case _:
            return None


def _counted_in_branches(body: Sequence[cst.CSTNode]) -> Counted | None:
    """Match `if k in d: d[k] += 1` / `else: d[k] = 1`, and `if k not in d: d[k] = 0` before `d[k] += 1`."""
    match body:
        case [cst.If(test=test, body=one, orelse=cst.Else(body=other))]:
            present, absent = tree.only_line(one), tree.only_line(other)
            tested = _tested(test, cst.In)
            if tested is None:
                tested, present, absent = _tested(test, cst.NotIn), absent, present
            start = 1
        case [cst.If(test=test, body=one, orelse=None), cst.BaseSmallStatement() as present]:
            tested, absent, start = _tested(test, cst.NotIn), tree.only_line(one), 0
        case _:
            return None
    counted, begun = _counted(present), _begun(absent, start)
    if counted is None or begun is None or tested is None or counted.mentions != 1:
        return None
    same_counts = counted.counts == begun[0] == tested[0]
    same_key = tree.same(counted.key, begun[1]) and tree.same(counted.key, tested[1])
    return counted._replace(mentions=3) if same_counts and same_key else None


def _begun(statement: cst.CSTNode | None, start: int) -> tuple[str, cst.BaseExpression] | None:
    match statement:
        case cst.Assign(targets=[cst.AssignTarget(target=target)], value=value) if tree.number(value) == start:
            return _item(target)
        case _:
            return None


def _tested(test: cst.BaseExpression, sort: type[cst.BaseCompOp]) -> tuple[str, cst.BaseExpression] | None:
    match test:
        case cst.Comparison(
            left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=cst.Name(value=name))]
        ):
            return (name, left) if isinstance(operator, sort) else None
        case _:
            return None


def _item(target: cst.BaseExpression) -> tuple[str, cst.BaseExpression] | None:
    indexed = tree.index_of(target)
    if indexed is None or not isinstance(indexed[0], cst.Name):
        return None
    return indexed[0].value, indexed[1]


def _elements(subject: FunctionTree, filling: Filling, key: cst.BaseExpression) -> str:
    loop = filling.loops[0]
    if len(filling.clauses) == 1 and isinstance(key, cst.Name) and tree.same(key, loop.target):
        text = subject.code(loop.iter)
        return text if _is_no_mapping(subject, loop.iter) else f"iter({text})"
    text = " ".join([after_clauses(subject, key), *filling.clauses])
    # In a generator, a StopIteration of unknown code would become a RuntimeError.
    return f"[{text}]" if runs_unknown_code(subject, loop) or calls_next(subject, loop) else text


def _is_no_mapping(subject: FunctionTree, iterable: cst.BaseExpression) -> bool:
    """Return whether a Counter surely takes this as elements: a mapping it takes as counts, and None as nothing."""
    if isinstance(iterable, cst.Name) and annotation_of(subject, iterable.value) is not None:
        return kind_of(subject, iterable) != "dict" and not may_be_none(subject, iterable.value)
    is_listing = tree.method_call(iterable) is not None and not subject.origin(iterable)
    return is_listing or kind_of(subject, iterable) in ("list", "tuple", "str", "set", "frozenset", "bytes")


def _like_original(
    subject: FunctionTree, value: cst.BaseExpression, counts: str, *, starts_missing: bool
) -> str | None:
    """Return the counts in the type that the loop filled; a bare `d[k] += 1` needs one that has a default."""
    match value:
        case cst.Call(func=func, args=[cst.Arg(value=cst.Name(value="int"))]):
            is_default = subject.origin(func) == "collections.defaultdict"
            return f"{subject.code(func)}(int, {counts})" if is_default else None
        case cst.Call(func=func, args=[]) if subject.origin(func) == "collections.Counter":
            return counts
        case cst.Dict(elements=[]) | cst.Call(func=cst.Name(value="dict"), args=[]) if not starts_missing:
            return f"dict({counts})" if subject.has_builtin("dict", "iter") else None
        case _:
            return None


def count_once(subject: FunctionTree, edits: Edits, node: cst.BaseExpression) -> bool:
    """Change one `xs.count(x)`, or `key=xs.count`, that is evaluated for each element of xs."""
    match node:
        case cst.Call(func=cst.Attribute(value=cst.Name() as owner, attr=cst.Name(value="count"))):
            args = tree.plain_args(node.args)
            if args is None or len(args) != 1 or not _is_element(subject, node, args[0], owner.value):
                return False
            place = place_for(subject, node, [owner.value])
            text = subject.code(args[0])
        case cst.Attribute(value=cst.Name() as owner, attr=cst.Name(value="count")) if _is_key(subject, node, owner):
            place, text = statement_of(subject, node), ""
        case _:
            return False
    counter = edits.require("collections", "Counter") if place is not None else None
    if place is None or counter is None:
        return False
    counts = edits.computed(place, f"{counter}({owner.value})", [owner.value], f"{owner.value.lower()}_counts")
    if text:
        _replace_all(subject, edits, place, node, f"{counts}[{text}]")
    else:
        edits.expression(node, f"{counts}.__getitem__")
    return True


def _replace_all(subject: FunctionTree, edits: Edits, place: Statement, node: cst.BaseExpression, text: str) -> None:
    for other in subject.own(cst.Call, place):
        if tree.same(other, node):
            edits.expression(other, text)


def _is_element(subject: FunctionTree, node: cst.CSTNode, argument: cst.BaseExpression, collection: str) -> bool:
    """Return whether the argument runs over the collection itself, or the collection is surely a list."""
    if not isinstance(argument, cst.Name):
        return False
    for parent in subject.above(node):
        if isinstance(parent, cst.For) and _runs_over(subject, parent.target, parent.iter, argument.value, collection):
            return True
        if isinstance(parent, cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp):
            loop = parent.for_in
            if _runs_over(subject, loop.target, loop.iter, argument.value, collection):
                return True
    return kind_of(subject, cst.Name(collection)) in ("list", "tuple")


def _runs_over(
    subject: FunctionTree, target: cst.BaseExpression, iterable: cst.BaseExpression, variable: str, collection: str
) -> bool:
    bound = [name.value for name in target_names(target)]
    return variable in bound and _elements_of(subject, iterable, collection)


def _elements_of(subject: FunctionTree, iterable: cst.BaseExpression, collection: str) -> bool:
    """Match `xs`, `set(xs)`, `sorted(set(xs))`, `enumerate(xs)`."""
    match iterable:
        case cst.Name(value=name):
            return name == collection
        case cst.Call(func=func, args=[cst.Arg(value=inner), *_]):
            wrappers = ("set", "sorted", "list", "enumerate", "reversed", "frozenset", "tuple")
            return subject.is_builtin(func, *wrappers) and _elements_of(subject, inner, collection)
        case _:
            return False


def _is_key(subject: FunctionTree, node: cst.Attribute, owner: cst.Name) -> bool:
    """Match `max(set(xs), key=xs.count)` and the like."""
    arg = subject.parent(node)
    call = subject.parent(arg) if isinstance(arg, cst.Arg) and arg.keyword and arg.keyword.value == "key" else None
    if not isinstance(call, cst.Call) or not subject.is_builtin(call.func, "max", "min", "sorted"):
        return False
    is_free = all(one.value != owner.value for one in subject.own(cst.Name, call) if subject.is_bound_here(one))
    return is_free and _elements_of(subject, call.args[0].value, owner.value)

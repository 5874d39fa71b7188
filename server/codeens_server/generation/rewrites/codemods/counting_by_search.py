"""Counting everything once, where `xs.count(x)` walked over all of xs for each x."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.kinds import kind_of
from codeens_server.generation.rewrites.names import target_names
from codeens_server.generation.rewrites.placing import Statement, place_for, statement_of
from codeens_server.generation.rewrites.subject import Subject


def count_once(subject: Subject, edits: Edits, node: cst.BaseExpression) -> bool:
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


def _replace_all(subject: Subject, edits: Edits, place: Statement, node: cst.BaseExpression, text: str) -> None:
    for other in subject.own(cst.Call, place):
        if tree.same(other, node):
            edits.expression(other, text)


def _is_element(subject: Subject, node: cst.CSTNode, argument: cst.BaseExpression, collection: str) -> bool:
    """Whether the argument runs over the collection itself, or the collection is surely a list."""
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
    subject: Subject, target: cst.BaseExpression, iterable: cst.BaseExpression, variable: str, collection: str
) -> bool:
    bound = [name.value for name in target_names(target)]
    return variable in bound and _elements_of(subject, iterable, collection)


def _elements_of(subject: Subject, iterable: cst.BaseExpression, collection: str) -> bool:
    """`xs`, `set(xs)`, `sorted(set(xs))`, `enumerate(xs)`."""
    match iterable:
        case cst.Name(value=name):
            return name == collection
        case cst.Call(func=func, args=[cst.Arg(value=inner), *_]):
            wrappers = ("set", "sorted", "list", "enumerate", "reversed", "frozenset", "tuple")
            return subject.is_builtin(func, *wrappers) and _elements_of(subject, inner, collection)
        case _:
            return False


def _is_key(subject: Subject, node: cst.Attribute, owner: cst.Name) -> bool:
    """`max(set(xs), key=xs.count)` and the like."""
    arg = subject.parent(node)
    call = subject.parent(arg) if isinstance(arg, cst.Arg) and arg.keyword and arg.keyword.value == "key" else None
    if not isinstance(call, cst.Call) or not subject.is_builtin(call.func, "max", "min", "sorted"):
        return False
    is_free = all(one.value != owner.value for one in subject.own(cst.Name, call) if subject.is_bound_here(one))
    return is_free and _elements_of(subject, call.args[0].value, owner.value)

"""Feeding values one by one to what only walks over them."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.purity import is_pure, is_pure_function, is_stable, suspends
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.subject import Subject

TAKES_ALL = ("sum", "min", "max", "set", "frozenset", "dict", "tuple")
STOPS_EARLY = ("any", "all")


class GeneratorForList(Codemod):
    """See `rationale`."""

    name = "generator-for-list"
    rationale = "Hands elements over one by one where a whole list was built only to be walked over once: less memory."

    def plan(self, subject: Subject, edits: Edits) -> None:
        for call in subject.own(cst.Call):
            if _feed_lazily(subject, edits, call):
                return
        for loop in subject.own(cst.For):
            if copied := _needless_copy(subject, loop):
                edits.expression(loop.iter, subject.code(copied))
                return


def _feed_lazily(subject: Subject, edits: Edits, call: cst.Call) -> bool:
    if not call.args or not isinstance(call.args[0].value, cst.ListComp) or call.args[0].keyword or call.args[0].star:
        return False
    comprehension = call.args[0].value
    if suspends(subject, comprehension) or any(arg.keyword is None for arg in call.args[1:]):
        return False
    takes_all = _is_join(call) or subject.is_builtin(call.func, *TAKES_ALL)
    if not takes_all and not (subject.is_builtin(call.func, *STOPS_EARLY) and is_pure(subject, comprehension)):
        return False
    inner = subject.code(comprehension.with_changes(lpar=(), rpar=()))[1:-1]
    if len(call.args) == 1:
        edits.expression(call, f"{subject.code(call.func)}({inner})")
    else:
        edits.expression(comprehension, f"({inner})")
    return True


def _is_join(call: cst.Call) -> bool:
    match call.func:
        case cst.Attribute(value=cst.SimpleString(), attr=cst.Name(value="join")):
            return len(call.args) == 1
        case _:
            return False


def _needless_copy(subject: Subject, loop: cst.For) -> cst.BaseExpression | None:
    """The xs of `for x in list(xs)`, where nothing in the loop can change xs: that is what such a copy is made for."""
    match loop.iter:
        case cst.Call(func=func, args=[cst.Arg(value=value, keyword=None, star="")]):
            if not subject.is_builtin(func, "list", "tuple") or suspends(subject, loop):
                return None
        case _:
            return None
    owner = _listed(value)
    is_safe = owner is not None and is_stable(subject, owner.value, loop.body)
    calls = [node for node in subject.walk(loop.body) if isinstance(node, cst.Call)]
    return value if is_safe and all(_is_harmless(subject, call) for call in calls) else None


def _listed(value: cst.BaseExpression) -> cst.Name | None:
    """The variable of `xs` and `xs.items()`."""
    call = tree.method_call(value)
    if call is not None and call.method in ("keys", "values", "items") and not call.args:
        value = call.receiver
    return value if isinstance(value, cst.Name) else None


def _is_harmless(subject: Subject, call: cst.Call) -> bool:
    """Whether the call reaches no collection but, perhaps, one of the function's own."""
    if is_pure_function(subject, call.func) or subject.is_builtin(call.func, "print"):
        return True
    match call.func:
        case cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value="append" | "add" | "extend" | "update")):
            return subject.is_local(owner) and owner not in subject.parameters
        case _:
            return False

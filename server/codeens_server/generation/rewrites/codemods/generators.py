"""Feeding values one by one to what only walks over them."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.purity import is_pure, is_stable, suspends
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
    """`for x in list(xs)`, where the loop leaves xs as it is."""
    match loop.iter:
        case cst.Call(func=func, args=[cst.Arg(value=value, keyword=None, star="")]) if subject.is_builtin(
            func, "list", "tuple"
        ):
            names = {name.value for name in subject.reads(value)}
            is_safe = is_pure(subject, value) and not suspends(subject, loop)
            return value if is_safe and all(is_stable(subject, name, loop.body) for name in names) else None
        case _:
            return None

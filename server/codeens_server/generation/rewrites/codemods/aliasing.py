"""Looking up functions and methods before a loop instead of in each of its turns."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.kinds import kind_of
from codeens_server.generation.rewrites.placing import Loop, Statement, is_surely_bound, loops_repeating, statement_of
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.subject import Subject

CONTAINERS = frozenset({"list", "set", "dict", "deque", "str"})


class LocalAlias(Codemod):
    """See `rationale`."""

    name = "local-alias-in-hot-loop"
    rationale = "Binds functions and methods to local names before the loop, which spares a lookup in each turn."

    def plan(self, subject: Subject, edits: Edits) -> None:
        for call in subject.own(cst.Call):
            loops = list(loops_repeating(subject, call))
            place = statement_of(subject, loops[-1]) if loops else None
            if place is not None and _bind_before(subject, edits, loops[-1], place, call):
                return


def _bind_before(subject: Subject, edits: Edits, loop: Loop, place: Statement, call: cst.Call) -> bool:
    if not _is_fixed(subject, call.func, loop, place):
        return False
    text = subject.code(call.func)
    alias = subject.fresh(text.replace(".", "_").lstrip("_") if "." in text else f"local_{text.lstrip('_')}")
    edits.before(place, f"{alias} = {text}")
    for other in subject.own(cst.Call, loop):
        if subject.code(other.func) == text:
            edits.expression(other.func, alias)
    return True


def _is_fixed(subject: Subject, func: cst.BaseExpression, loop: Loop, place: Statement) -> bool:
    """Whether the function called is the same in all turns: of a module, or a method of one builtin container."""
    match func:
        case cst.Name(value=name):
            is_global = name in subject.facts.names and name not in subject.local_names
            return is_global and name != subject.function.name.value and name not in subject.facts.enclosing
        case cst.Attribute(value=cst.Name(value=owner) as value):
            if subject.origin(func):
                return True
            is_same = owner not in subject.bound(loop) and is_surely_bound(subject, owner, place)
            return is_same and owner in subject.local_names and kind_of(subject, value) in CONTAINERS
        case _:
            return False

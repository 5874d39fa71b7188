"""Looking up functions before a loop instead of in each of its turns."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.placing import Loop, Statement, loops_repeating, statement_of
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.subject import Subject


class LocalAlias(Codemod):
    """See `rationale`. Methods of lists and the like stay: since Python 3.11 a bound one is slower to call."""

    name = "local-alias-in-hot-loop"
    rationale = "Binds functions of modules to local names before the loop, which spares a lookup in each turn."

    def plan(self, subject: Subject, edits: Edits) -> None:
        for call in subject.own(cst.Call):
            loops = list(loops_repeating(subject, call))
            place = statement_of(subject, loops[-1]) if loops else None
            if place is not None and _bind_before(subject, edits, loops[-1], place, call):
                return


def _bind_before(subject: Subject, edits: Edits, loop: Loop, place: Statement, call: cst.Call) -> bool:
    if not _is_of_module(subject, call.func):
        return False
    text = subject.code(call.func)
    alias = edits.fresh(text.replace(".", "_").lstrip("_") if "." in text else f"local_{text.lstrip('_')}")
    edits.before(place, f"{alias} = {text}")
    for other in subject.own(cst.Call, loop):
        if subject.code(other.func) == text:
            edits.expression(other.func, alias)
    return True


def _is_of_module(subject: Subject, func: cst.BaseExpression) -> bool:
    """Whether the function called belongs to this module or to an imported one."""
    if isinstance(func, cst.Name):
        is_global = func.value in subject.facts.names and func.value not in subject.local_names
        return is_global and func.value not in subject.facts.enclosing
    return isinstance(func, cst.Attribute) and bool(subject.origin(func))

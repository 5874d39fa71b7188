"""Looking positions up, where a list was searched for each of them."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.kinds import UNHASHABLE, element_kind, kind_of
from codeens_server.generation.rewrites.placing import place_for
from codeens_server.generation.rewrites.purity import is_pure, is_walked
from codeens_server.generation.rewrites.rule import Codemod


class IndexToPositions(Codemod):
    """See `rationale`."""

    name = "index-to-positions"
    rationale = "Notes the position of each element once and looks it up, where list.index searched in each turn."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        for call in subject.own(cst.Call):
            found = tree.method_call(call)
            if found is None or found.method != "index" or len(found.args) != 1:
                continue
            if isinstance(found.receiver, cst.Name) and _note(subject, edits, call, found.receiver, found.args[0]):
                return


def _note(subject: FunctionTree, edits: Edits, call: cst.Call, owner: cst.Name, wanted: cst.BaseExpression) -> bool:
    kind = kind_of(subject, owner)
    if kind not in ("list", "tuple") and not (kind is None and is_walked(subject, owner)):
        return False
    if element_kind(subject, owner) in UNHASHABLE or kind_of(subject, wanted) in UNHASHABLE:
        return False
    place = place_for(subject, call, [owner.value])
    if place is None or not is_pure(subject, wanted) or isinstance(subject.parent(call), cst.IfExp):
        return False
    name = owner.value.lower().lstrip("_")
    positions = edits.fresh(f"{name}_positions")
    position, element = edits.fresh("position"), edits.fresh("element")
    edits.before(
        place,
        f"{positions} = {{}}\nfor {position}, {element} in enumerate({owner.value}):\n"
        f"    {positions}.setdefault({element}, {position})\n",
    )
    text = subject.code(wanted)
    # What is not there raises ValueError, as before.
    edits.expression(call, f"({positions}[{text}] if {text} in {positions} else {subject.code(call)})")
    return subject.has_builtin("enumerate")

"""Lists that grow by copies of themselves."""

from __future__ import annotations

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.kinds import element_kind, kind_of
from codeens_server.generation.rewrites.placing import is_repeated
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.stability import is_private


class GrowInPlace(Codemod):
    """See `rationale`."""

    name = "grow-in-place"
    rationale = "Lets a list grow in place, where each addition made a longer copy of all that was there."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        for statement in subject.own(cst.Assign):
            if text := _addition(subject, statement):
                edits.small(statement, text)
                return
        for call in subject.own(cst.Call):
            if _chain(subject, edits, call):
                return


def _addition(subject: FunctionTree, statement: cst.Assign) -> str | None:
    """Return the text for `xs = xs + ys` in a loop, where nobody else holds xs."""
    match statement:
        case cst.Assign(
            targets=[cst.AssignTarget(target=cst.Name(value=name))],
            value=cst.BinaryOperation(left=cst.Name(value=grown), operator=cst.Add(), right=added),
        ) if grown == name and is_repeated(subject, statement):
            pass
        case _:
            return None
    if kind_of(subject, cst.Name(name)) != "list" or kind_of(subject, added) != "list":
        return None
    if not is_private(subject, name) or _is_walked_meanwhile(subject, statement, name):
        return None
    if isinstance(added, cst.List) and len(added.elements) == 1 and isinstance(added.elements[0], cst.Element):
        return f"{name}.append({subject.code(added.elements[0].value)})"
    return f"{name}.extend({subject.code(added)})"


def _is_walked_meanwhile(subject: FunctionTree, statement: cst.Assign, name: str) -> bool:
    """Return whether a loop goes over the list, as it was, while it grows."""
    loops = [one for one in subject.above(statement) if isinstance(one, cst.For)]
    return any(subject.occurs(loop.iter, name) for loop in loops)


def _chain(subject: FunctionTree, edits: Edits, call: cst.Call) -> bool:
    """Change `sum(lists, [])`."""
    args = tree.plain_args(call.args)
    if not subject.is_builtin(call.func, "sum") or args is None or len(args) != 2 or not tree.is_empty_list(args[1]):
        return False
    if element_kind(subject, args[0]) != "list" or not subject.has_builtin("list"):
        return False
    chain = edits.require("itertools", "chain")
    if chain is None:
        return False
    edits.expression(call, f"list({chain}.from_iterable({subject.code(args[0])}))")
    return True

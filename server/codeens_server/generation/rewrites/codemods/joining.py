"""Putting a string together once, from its parts."""

from __future__ import annotations

from typing import NamedTuple

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import made_above
from codeens_server.generation.rewrites.function_tree import FunctionTree
from codeens_server.generation.rewrites.kinds import kind_of
from codeens_server.generation.rewrites.placing import Loop, after, loops_repeating
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.stability import runs_unknown_code


class Concatenation(NamedTuple):
    """A statement that makes the string longer."""

    statement: cst.BaseSmallStatement
    pieces: list[cst.BaseExpression]
    """What is added, in the order of the text."""
    at_front: bool


class ConcatenationToJoin(Codemod):
    """See `rationale`."""

    name = "concatenation-to-join"
    rationale = "Collects the parts in a list and joins them once, where a loop copied the growing string."

    def plan(self, subject: FunctionTree, edits: Edits) -> None:
        tried = set[tuple[str, Loop]]()
        for statement in subject.own(cst.BaseSmallStatement):
            name = _grown_name(statement)
            if not name or kind_of(subject, cst.Name(name)) not in ("str", None):
                continue
            for loop in loops_repeating(subject, statement):
                if (name, loop) not in tried and _join_after(subject, edits, loop, name):
                    return
                tried.add((name, loop))


def _join_after(subject: FunctionTree, edits: Edits, loop: Loop, name: str) -> bool:
    made = made_above(subject, loop, name) if subject.is_local(name) else None
    if made is None or kind_of(subject, made[1]) != "str":
        return False
    line, value = made
    growths = _growths(subject, loop, name)
    if not growths or not subject.has_builtin("reversed"):
        return False
    parts = edits.fresh(f"{name}_parts")
    is_empty = isinstance(value, cst.SimpleString) and value.evaluated_value == ""
    edits.statement(line, f"{parts} = []" if is_empty else f"{parts} = [{subject.code(value)}]")
    for growth in growths:
        added = " + ".join(subject.code(piece) for piece in growth.pieces)
        edits.small(growth.statement, f"{parts}.append({added})")
    joined = f'"".join(reversed({parts}))' if growths[0].at_front else f'"".join({parts})'
    following = after(subject, loop)
    returned = tree.sole(following[0]) if following else None
    if isinstance(returned, cst.Return) and tree.is_name(returned.value, name):
        edits.small(returned, f"return {joined}")
    else:
        edits.after(loop, f"{name} = {joined}")
    return True


def _grown_name(statement: cst.BaseSmallStatement) -> str:
    match statement:
        case cst.AugAssign(target=cst.Name(value=name)):
            return name
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=cst.BinaryOperation()):
            return name
        case _:
            return ""


def _growths(subject: FunctionTree, loop: Loop, name: str) -> list[Concatenation]:
    """Return all uses of the string in the loop, if each only makes it longer at the same end; else none."""
    found: list[Concatenation] = []
    for statement in subject.own(cst.BaseSmallStatement, loop):
        growth = _growth(statement, name)
        if growth and not any(subject.occurs(piece, name) for piece in growth.pieces):
            found.append(growth)
    uses = list(subject.variables(loop, name))
    accounted = [place for growth in found for place in subject.variables(growth.statement, name)]
    same_end = len({growth.at_front for growth in found}) == 1
    kinds = {kind_of(subject, piece) for growth in found for piece in growth.pieces}
    # What is no text fails only after the loop, by when other code would have run that did not.
    fits = kinds <= {"str"} or (kinds <= {"str", None} and not runs_unknown_code(subject, loop))
    return found if len(uses) == len(accounted) and same_end and fits else []


def _growth(statement: cst.BaseSmallStatement, name: str) -> Concatenation | None:
    match statement:
        case cst.AugAssign(target=target, operator=cst.AddAssign(), value=value) if tree.is_name(target, name):
            return Concatenation(statement, [value], at_front=False)
        case cst.Assign(targets=[cst.AssignTarget(target=target)], value=value) if tree.is_name(target, name):
            first, *rest = _summands(value)
            if tree.is_name(first, name) and rest:
                return Concatenation(statement, rest, at_front=False)
            return (
                Concatenation(statement, [first, *rest[:-1]], at_front=True)
                if rest and tree.is_name(rest[-1], name)
                else None
            )
        case _:
            return None


def _summands(node: cst.BaseExpression) -> list[cst.BaseExpression]:
    """Match `[a, b, c]` of `a + b + c`."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add) and not node.lpar:
        return [*_summands(node.left), node.right]
    return [node]

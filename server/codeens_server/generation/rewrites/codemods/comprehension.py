"""A loop that only fills a collection, as a comprehension."""

from __future__ import annotations

from typing import Literal, NamedTuple

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import Filling, after_clauses, assigning, filling_of, made_above
from codeens_server.generation.rewrites.placing import after
from codeens_server.generation.rewrites.purity import suspends
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.subject import Subject

LONGEST_LINE = 100


class Built(NamedTuple):
    """What a loop's innermost statement puts into which collection."""

    sort: Literal["list", "set", "dict"]
    name: str
    text: str


class LoopToComprehension(Codemod):
    """See `rationale`."""

    name = "append-loop-to-comprehension"
    rationale = "Builds the collection in a comprehension, which spares a method lookup and call for each element."

    def plan(self, subject: Subject, edits: Edits) -> None:
        for loop in subject.own(cst.For):
            if _comprehend(subject, edits, loop):
                return


def _comprehend(subject: Subject, edits: Edits, loop: cst.For) -> bool:
    filling = filling_of(subject, loop)
    built = _built(subject, filling) if filling else None
    if filling is None or built is None or suspends(subject, loop):
        return False
    made = made_above(subject, loop, built.name)
    uses = sum(1 for _ in subject.variables(loop, built.name))
    if made is None or uses != 1 or not _makes_empty(subject, made[1], built.sort) or not subject.is_local(built.name):
        return False
    text = _laid_out("[]" if built.sort == "list" else "{}", [built.text, *filling.clauses])
    following = after(subject, loop)
    returned = tree.sole(following[0]) if following else None
    is_returned = isinstance(returned, cst.Return) and tree.is_name(returned.value, built.name)
    if is_returned and isinstance(following[0], cst.SimpleStatementLine):
        edits.remove(following[0])
    edits.statement(loop, f"return {text}" if is_returned else assigning(subject, made[0], text), merged=[made[0]])
    edits.remove(made[0])
    return True


def _built(subject: Subject, filling: Filling) -> Built | None:
    match filling.statement:
        case cst.Expr(value=cst.Call() as call):
            added = tree.method_call(call)
            if added is None or not isinstance(added.receiver, cst.Name) or len(added.args) != 1:
                return None
            text, name = after_clauses(subject, added.args[0]), added.receiver.value
            if added.method == "append":
                return Built("list", name, text)
            return Built("set", name, text) if added.method == "add" else None
        case cst.Assign(
            targets=[
                cst.AssignTarget(
                    target=cst.Subscript(
                        value=cst.Name(value=name), slice=[cst.SubscriptElement(slice=cst.Index(value=key, star=None))]
                    )
                )
            ],
            value=value,
        ):
            return Built("dict", name, f"{after_clauses(subject, key)}: {after_clauses(subject, value)}")
        case _:
            return None


def _makes_empty(subject: Subject, value: cst.BaseExpression, sort: str) -> bool:
    if isinstance(value, cst.Call) and not subject.is_builtin(value.func, sort):
        return False
    if sort == "set":
        return isinstance(value, cst.Call) and not value.args
    return tree.is_empty_list(value) if sort == "list" else tree.is_empty_dict(value)


def _laid_out(brackets: str, parts: list[str]) -> str:
    text = " ".join(parts)
    if len(text) <= LONGEST_LINE - 20:
        return f"{brackets[0]}{text}{brackets[1]}"
    return brackets[0] + "".join(f"\n    {part}" for part in parts) + f"\n{brackets[1]}"

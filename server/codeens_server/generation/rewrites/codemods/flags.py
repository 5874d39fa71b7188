"""Loops that find out whether any, or every, element has a property."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.filling import (
    Filling,
    after_clauses,
    assigning,
    filling_of,
    made_above,
    negated,
)
from codeens_server.generation.rewrites.placing import after
from codeens_server.generation.rewrites.purity import is_pure, suspends
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.subject import Subject


class Answer(NamedTuple):
    """The value that is found when a test holds, and the variable it goes to (none: it is returned)."""

    found: bool
    variable: str
    stops: bool


class FlagLoopToAnyAll(Codemod):
    """See `rationale`."""

    name = "any-all-for-flag-loop"
    rationale = "Says with any or all what the loop looks for, and stops at the first element that decides it."

    def plan(self, subject: Subject, edits: Edits) -> None:
        for loop in subject.own(cst.For):
            if _ask(subject, edits, loop):
                return


def _ask(subject: Subject, edits: Edits, loop: cst.For) -> bool:
    filling = filling_of(subject, loop)
    answer = _answer(filling.body) if filling else None
    if filling is None or answer is None or not filling.tests or suspends(subject, loop):
        return False
    if not answer.stops and not all(is_pure(subject, node) for node in (*filling.tests, loop.iter)):
        return False
    text = _question(subject, filling, answer)
    if text is None or (answer.variable and answer.stops and len(filling.loops) > 1):
        return False
    if not answer.variable:
        return _return_it(subject, edits, loop, answer, text)
    made = made_above(subject, loop, answer.variable)
    mentions = sum(1 for _ in subject.variables(loop, answer.variable))
    if made is None or mentions != 1 or not tree.is_name(made[1], str(not answer.found)):
        return False
    if not subject.is_local(answer.variable):
        return False
    edits.statement(loop, assigning(subject, made[0], text), merged=[made[0]])
    edits.remove(made[0])
    return True


def _answer(body: Sequence[cst.CSTNode]) -> Answer | None:
    match body:
        case [cst.Return(value=cst.Name(value="True" | "False" as value))]:
            return Answer(value == "True", "", stops=True)
        case [
            cst.Assign(
                targets=[cst.AssignTarget(target=cst.Name(value=name))],
                value=cst.Name(value="True" | "False" as value),
            ),
            *rest,
        ] if not rest or (len(rest) == 1 and isinstance(rest[0], cst.Break)):
            return Answer(value == "True", name, stops=bool(rest))
        case _:
            return None


def _question(subject: Subject, filling: Filling, answer: Answer) -> str | None:
    """`any(c for x in xs)` where a test that holds gives True, `all(not c for x in xs)` where it gives False."""
    function = "any" if answer.found else "all"
    if not subject.has_builtin(function) or not filling.clauses[-1].startswith("if "):
        return None
    last = filling.tests[-1]
    positive = filling.clauses[-1].removeprefix("if ")
    as_written = after_clauses(subject, last)
    opposite = negated(subject, last) if positive == as_written else as_written
    element = positive if answer.found else opposite
    return f"{function}({' '.join([element, *filling.clauses[:-1]])})"


def _return_it(subject: Subject, edits: Edits, loop: cst.For, answer: Answer, text: str) -> bool:
    following = after(subject, loop)
    returned = tree.sole(following[0]) if following else None
    if not isinstance(returned, cst.Return) or not tree.is_name(returned.value, str(not answer.found)):
        return False
    line = following[0]
    if isinstance(line, cst.SimpleStatementLine):
        edits.statement(loop, f"return {text}")
        edits.remove(line)
    return True

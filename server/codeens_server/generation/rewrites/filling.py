"""Loops that do one thing with some of the elements: their clauses, and the one statement."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from msgspec import Struct

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.names import target_names
from codeens_server.generation.rewrites.placing import Statement, before
from codeens_server.generation.rewrites.subject import SCOPES, Subject

_LOOSE = (cst.IfExp, cst.Lambda, cst.NamedExpr)
_INVERSE: dict[type[cst.BaseCompOp], str] = {
    cst.Equal: "!=",
    cst.NotEqual: "==",
    cst.In: "not in",
    cst.NotIn: "in",
    cst.Is: "is not",
    cst.IsNot: "is",
}


class Filling(Struct, frozen=True, kw_only=True):
    """`for x in xs: if c: statement`, flattened to the clauses of a comprehension and the statement."""

    clauses: tuple[str, ...]
    """`("for x in xs", "if c")`."""
    loops: tuple[cst.For, ...]
    """Outer ones first."""
    tests: tuple[cst.BaseExpression, ...]
    statement: cst.BaseSmallStatement
    names: frozenset[str]
    """Names that the statement, clauses and iterables mention."""


def filling_of(subject: Subject, loop: cst.For) -> Filling | None:
    """The loop as clauses, if it has that form and its variables are not used outside of it."""
    clauses: list[str] = []
    loops: list[cst.For] = []
    tests: list[cst.BaseExpression] = []
    statement = _flatten(subject, loop, clauses, loops, tests)
    unfit = (*SCOPES, cst.NamedExpr)
    if statement is None or any(isinstance(node, unfit) for node in subject.walk(loop)):
        return None
    if any(_is_used_outside(subject, name, loop) for one in loops for name in _variables(one)):
        return None
    if not all(_binds_plain_names(one.target) for one in loops):
        return None
    names = frozenset(name.value for name in subject.variables(loop))
    return Filling(clauses=tuple(clauses), loops=tuple(loops), tests=tuple(tests), statement=statement, names=names)


def made_above(
    subject: Subject, loop: cst.For, names: frozenset[str]
) -> tuple[cst.SimpleStatementLine, str, cst.BaseExpression] | None:
    """The nearest line above that assigns one of the names, with the name and the value.

    Nothing between the line and the loop uses the name, so that the line can move down to the loop.
    """
    used = set[str]()
    for one in reversed(before(subject, loop)):
        made = tree.assigned_name(one)
        if made and isinstance(one, cst.SimpleStatementLine) and made[0] in names - used:
            if made[0] not in {name for inner in subject.own(cst.For, loop) for name in _variables(inner)}:
                return one, made[0], made[1]
        used |= {name.value for name in subject.variables(one)} | subject.bound(one)
    return None


def after_clauses(subject: Subject, node: cst.BaseExpression) -> str:
    """An expression's text as it may stand in a comprehension."""
    text = subject.code(node)
    is_loose = isinstance(node, _LOOSE) or isinstance(node, cst.Tuple)
    return f"({text})" if is_loose and not getattr(node, "lpar", ()) else text


def negated(subject: Subject, test: cst.BaseExpression) -> str:
    """The text of a test's opposite."""
    match test:
        case cst.UnaryOperation(operator=cst.Not(), expression=inner):
            return after_clauses(subject, inner)
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=right)]) if (
            type(operator) in _INVERSE
        ):
            return f"{subject.code(left)} {_INVERSE[type(operator)]} {subject.code(right)}"
        case cst.Name() | cst.Call() | cst.Attribute() | cst.Subscript() | cst.Comparison():
            return f"not {subject.code(test)}"
        case _:
            return f"not ({subject.code(test)})"


def _flatten(
    subject: Subject,
    loop: cst.For,
    clauses: list[str],
    loops: list[cst.For],
    tests: list[cst.BaseExpression],
) -> cst.BaseSmallStatement | None:
    if loop.orelse is not None or loop.asynchronous is not None:
        return None
    loops.append(loop)
    clauses.append(f"for {subject.code(loop.target)} in {after_clauses(subject, loop.iter)}")
    body: Sequence[cst.BaseStatement | cst.BaseSmallStatement] = tree.lines(loop.body)
    while True:
        match body:
            case [cst.If(test=test, orelse=None, body=inner), *rest] if rest and _only_continues(inner):
                clauses.append(f"if {negated(subject, test)}")
                tests.append(test)
                body = rest
            case [cst.If(test=test, orelse=None, body=inner)]:
                clauses.append(f"if {after_clauses(subject, test)}")
                tests.append(test)
                body = tree.lines(inner)
            case [cst.For() as inner]:
                return _flatten(subject, inner, clauses, loops, tests)
            case [cst.BaseSmallStatement() as statement]:
                return statement
            case _:
                return None


def _only_continues(suite: cst.BaseSuite) -> bool:
    return isinstance(tree.only_line(suite), cst.Continue)


def _variables(loop: cst.For) -> set[str]:
    return {name.value for name in target_names(loop.target)}


def _is_used_outside(subject: Subject, name: str, region: Statement) -> bool:
    inside = sum(1 for _ in subject.variables(region, name))
    everywhere = sum(1 for _ in subject.variables(subject.function, name))
    return inside != everywhere or name in subject.parameters or name in subject.declared_outside


def _binds_plain_names(target: cst.BaseExpression) -> bool:
    match target:
        case cst.Name():
            return True
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            return all(_binds_plain_names(element.value) for element in elements)
        case _:
            return False

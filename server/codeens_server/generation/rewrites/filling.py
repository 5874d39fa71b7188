"""Loops that do one thing with some of the elements: the clauses that choose them, and what is done."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from msgspec import Struct

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.function_tree import SCOPES, FunctionTree, target_names
from codeens_server.generation.rewrites.placing import before

_LOOSE = (cst.IfExp, cst.Lambda, cst.NamedExpr, cst.Tuple)
_INVERSE: dict[type[cst.BaseCompOp], str] = {
    cst.Equal: "!=",
    cst.NotEqual: "==",
    cst.In: "not in",
    cst.NotIn: "in",
    cst.Is: "is not",
    cst.IsNot: "is",
}


class Filling(Struct, frozen=True, kw_only=True):
    """`for x in xs: if c: body`, flattened to the clauses of a comprehension and the body."""

    clauses: tuple[str, ...]
    """`("for x in xs", "if c")`."""
    loops: tuple[cst.For, ...]
    """Outer ones first."""
    tests: tuple[cst.BaseExpression, ...]
    body: tuple[cst.BaseStatement | cst.BaseSmallStatement, ...]

    @property
    def statement(self) -> cst.CSTNode | None:
        """The only statement of the body, where it has just one."""
        return self.body[0] if len(self.body) == 1 else None


def filling_of(subject: FunctionTree, loop: cst.For) -> Filling | None:
    """Return the loop as clauses, if it has that form and its variables are not used outside of it."""
    clauses: list[str] = []
    loops: list[cst.For] = []
    tests: list[cst.BaseExpression] = []
    body = _flatten(subject, loop, clauses, loops, tests)
    unfit = (*SCOPES, cst.NamedExpr)
    if body is None or any(isinstance(node, unfit) for node in subject.walk(loop)):
        return None
    if any(is_used_outside(subject, name, loop) for one in loops for name in loop_variables(one)):
        return None
    if not all(_binds_plain_names(one.target) for one in loops):
        return None
    return Filling(clauses=tuple(clauses), loops=tuple(loops), tests=tuple(tests), body=tuple(body))


def made_above(
    subject: FunctionTree, loop: cst.CSTNode, name: str
) -> tuple[cst.SimpleStatementLine, cst.BaseExpression] | None:
    """Return the line above that gives the variable its value, and the value, if nothing uses it before the loop."""
    for one in reversed(before(subject, loop)):
        made = tree.assigned_name(one)
        if made and made[0] == name and isinstance(one, cst.SimpleStatementLine):
            return one, made[1]
        if subject.occurs(one, name):
            return None
    return None


def assigning(subject: FunctionTree, line: cst.SimpleStatementLine, value: str) -> str:
    """Return the text of a line that gives another value, of the same type, to the variable of this one."""
    match tree.sole(line):
        case cst.AnnAssign(target=target, annotation=annotation):
            return f"{subject.code(target)}: {subject.code(annotation.annotation)} = {value}"
        case cst.Assign(targets=[target]):
            return f"{subject.code(target.target)} = {value}"
        case _:
            raise ValueError(subject.code(line))


def after_clauses(subject: FunctionTree, node: cst.BaseExpression) -> str:
    """Return an expression's text as it may stand in a comprehension."""
    text = subject.code(node)
    return f"({text})" if isinstance(node, _LOOSE) and not getattr(node, "lpar", ()) else text


def negated(subject: FunctionTree, test: cst.BaseExpression) -> str:
    """Return the text of a test's opposite."""
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
    subject: FunctionTree,
    loop: cst.For,
    clauses: list[str],
    loops: list[cst.For],
    tests: list[cst.BaseExpression],
) -> Sequence[cst.BaseStatement | cst.BaseSmallStatement] | None:
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
            case _:
                return body


def _only_continues(suite: cst.BaseSuite) -> bool:
    return isinstance(tree.only_line(suite), cst.Continue)


def loop_variables(loop: cst.For) -> set[str]:
    """Return the names that a loop gives values to."""
    return {name.value for name in target_names(loop.target)}


def is_used_outside(subject: FunctionTree, name: str, region: cst.CSTNode) -> bool:
    """Return whether the variable's value at the end of the region may be read, here or elsewhere."""
    if name in subject.parameters or name in subject.declared_outside or name in subject.captured:
        return True
    outside = (place for place in subject.variables(subject.function, name) if not subject.is_inside(place, region))
    return not all(_has_own_loop(subject, place, region) for place in outside)


def _has_own_loop(subject: FunctionTree, place: cst.Name, region: cst.CSTNode) -> bool:
    """Return whether another loop or comprehension around the place gives the variable its value there."""
    for parent in subject.above(place):
        if subject.is_inside(region, parent):
            return False
        if isinstance(parent, cst.For) and place.value in loop_variables(parent):
            return not subject.is_inside(place, parent.iter)
        if isinstance(parent, cst.BaseComp) and place.value in subject.bound(parent):
            return True
    return False


def _binds_plain_names(target: cst.BaseExpression) -> bool:
    match target:
        case cst.Name():
            return True
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            return all(_binds_plain_names(element.value) for element in elements)
        case _:
            return False

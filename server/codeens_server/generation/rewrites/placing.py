"""Where a computation can go so that it runs once, and what is known to be true there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import libcst as cst

from codeens_server.generation.rewrites.function_tree import SCOPES, FunctionTree, target_names
from codeens_server.generation.rewrites.purity import suspends
from codeens_server.generation.rewrites.stability import is_stable
from codeens_server.generation.rewrites.tree import assigned_name

Loop: TypeAlias = cst.For | cst.While
Comprehension: TypeAlias = cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp
Statement: TypeAlias = cst.SimpleStatementLine | cst.BaseCompoundStatement


def statement_of(subject: FunctionTree, node: cst.CSTNode) -> Statement | None:
    """Return the statement around a node that is a line of a block of its own (an `elif` belongs to its `if`)."""
    for one in (node, *subject.above(node)):
        if isinstance(one, cst.SimpleStatementLine | cst.BaseCompoundStatement) and isinstance(
            subject.parent(one), cst.IndentedBlock
        ):
            return one
    return None


def siblings(subject: FunctionTree, statement: cst.CSTNode) -> Sequence[cst.BaseStatement]:
    """Return the statements of the block that the statement is in."""
    block = subject.parent(statement)
    return block.body if isinstance(block, cst.IndentedBlock) else ()


def before(subject: FunctionTree, statement: cst.CSTNode) -> Sequence[cst.BaseStatement]:
    """Return the statements above it in its block."""
    block = siblings(subject, statement)
    return block[: _index(block, statement)]


def after(subject: FunctionTree, statement: cst.CSTNode) -> Sequence[cst.BaseStatement]:
    """Return the statements below it in its block."""
    block = siblings(subject, statement)
    return block[_index(block, statement) + 1 :]


def _index(block: Sequence[cst.BaseStatement], statement: cst.CSTNode) -> int:
    return next((number for number, one in enumerate(block) if one is statement), 0)


def loops_repeating(subject: FunctionTree, node: cst.CSTNode) -> Iterator[Loop]:
    """Yield the loops that run the node once in each turn, inner ones first."""
    inner: cst.CSTNode = node
    for parent in subject.above(node):
        if isinstance(parent, SCOPES):
            return
        if isinstance(parent, cst.For) and inner is parent.body:
            yield parent
        if isinstance(parent, cst.While) and inner in (parent.body, parent.test):
            yield parent
        inner = parent


def comprehensions_repeating(subject: FunctionTree, node: cst.CSTNode) -> Iterator[Comprehension]:
    """Yield the comprehensions that evaluate the node for each element, inner ones first."""
    for parent in subject.above(node):
        if isinstance(parent, cst.BaseStatement | cst.Lambda):
            return
        is_comprehension = isinstance(parent, cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp)
        if is_comprehension and not subject.is_inside(node, parent.for_in.iter):
            yield parent


def is_repeated(subject: FunctionTree, node: cst.CSTNode) -> bool:
    """Return whether a loop or a comprehension of the function evaluates the node many times."""
    return any(True for _ in loops_repeating(subject, node)) or any(
        True for _ in comprehensions_repeating(subject, node)
    )


def place_for(subject: FunctionTree, node: cst.CSTNode, names: Iterable[str]) -> Statement | None:
    """Return the statement before which a value of these names can be computed once, for a node that is repeated."""
    wanted = sorted(set(names))
    place = _in_comprehension(subject, node, wanted)
    for loop in loops_repeating(subject, node):
        if suspends(subject, loop) or not all(is_stable(subject, name, loop) for name in wanted):
            break
        if _crosses_handler(subject, node, loop):
            break
        place = statement_of(subject, loop)
    if place is None or not all(is_surely_bound(subject, name, place) for name in wanted):
        return None
    return place


def computed_above(subject: FunctionTree, place: Statement, text: str, names: Iterable[str]) -> str | None:
    """Return the variable that a line above the place, in its block, gives the value of just this text.

    None if there is no such line, or if one of the names that the value is made of changes in between.
    """
    wanted = set(names)
    for one in reversed(before(subject, place)):
        made = assigned_name(one)
        if made and subject.code(made[1]) == text and subject.is_local(made[0]):
            since = [*after(subject, one)[: len(before(subject, place)) - len(before(subject, one)) - 1], place]
            return made[0] if all(is_stable(subject, made[0], other) for other in since) else None
        if not all(is_stable(subject, name, one) for name in wanted):
            return None
    return None


def _in_comprehension(subject: FunctionTree, node: cst.CSTNode, names: list[str]) -> Statement | None:
    if not any(True for _ in comprehensions_repeating(subject, node)):
        return None
    around = _expression_around(subject, node)
    if suspends(subject, around) or not all(is_stable(subject, name, around) for name in names):
        return None
    tests = [one.test for one in subject.above(node) if isinstance(one, cst.While)]
    return None if any(subject.is_inside(node, test) for test in tests) else statement_of(subject, node)


def _expression_around(subject: FunctionTree, node: cst.CSTNode) -> cst.CSTNode:
    """Return the whole expression of a statement that the node is in."""
    found = node
    for parent in subject.above(node):
        if isinstance(parent, cst.BaseStatement | cst.BaseSmallStatement | cst.BaseSuite):
            break
        found = parent
    return found


def _crosses_handler(subject: FunctionTree, node: cst.CSTNode, loop: Loop) -> bool:
    """Return whether an exception of the node would be caught inside the loop."""
    for parent in subject.above(node):
        if parent is loop:
            return False
        if isinstance(parent, cst.Try | cst.TryStar):
            return True
    return False


def is_surely_bound(subject: FunctionTree, name: str, statement: Statement) -> bool:
    """Return whether the name has a value whenever the statement is reached."""
    if name not in subject.local_names or name in subject.parameters:
        return True
    inner: cst.CSTNode = statement
    for parent in subject.above(statement):
        if isinstance(parent, cst.IndentedBlock) and any(_surely_binds(one, name) for one in before(subject, inner)):
            return True
        if isinstance(parent, cst.For) and inner is parent.body and name in _targets(parent):
            return True
        if isinstance(parent, cst.With) and any(_names_item(item, name) for item in parent.items):
            return True
        inner = parent
    return False


def _targets(loop: cst.For) -> set[str]:
    return {found.value for found in target_names(loop.target)}


def _names_item(item: cst.WithItem, name: str) -> bool:
    return item.asname is not None and any(found.value == name for found in target_names(item.asname.name))


def _surely_binds(statement: cst.BaseStatement, name: str) -> bool:
    match statement:
        case cst.SimpleStatementLine(body=body):
            return any(_assigns(small, name) for small in body)
        case cst.FunctionDef(name=defined) | cst.ClassDef(name=defined):
            return defined.value == name
        case cst.With(body=cst.IndentedBlock(body=body)):
            return any(_surely_binds(one, name) for one in body)
        case cst.If(body=cst.IndentedBlock(body=body), orelse=cst.Else(body=cst.IndentedBlock(body=other))):
            return all(any(_surely_binds(one, name) for one in branch) or leaves(branch) for branch in (body, other))
        case _:
            return False


def _assigns(statement: cst.BaseSmallStatement, name: str) -> bool:
    match statement:
        case cst.Assign(targets=targets):
            return any(found.value == name for target in targets for found in target_names(target.target))
        case cst.AnnAssign(target=cst.Name(value=target), value=value):
            return target == name and value is not None
        case cst.Import(names=aliases) | cst.ImportFrom(names=[*aliases]):
            return any((alias.evaluated_alias or alias.evaluated_name.split(".")[0]) == name for alias in aliases)
        case _:
            return False


def leaves(body: Sequence[cst.BaseStatement | cst.BaseSmallStatement]) -> bool:
    """Return whether the last statement of a block goes away from it."""
    match body[-1] if body else None:
        case cst.SimpleStatementLine(body=[*_, last]):
            return isinstance(last, cst.Return | cst.Raise | cst.Continue | cst.Break)
        case cst.Return() | cst.Raise() | cst.Continue() | cst.Break():
            return True
        case _:
            return False


def is_guarded(subject: FunctionTree, node: cst.CSTNode, name: str, tests: Iterable[str]) -> bool:
    """Return whether an earlier `if <test>: <leave>` rules out one of the tests, the name being the same since."""
    wanted = set(tests)
    statement = statement_of(subject, node)
    if statement is None:
        return False
    inner: cst.CSTNode = statement
    for parent in (subject.parent(statement), *subject.above(statement)):
        if isinstance(parent, cst.IndentedBlock):
            for one in reversed(before(subject, inner)):
                if _rules_out(subject, one, wanted):
                    return True
                if name in subject.bound(one):
                    return False
        if isinstance(parent, SCOPES) or (isinstance(parent, cst.For | cst.While) and name in subject.bound(parent)):
            return False
        if parent is not None:
            inner = parent
    return False


def _rules_out(subject: FunctionTree, statement: cst.BaseStatement, tests: set[str]) -> bool:
    match statement:
        case cst.If(test=test, body=body) if leaves(body.body):
            return any(subject.code(part) in tests for part in _alternatives(test))
        case _:
            return False


def _alternatives(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.Or):
        yield from _alternatives(test.left)
        yield from _alternatives(test.right)
    else:
        yield test


def is_nonempty(subject: FunctionTree, collection: cst.BaseExpression) -> bool:
    """Return whether an earlier guard left the function when the collection, a variable, was empty."""
    if not isinstance(collection, cst.Name):
        return False
    name = collection.value
    tests = (f"not {name}", f"len({name}) == 0", f"len({name}) < 1", f"{name} == []", f"not len({name})")
    return is_guarded(subject, collection, name, tests)

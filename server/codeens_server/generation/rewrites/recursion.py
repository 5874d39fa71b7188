"""How a function calls itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from codeens_server.generation.rewrites.function_tree import SCOPES, FunctionTree
from codeens_server.generation.rewrites.placing import leaves


def own_calls(subject: FunctionTree) -> list[cst.Call]:
    """Return the function's calls of itself: `f(...)`, `self.f(...)`, `Class.f(...)` of a static method."""
    return [call for call in subject.own(cst.Call) if is_own_call(subject, call)]


def is_own_call(subject: FunctionTree, call: cst.Call) -> bool:
    """Return whether this is a call of the function itself."""
    name = subject.function.name.value
    match call.func:
        case cst.Name(value=called):
            return called == name and not is_method(subject) and name not in subject.bound(subject.function.body)
        case cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=called)):
            if is_method(subject):
                return called == name and owner == "self" and "self" not in subject.bound(subject.function.body)
            return called == name and owner in subject.facts.names and owner[:1].isupper()
        case _:
            return False


def is_method(subject: FunctionTree) -> bool:
    """Return whether the first parameter is `self`."""
    return next(iter(subject.parameters), "") == "self"


def most_on_a_path(subject: FunctionTree) -> int:
    """Return how many calls of itself the function surely makes on some way through it; a loop counts twice."""
    calls = set(own_calls(subject))
    block = subject.function.body
    return _Paths(subject, calls).most(block.body)


class _Paths:
    def __init__(self, subject: FunctionTree, calls: set[cst.Call]) -> None:
        self._subject = subject
        self._calls = calls

    def most(self, statements: Sequence[cst.BaseStatement | cst.BaseSmallStatement]) -> int:
        """Return the most calls on a way through the statements, to their end or out of the function."""
        so_far, ended = 0, [0]
        for statement in statements:
            if isinstance(statement, cst.If):
                so_far += self.within(statement.test)
                branches = [(self.most(body), leaves(body)) for body in _branches(statement)]
                ended += [so_far + count for count, is_end in branches if is_end]
                so_far += max((count for count, is_end in branches if not is_end), default=0)
                if all(is_end for _, is_end in branches):
                    break
            elif isinstance(statement, cst.For | cst.While):
                header = statement.iter if isinstance(statement, cst.For) else statement.test
                so_far += self.within(header) + 2 * self.most(statement.body.body)
            else:
                so_far += self.within(statement)
        return max(so_far, *ended)

    def within(self, node: cst.CSTNode) -> int:
        """Return the most calls in evaluating an expression; what may be skipped counts nothing beside what is not."""
        if isinstance(node, SCOPES):
            return 0
        if isinstance(node, cst.IfExp):
            return self.within(node.test) + max(self.within(node.body), self.within(node.orelse))
        if isinstance(node, cst.BooleanOperation):
            return max(self.within(node.left), self.within(node.right))
        below = sum(self.within(child) for child in self._subject.children(node))
        repeats = 2 if isinstance(node, cst.BaseComp) else 1
        return below * repeats + (node in self._calls)


def _branches(statement: cst.If) -> Iterator[Sequence[cst.BaseStatement | cst.BaseSmallStatement]]:
    yield statement.body.body
    match statement.orelse:
        case cst.If() as other:
            yield [other]
        case cst.Else(body=body):
            yield body.body
        case _:
            yield ()

"""One call of startswith for many prefixes."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from codeens_server.generation.rewrites import tree
from codeens_server.generation.rewrites.edits import Edits
from codeens_server.generation.rewrites.kinds import kind_of
from codeens_server.generation.rewrites.purity import is_pure
from codeens_server.generation.rewrites.rule import Codemod
from codeens_server.generation.rewrites.subject import Subject


class StartswithTuple(Codemod):
    """See `rationale`."""

    name = "string-startswith-tuple"
    rationale = "Tests all prefixes (or suffixes) in one call, which takes a tuple of them."

    def plan(self, subject: Subject, edits: Edits) -> None:
        for operation in subject.own(cst.BooleanOperation):
            if text := _merged(subject, operation):
                edits.expression(operation, text)
                return


def _merged(subject: Subject, operation: cst.BooleanOperation) -> str | None:
    """`s.startswith(a) or s.startswith(b)`, and `not s.startswith(a) and not s.startswith(b)`."""
    denied = isinstance(operation.operator, cst.And)
    operands = list(_operands(operation, type(operation.operator)))
    texts: list[str] = []
    pending: list[str] = []
    owner = ""
    for operand in operands:
        test = _test(subject, operand, denied=denied)
        if test is None or (owner and test[0] != owner):
            texts += _written(owner, pending, denied=denied)
            owner, pending = "", []
        if test is None:
            texts.append(subject.code(operand))
        else:
            owner = test[0]
            pending.append(test[1])
    texts += _written(owner, pending, denied=denied)
    if len(texts) == len(operands):
        return None
    joined = (" and " if denied else " or ").join(texts)
    return f"({joined})" if operation.lpar else joined


def _operands(node: cst.BaseExpression, operator: type[cst.BaseBooleanOp]) -> Iterator[cst.BaseExpression]:
    if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, operator):
        yield from _operands(node.left, operator)
        yield from _operands(node.right, operator)
    else:
        yield node


def _test(subject: Subject, node: cst.BaseExpression, *, denied: bool) -> tuple[str, str] | None:
    """`("s.startswith", "'a'")` of a test with one prefix that is surely a string."""
    if denied:
        if not isinstance(node, cst.UnaryOperation) or not isinstance(node.operator, cst.Not):
            return None
        node = node.expression
    call = tree.method_call(node)
    if call is None or call.method not in ("startswith", "endswith") or len(call.args) != 1:
        return None
    if not is_pure(subject, call.receiver) or kind_of(subject, call.args[0]) not in ("str", "bytes"):
        return None
    return f"{subject.code(call.receiver)}.{call.method}", subject.code(call.args[0])


def _written(owner: str, prefixes: list[str], *, denied: bool) -> list[str]:
    if not prefixes:
        return []
    argument = prefixes[0] if len(prefixes) == 1 else f"({', '.join(prefixes)})"
    return [f"{'not ' if denied else ''}{owner}({argument})"]

"""Which branch of a module is likely taken, told from its conditions alone."""

from __future__ import annotations

import ast
import operator
import os
import platform
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import PathFinder
from typing import Any

from codeens_server.workspace.functions import FunctionSite

_FACTS: dict[str, object] = {
    "sys.platform": sys.platform,
    "os.name": os.name,
    "sys.implementation.name": sys.implementation.name,
    "platform.system()": platform.system(),
    "platform.python_implementation()": platform.python_implementation(),
    "sys.version_info": tuple(sys.version_info),
    "sys.version_info[0]": sys.version_info[0],
    "sys.version_info[:2]": tuple(sys.version_info[:2]),
    "sys.version_info.major": sys.version_info.major,
    "TYPE_CHECKING": False,
    "typing.TYPE_CHECKING": False,
    "True": True,
    "False": False,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def likely_taken(tree: ast.Module, alternatives: Sequence[FunctionSite]) -> list[FunctionSite]:
    """Return those of some alternative definitions that no condition is known to rule out.

    Conditions are read for the Python that codeens runs on, the imports of a `try` for what that one can import.
    """
    statements = {node.lineno: node for node in ast.walk(tree) if isinstance(node, (ast.If, ast.Try))}
    return [
        site
        for site in alternatives
        if not any(
            _ruled_out(statements[branch.statement], branch.part)
            for branch in site.branches
            if branch.statement in statements
        )
    ] or list(alternatives)


def _ruled_out(statement: ast.If | ast.Try, part: str) -> bool:
    if isinstance(statement, ast.If):
        holds = _holds(statement.test)
        return holds is not None and holds != (part == "body")
    imported = _all_importable(statement.body)
    return imported is not None and imported != (part == "no error")


def _holds(test: ast.expr) -> bool | None:
    """Return what a condition comes to; None where that is not known."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        holds = _holds(test.operand)
        return None if holds is None else not holds
    if isinstance(test, ast.BoolOp):
        parts = [_holds(part) for part in test.values]
        decisive = isinstance(test.op, ast.Or)
        if decisive in parts:
            return decisive
        return None if None in parts else not decisive
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compared(ast.unparse(test.left), test.ops[0], test.comparators[0])
    fact = _FACTS.get(ast.unparse(test))
    return fact if isinstance(fact, bool) else None


def _compared(left: str, comparison: ast.cmpop, right: ast.expr) -> bool | None:
    compare = _COMPARISONS.get(type(comparison))
    if left not in _FACTS or compare is None:
        return None
    try:
        return compare(_FACTS[left], ast.literal_eval(right))
    except (ValueError, TypeError):
        return None


def _all_importable(body: list[ast.stmt]) -> bool | None:
    """Return whether a `try` that only imports gets to its end; None where that is not known."""
    names: list[str] = []
    for statement in body:
        if isinstance(statement, ast.Import):
            names += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            names.append(statement.module)
    top = {name.partition(".")[0] for name in names}
    if not top:
        return None
    found = all(name in sys.builtin_module_names or PathFinder.find_spec(name) is not None for name in top)
    imports_only = all(isinstance(statement, (ast.Import, ast.ImportFrom)) for statement in body)
    if not found:
        return False
    return True if imports_only else None

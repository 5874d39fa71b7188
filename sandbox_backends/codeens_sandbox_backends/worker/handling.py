"""What exceptions generators and context managers wait for.

Where a `try` of a generator holds nothing but a `yield`, and names that are set, its handlers are for no others. Those
of a context manager are also for what is raised in the body of its `with`, whatever else they are for.
"""

from __future__ import annotations

import ast
import builtins
from typing import Any, Dict, Iterator, List

from .loader import Program

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_PLAIN = (ast.Name, ast.Constant, ast.Tuple, ast.expr_context)
_SETTING = (*_PLAIN, ast.Assign, ast.AugAssign, ast.BinOp, ast.operator, ast.Pass, ast.Continue, ast.Break)


class ExceptionHandlers:
    """Those of the module under test."""

    def __init__(self, program: Program) -> None:
        self._source = next(
            (module["source"] for module in program["modules"] if module["name"] == program["module"]), ""
        )
        self._known: Any = None

    def by_name(self) -> Dict[str, List[ast.expr]]:
        """Return what they name, by the name of the function."""
        if self._known is None:
            found: Dict[str, List[ast.expr]] = {}
            for node in ast.walk(ast.parse(self._source)) if "yield" in self._source else ():
                if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.AsyncFunctionDef) and _is_manager(node)):
                    found.setdefault(node.name, []).extend(_named(node))
            self._known = {name: named for name, named in found.items() if named}
        return self._known

    def of(self, generator: Any) -> List[Any]:
        """Return classes of exceptions that a generator, also of a context manager, handles so, without repetition."""
        inner = getattr(generator, "gen", generator)
        frame, code = (inner.ag_frame, inner.ag_code) if hasattr(inner, "ag_frame") else (inner.gi_frame, inner.gi_code)
        names = {**vars(builtins), **frame.f_globals}
        found = [_resolved(named, names) for named in self.by_name().get(code.co_name, ())]
        usual = (StopIteration, StopAsyncIteration)
        kinds = [kind for kind in found if type(kind) is type and issubclass(kind, Exception)]
        return list(dict.fromkeys(kind for kind in kinds if not issubclass(kind, usual)))


def _is_manager(function: Any) -> bool:
    return any("contextmanager" in ast.dump(decorator) for decorator in function.decorator_list)


def _named(function: Any) -> Iterator[ast.expr]:
    waits = _yields if _is_manager(function) else _only_yields
    todo: List[ast.AST] = [*function.body]
    while todo:
        node = todo.pop()
        if isinstance(node, _FUNCTIONS):
            continue
        todo += ast.iter_child_nodes(node)
        if isinstance(node, ast.Try) and waits(node.body):
            for handler in node.handlers:
                kinds = handler.type or ast.Name(id="Exception", ctx=ast.Load())
                yield from kinds.elts if isinstance(kinds, ast.Tuple) else (kinds,)


def _yields(body: List[ast.stmt]) -> bool:
    return any(isinstance(node, ast.Yield) for statement in body for node in ast.walk(statement))


def _only_yields(body: List[ast.stmt]) -> bool:
    others = [node for node in body if not all(isinstance(part, _SETTING) for part in ast.walk(node))]
    value = others[0].value if len(others) == 1 and isinstance(others[0], (ast.Expr, ast.Assign)) else None
    return isinstance(value, ast.Yield) and all(isinstance(node, (ast.Yield, *_PLAIN)) for node in ast.walk(value))


def _resolved(named: ast.expr, names: Dict[str, Any]) -> Any:
    if isinstance(named, ast.Attribute):
        return getattr(_resolved(named.value, names), named.attr, None)
    return names.get(named.id) if isinstance(named, ast.Name) else None

"""What exceptions generators wait for: where a `try` holds nothing but a `yield`, its handlers are for no others."""

from __future__ import annotations

import ast
import builtins
from typing import Any, Dict, Iterator, List

from .loader import Program

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_PLAIN = (ast.Name, ast.Constant, ast.Tuple, ast.expr_context)


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
                if isinstance(node, ast.FunctionDef):
                    found.setdefault(node.name, []).extend(_named(node))
            self._known = {name: named for name, named in found.items() if named}
        return self._known

    def of(self, generator: Any) -> List[Any]:
        """Return classes of exceptions that a generator handles so, without repetition."""
        names = {**vars(builtins), **generator.gi_frame.f_globals}
        found = [_resolved(named, names) for named in self.by_name().get(generator.gi_code.co_name, ())]
        usual = (StopIteration, StopAsyncIteration)
        kinds = [kind for kind in found if type(kind) is type and issubclass(kind, Exception)]
        return list(dict.fromkeys(kind for kind in kinds if not issubclass(kind, usual)))


def _named(function: ast.FunctionDef) -> Iterator[ast.expr]:
    todo: List[ast.AST] = [*function.body]
    while todo:
        node = todo.pop()
        if isinstance(node, _FUNCTIONS):
            continue
        todo += ast.iter_child_nodes(node)
        if isinstance(node, ast.Try) and len(node.body) == 1 and _only_yields(node.body[0]):
            for handler in node.handlers:
                kinds = handler.type or ast.Name(id="Exception", ctx=ast.Load())
                yield from kinds.elts if isinstance(kinds, ast.Tuple) else (kinds,)


def _only_yields(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, (ast.Expr, ast.Assign)) else None
    return isinstance(value, ast.Yield) and all(isinstance(node, (ast.Yield, *_PLAIN)) for node in ast.walk(value))


def _resolved(named: ast.expr, names: Dict[str, Any]) -> Any:
    if isinstance(named, ast.Attribute):
        return getattr(_resolved(named.value, names), named.attr, None)
    return names.get(named.id) if isinstance(named, ast.Name) else None

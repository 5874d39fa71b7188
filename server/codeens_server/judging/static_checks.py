"""What can be said of a replacement without running it: whether it can stand where the original stands."""

from __future__ import annotations

import ast
import warnings

from codeens_server.domain import Replacement, Target
from codeens_server.judging.signatures import incompatibility
from codeens_server.judging.tampering import tampering
from codeens_server.workspace.functions import FunctionNode, decorator_names, is_generator

_BINDING_DECORATORS = frozenset({"staticmethod", "classmethod", "property", "cached_property", "contextmanager"})


def refusal(target: Target, replacement: Replacement) -> str | None:
    """Why a replacement is not even run, in one clause; None when it may be."""
    parts = [_parsed(part) for part in (replacement.function, *replacement.imports, *replacement.helpers)]
    broken = next((part for part in parts if isinstance(part, str)), None)
    if broken is not None:
        return broken
    modules = [part for part in parts if isinstance(part, ast.Module)]
    original = _parsed(target.source)
    if isinstance(original, str):
        return f"the original can not be read again: {original}"
    return _misfit(target, _only_function(original), modules[0]) or _quarantine(original, modules)


def _parsed(source: str) -> ast.Module | str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except SyntaxError as error:
        return f"syntax error: {error.msg} (line {error.lineno or 1})"
    except (RecursionError, MemoryError, ValueError) as error:
        return f"it can not be parsed: {error}"


def _only_function(module: ast.Module) -> FunctionNode | None:
    body = module.body
    single = len(body) == 1 and isinstance(body[0], (ast.FunctionDef, ast.AsyncFunctionDef))
    return body[0] if single and isinstance(body[0], (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def _misfit(target: Target, original: FunctionNode | None, module: ast.Module) -> str | None:
    name = target.qualname.rpartition(".")[2]
    function = _only_function(module)
    if function is None or original is None:
        return f"it is not one definition of {name}"
    if function.name != name:
        return f"it defines {function.name}, not {name}"
    if target.is_async != isinstance(function, ast.AsyncFunctionDef):
        return "it is not async, the original is" if target.is_async else "it is async, the original is not"
    if not target.body_missing and target.is_generator != is_generator(function):
        return (
            "it is no generator, the original is" if target.is_generator else "it is a generator, the original is not"
        )
    if _binding(function) != _binding(original):
        return f"its decorators make it something else: {', '.join(decorator_names(function)) or 'none'}"
    return incompatibility(original, function)


def _binding(function: FunctionNode) -> set[str]:
    return {name.split(".")[-1] for name in decorator_names(function)} & _BINDING_DECORATORS


def _quarantine(original: ast.Module, modules: list[ast.Module]) -> str | None:
    everything = ast.Module(body=[statement for module in modules for statement in module.body], type_ignores=[])
    known = tampering(original)
    for name, phrase in tampering(everything).items():
        if name not in known:
            return f"quarantined: it {phrase}, and the original does not"
    return None

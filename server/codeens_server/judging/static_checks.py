"""What can be said of a replacement without running it: whether it can stand where the original stands."""

from __future__ import annotations

import ast

from codeens_server.domain import Replacement, Target
from codeens_server.judging.signatures import incompatibility
from codeens_server.judging.tampering import tampering
from codeens_server.parsing import ParseFailure, parse
from codeens_server.workspace.functions import FunctionNode, decorator_names, is_generator

_BINDING = frozenset({"staticmethod", "classmethod", "property", "cached_property", "contextmanager", "overload"})
_CACHES = frozenset({"cache", "lru_cache"})


def refusal(target: Target, replacement: Replacement) -> str | None:
    """Why a replacement is not even run, in one clause; None when it may be."""
    parts = [parse(part) for part in (replacement.function, *replacement.imports, *replacement.helpers)]
    broken = next((part for part in parts if isinstance(part, ParseFailure)), None)
    if broken is not None:
        return str(broken)
    modules = [part for part in parts if isinstance(part, ast.Module)]
    original = parse(target.source)
    if isinstance(original, ParseFailure):
        return f"the original cannot be read again: {original}"
    return _misfit(target, _only_function(original), modules[0]) or _quarantine(original, modules)


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
    return _decorator_change(original, function) or incompatibility(original, function)


def _decorator_change(original: FunctionNode, function: FunctionNode) -> str | None:
    """Decorators may be added and caches exchanged; what binds or registers the function must stay."""
    before, after = decorator_names(original), decorator_names(function)
    lost = [name for name in before if name not in after and name.split(".")[-1] not in _CACHES]
    if lost:
        return f"it drops the decorator @{lost[0]}"
    added = [name for name in after if name not in before and name.split(".")[-1] in _BINDING]
    return f"its decorator @{added[0]} makes it something else" if added else None


def _quarantine(original: ast.Module, modules: list[ast.Module]) -> str | None:
    everything = ast.Module(body=[statement for module in modules for statement in module.body], type_ignores=[])
    known = tampering(original)
    for name, phrase in tampering(everything).items():
        if name not in known:
            return f"quarantined: it {phrase}, and the original does not"
    return None

"""What can be said of a replacement without running it: whether it can stand where the original stands."""

from __future__ import annotations

import ast
from typing import NamedTuple

from codeens_server.domain.target import Replacement, Target
from codeens_server.judging.imported import compared_imports
from codeens_server.judging.surroundings import surroundings, touched
from codeens_server.judging.tampering import changed_by_methods, set_by_functions, tampering
from codeens_server.syntax.parsing import ParseFailure, parse
from codeens_server.workspace.functions import FunctionNode, decorator_names, is_generator
from codeens_server.workspace.text import snapshot

_BINDING = frozenset({"staticmethod", "classmethod", "property", "cached_property", "contextmanager", "overload"})
_CACHES = frozenset({"cache", "lru_cache"})


def refusal(target: Target, replacement: Replacement) -> str | None:
    """Return why a replacement is not even run, in one clause; None when it may be.

    Raises:
        ChangedError: the target's file is not at hand any more as it was.
    """
    parts = [parse(part) for part in (replacement.function, *replacement.imports, *replacement.helpers)]
    broken = next((part for part in parts if isinstance(part, ParseFailure)), None)
    if broken is not None:
        return str(broken)
    modules = [part for part in parts if isinstance(part, ast.Module)]
    original = parse(target.source)
    if isinstance(original, ParseFailure):
        return f"the original cannot be read again: {original}"
    return _misfit(target, _only_function(original), modules[0]) or _quarantine(target, original, modules)


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
    """Return why decorators differ too much: caches may be exchanged, what binds or registers must stay."""
    before, after = decorator_names(original), decorator_names(function)
    lost = [name for name in before if name not in after and name.split(".")[-1] not in _CACHES]
    if lost:
        return f"it drops the decorator @{lost[0]}"
    added = [name for name in after if name not in before and name.split(".")[-1] in _BINDING]
    return f"its decorator @{added[0]} makes it something else" if added else None


def _quarantine(target: Target, original: ast.Module, modules: list[ast.Module]) -> str | None:
    everything = ast.Module(body=[statement for module in modules for statement in module.body], type_ignores=[])
    text = parse(snapshot(target).text)
    file = text if isinstance(text, ast.Module) else ast.Module(body=[], type_ignores=[])
    compared = compared_imports(file, target)
    known = {*tampering(original, file, compared), *changed_by_methods(original), *set_by_functions(original, file)}
    for name, phrase in tampering(everything, file, compared).items():
        if name not in known:
            return f"quarantined: it {phrase}, and the original does not"
    for name in _tests_imported(everything):
        return f"quarantined: it imports {name}, which holds tests"
    return None if target.body_missing else _looks_around(original, everything)


def _tests_imported(module: ast.Module) -> list[str]:
    """Return names of modules of tests, as pytest calls them, among those that are imported."""
    names: list[str] = []
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names if _is_of_tests(alias.name)]
        elif isinstance(node, ast.ImportFrom):
            names += [node.module] if node.module and _is_of_tests(node.module) else []
            names += [alias.name for alias in node.names if alias.name.startswith("test_") or alias.name == "conftest"]
    return names


def _is_of_tests(module: str) -> bool:
    parts = module.split(".")
    return any(part == "conftest" or part.startswith("test_") or part.endswith("_test") for part in parts)


def _looks_around(original: ast.Module, replacement: ast.Module) -> str | None:
    known = {*surroundings(original), *touched(original)}
    for kind, name in surroundings(replacement).items():
        if kind not in known:
            return f"quarantined: it looks at {kind} ({name}), and the original does not"
    return None


class _Positional(NamedTuple):
    name: str
    by_keyword: bool
    has_default: bool


def incompatibility(original: FunctionNode, replacement: FunctionNode) -> str | None:
    """Return the first way in which callers of `original` cannot call `replacement`; None when there is none."""
    old, new = original.args, replacement.args
    if old.vararg and not new.vararg:
        return f"it takes no *{old.vararg.arg}"
    if old.kwarg and not new.kwarg:
        return f"it takes no **{old.kwarg.arg}"
    return _positional_mismatch(old, new) or _keyword_mismatch(old, new) or _demand(old, new)


def _positional(arguments: ast.arguments) -> list[_Positional]:
    everything = [*arguments.posonlyargs, *arguments.args]
    first_default = len(everything) - len(arguments.defaults)
    return [
        _Positional(item.arg, index >= len(arguments.posonlyargs), index >= first_default)
        for index, item in enumerate(everything)
    ]


def _keywords(arguments: ast.arguments) -> dict[str, bool]:
    """Return names that can be given by keyword, and whether they may be left out."""
    named = {item.name: item.has_default for item in _positional(arguments) if item.by_keyword}
    only = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return named | {item.arg: default is not None for item, default in only}


def _positional_mismatch(old: ast.arguments, new: ast.arguments) -> str | None:
    ours, theirs = _positional(old), _positional(new)
    for index, item in enumerate(ours):
        if index >= len(theirs):
            return None if new.vararg and not item.by_keyword else f"it does not take {item.name} by position"
        other = theirs[index]
        if item.by_keyword and other.name != item.name:
            return f"its parameter {index + 1} is {other.name}, not {item.name}"
        if item.has_default and not other.has_default:
            return f"it has no default for {item.name}"
    if old.vararg and len(theirs) > len(ours):
        return f"its parameter {theirs[len(ours)].name} takes what was meant for *{old.vararg.arg}"
    return None


def _keyword_mismatch(old: ast.arguments, new: ast.arguments) -> str | None:
    ours, theirs = _keywords(old), _keywords(new)
    for name, has_default in ours.items():
        if name not in theirs:
            if new.kwarg:
                continue
            return f"it does not take {name} by keyword"
        if has_default and not theirs[name]:
            return f"it has no default for {name}"
    added = next((name for name in theirs if name not in ours), None)
    if old.kwarg and added:
        return f"its parameter {added} takes what was meant for **{old.kwarg.arg}"
    return None


def _demand(old: ast.arguments, new: ast.arguments) -> str | None:
    """Return a parameter that callers do not know and that cannot be left out."""
    known = len(_positional(old))
    demanded = [item.name for item in _positional(new)[known:] if not item.has_default]
    known_names = set(_keywords(old))
    demanded += [
        item.arg
        for item, default in zip(new.kwonlyargs, new.kw_defaults, strict=True)
        if default is None and item.arg not in known_names
    ]
    return f"it demands {demanded[0]}, which no caller gives" if demanded else None

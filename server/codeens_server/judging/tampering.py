"""Names with which code reaches around its own job: out of its process, into its caller, or into shared modules.

The sandbox and the judge hold without this. It keeps such code from being offered, with a reason that can be checked.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping

_MODULES = frozenset(
    {
        *("inspect", "gc", "ctypes", "atexit", "builtins", "_thread", "_pytest", "pytest", "unittest"),
        *("linecache", "tracemalloc", "_tracemalloc"),
    }
)
_FUNCTIONS = frozenset(
    {
        "os._exit",
        "os.abort",
        "os.kill",
        "os.killpg",
        "os.fork",
        "os.execv",
        "sys._getframe",
        "sys._current_frames",
        "sys.modules",
        "sys.settrace",
        "sys.setprofile",
        "sys.addaudithook",
        "sys.monitoring",
        "signal.signal",
        "signal.setitimer",
        "signal.alarm",
        "threading.Timer",
        "threading.settrace",
        "threading.setprofile",
        "sys.meta_path",
        "sys.path_hooks",
        "importlib.import_module",
        "logging.currentframe",
        "pkgutil.resolve_name",
        *("runpy.run_module", "runpy.run_path"),
        *("traceback.extract_stack", "traceback.format_stack", "traceback.print_stack", "traceback.walk_stack"),
    }
)
_ATTRIBUTES = frozenset(
    {"f_back", "f_locals", "f_globals", "tb_frame", "gi_frame", "cr_frame", "__subclasses__", "__globals__", "__code__"}
)
_CHANGING = frozenset(
    {
        *("add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "reverse", "setdefault"),
        *("appendleft", "popleft", "rotate", "sort", "update"),
    }
)
_NAMES = frozenset({"__builtins__", "__import__", "compile", "eval", "exec", "globals"})
_IMPORTS = (ast.Import, ast.ImportFrom)
_OPTIONS = "pandas.options"
"""Attributes below are settings that are compared, whether a function sets them or not."""
_SETTERS: Mapping[str, tuple[str, ...]] = {
    "contextlib.redirect_stdout": ("sys",),
    "contextlib.redirect_stderr": ("sys",),
}
"""Functions, with what they set attributes of."""
_TOLD_BY_PYTEST = "PYTEST_CURRENT_TEST"
_BY_NAME = frozenset({"getattr", "setattr", "delattr", "vars"})
"""What reaches an attribute that is not written as one."""
_PATH = re.compile(r"\.(\w+)")
_OWNERS = frozenset(name.partition(".")[0] for name in _FUNCTIONS)


def tampering(module: ast.Module, file: ast.Module, compared: Collection[str] = ()) -> dict[str, str]:
    """Return what a module uses of the above, each with a phrase that says it.

    Args:
        module: what is looked at.
        file: where it is to stand. What calls change of its classes, and of its instances of these, is compared.
        compared: names that it imports of which that holds too.
    """
    own = {name: "" for node in ast.walk(module) for name in _bound(node)}
    imported = {**_imported_at_top(file), **own, **dict(imported_names(module))}
    found = {name: f"uses {name}" for node in ast.walk(module) for name in _suspects(node, imported)}
    foreign = set(_patched(module, imported)) - compared_names(file).union(compared)
    return found | {f"{name}.": f"changes attributes of {name}, which is not its own" for name in sorted(foreign)}


def set_by_functions(module: ast.Module, file: ast.Module) -> set[str]:
    """Return what `tampering` calls changes that a module makes by functions which are there for them."""
    imported = {**_imported_at_top(file), **dict(imported_names(module))}
    called = {full_name(node.func, imported) for node in ast.walk(module) if isinstance(node, ast.Call)}
    return {f"{owner}." for name in called for owner in _SETTERS.get(name, ())}


def _imported_at_top(file: ast.Module) -> dict[str, str]:
    return dict(imported_names(ast.Module([node for node in file.body if isinstance(node, _IMPORTS)], [])))


def compared_names(file: ast.Module) -> set[str]:
    """Return the names of a file's classes, and those that it binds to what these make."""
    classes = {node.name for node in file.body if isinstance(node, ast.ClassDef)}
    made = (node for node in file.body if isinstance(node, (ast.Assign, ast.AnnAssign)))
    return classes | {
        name
        for node in made
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name) and node.value.func.id in classes
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        for name in _bound(target)
    }


def changed_by_methods(module: ast.Module) -> set[str]:
    """Return what `tampering` calls changes that a module makes by methods, as `sys.path.pop()` does."""
    calls = (node.func for node in ast.walk(module) if isinstance(node, ast.Call))
    owners = (func.value for func in calls if isinstance(func, ast.Attribute) and func.attr in _CHANGING)
    return {f"{root}." for owner in owners if isinstance(owner, ast.Attribute) and (root := _root(owner))}


def imported_names(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Return local names of imports with what they stand for."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


def _suspects(node: ast.AST, imported: dict[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.split(".")[0] in _MODULES)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        full = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name for name in full if name in _FUNCTIONS or name.split(".")[0] in _MODULES)
    elif isinstance(node, ast.Attribute):
        if node.attr in _ATTRIBUTES:
            yield node.attr
        elif isinstance(node.value, ast.Name):
            full_name = f"{imported.get(node.value.id, node.value.id)}.{node.attr}"
            if full_name in _FUNCTIONS:
                yield full_name
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _named_in(node.value)
    elif isinstance(node, ast.MatchClass):
        yield from _ATTRIBUTES.intersection(node.kwd_attrs)
    elif isinstance(node, ast.Name) and node.id in _NAMES and node.id not in imported:
        yield node.id
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _BY_NAME and node.args:
        yield from _by_name(node, imported)


def _named_in(text: str) -> Iterator[str]:
    """Return what a text reaches where it is a path of attributes, or is formatted: "{0.__globals__}"."""
    if _TOLD_BY_PYTEST in text:
        yield _TOLD_BY_PYTEST
    if any(name in text for name in _ATTRIBUTES):
        yield from _ATTRIBUTES.intersection({text, *_PATH.findall(text)})


def _by_name(call: ast.Call, imported: dict[str, str]) -> Iterator[str]:
    """Return what a call of `getattr` and the like reaches: an attribute by a text, or any of one of the modules."""
    name = call.args[1] if len(call.args) > 1 else None
    owner = call.args[0]
    if isinstance(name, ast.Constant) and isinstance(name.value, str):
        written = ast.Attribute(value=owner, attr=name.value, ctx=ast.Load())
        yield from _suspects(written, imported)
    elif isinstance(owner, ast.Name) and imported.get(owner.id) in _OWNERS:
        yield f"{ast.unparse(call.func)} of {imported[owner.id]}"


def _patched(module: ast.Module, imported: Mapping[str, str]) -> Iterator[str]:
    """Return names from outside whose attributes are set or deleted, also with `setattr` and `delattr`."""
    imports = [name for name, _ in imported_names(module)]
    own = {_root_name(name) for node in ast.walk(module) for name in _bound(node)} - {_root_name(n) for n in imports}
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)):
            owner: ast.expr = node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            if node.func.id not in {"setattr", "delattr"}:
                continue
            owner = node.args[0]
        else:
            continue
        root = _root(owner)
        if root is not None and root not in own and not full_name(owner, imported).startswith(_OPTIONS):
            yield root


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def full_name(node: ast.expr, imported: Mapping[str, str]) -> str:
    """Return the full name of an attribute of what was imported; empty where it is of something else."""
    if isinstance(node, ast.Attribute):
        owner = full_name(node.value, imported)
        return owner and f"{owner}.{node.attr}"
    return imported.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def _root(expression: ast.expr) -> str | None:
    """Return the name that a chain of attributes and items begins with."""
    while isinstance(expression, (ast.Attribute, ast.Subscript)):
        expression = expression.value
    return expression.id if isinstance(expression, ast.Name) else None


def _root_name(dotted: str) -> str:
    return dotted.split(".", maxsplit=1)[0]

"""Compares the function that a worker found under its name with the one that was sent."""

from __future__ import annotations

from codeens_sandbox_backends.driver.wire import LivePlace
from codeens_sandbox_backends.programs import NOT_LIVE, ModuleSource, Program, Raised


def not_live(program: Program, found: LivePlace) -> Raised | None:
    """Return why the function that would be judged is not the one that runs; None when it is."""
    definition = program.definition
    if definition is None:
        return None
    path = next((_path(module) for module in program.modules if module.name == program.module), "")
    if found.path != path or not definition.line <= found.line <= definition.end_line:
        return Raised(type=NOT_LIVE, message=_other(program.qualname, definition.line, path, found))
    if definition.holder is not None and found.holder != definition.holder:
        message = f"{_shown(found.holder)} stands under its name, and {_shown(definition.holder)} in the original"
        return Raised(type=NOT_LIVE, message=message)
    return None


def _path(module: ModuleSource) -> str:
    return module.path or f"/codeens/modules/{module.name.replace('.', '/')}.py"


def _other(name: str, line: int, path: str, found: LivePlace) -> str:
    said = f"the definition of {name} at line {line} is not the one that runs"
    if found.path == path:
        return f"{said}: Python {found.python} takes the one at line {found.line}"
    if found.path:
        return f"{said}: Python {found.python} takes the one at {found.path}:{found.line}"
    if found.what == "NoneType":
        return f"{said}: Python {found.python} has no function of that name once the module is loaded"
    return f"{said}: Python {found.python} takes {found.what}"


def _shown(holder: str) -> str:
    return f"a {holder.replace(':', '.')}" if holder else "a function"

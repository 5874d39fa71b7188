"""The function that a call is about: in a file of the workspace, or in code that came with the call."""

from __future__ import annotations

import re
from pathlib import Path

import anyio.to_thread
from msgspec import Struct
from msgspec.structs import replace

from codeens_mcp_tools.context import AppContext
from codeens_mcp_tools.errors import ToolError
from codeens_mcp_tools.tools.given_code import FILE, write_code
from codeens_server.config.settings import Settings
from codeens_server.domain import Target
from codeens_server.errors import TargetError
from codeens_server.workspace.environment import interpreter_for
from codeens_server.workspace.find import find_target, workspace_root
from codeens_server.workspace.functions import functions_in
from codeens_server.workspace.text import parse_source

_LONGEST_CODE = 1 << 20
_BY_LINE = re.compile(r"(?P<path>.+):(?P<line>\d+)$")


class Subject(Struct, frozen=True, kw_only=True):
    """A function, and by what settings it is dealt with."""

    target: Target
    settings: Settings
    root: Path
    """The workspace whose variants and settings are used."""
    is_file: bool
    """Whether it is in a file of the workspace, which can be changed."""


async def subject_of(
    app: AppContext,
    *,
    target: str | None,
    code: str | None,
    function: str | None,
    backend: str | None = None,
    **flags: object,
) -> Subject:
    """Find the function that is named.

    Args:
        app: what is shared.
        target: `path.py::function` in a root.
        code: a module, in place of a file.
        function: the function's name in `code`; None: the only one.
        backend: the sandbox that was asked for.
        flags: settings for this call.

    Raises:
        ToolError: both or none of `target` and `code` are given, or the file is outside of the roots.
        TargetError: there is no such function.
        ConfigError: the settings are broken.
    """
    if (target is None) == (code is None):
        raise ToolError(
            "Say which function: either `target` (path.py::function of the workspace), or `code` with the module's "
            "source and `function` with its name."
        )
    if code is None:
        return await anyio.to_thread.run_sync(lambda: _in_file(app, target or "", function, backend, flags))
    subject = await anyio.to_thread.run_sync(lambda: _in_code(app, code, function, backend, flags))
    app.tidy_given_code(subject.settings)
    return subject


def home_settings(app: AppContext, backend: str | None = None, **flags: object) -> Settings:
    """The settings of the first root's workspace, with its interpreter: for code that comes with a call.

    Raises:
        ConfigError: the settings are broken.
    """
    root = home(app)
    settings = app.settings(root, backend=backend, **flags)
    return replace(settings, python=str(interpreter_for(root, settings)))


def home(app: AppContext) -> Path:
    """The workspace that the first root is in, as far as it may be looked at."""
    root = workspace_root(app.roots.first / FILE)
    return root if root in app.roots.folders else app.roots.first


def _in_file(
    app: AppContext, target: str, function: str | None, backend: str | None, flags: dict[str, object]
) -> Subject:
    if function is not None:
        raise ToolError("`target` names the function itself, as path.py::function; leave `function` out.")
    found = find_target(_inside(app, target), cwd=app.roots.first)
    for folder in (found.root, found.import_root):
        app.roots.check(Path(folder), f"the workspace {folder} of {target}")
    root = Path(found.root)
    return Subject(target=found, settings=app.settings(root, backend=backend, **flags), root=root, is_file=True)


def _inside(app: AppContext, target: str) -> str:
    """The target with the real path of its file."""
    path, colons, name = target.partition("::")
    if colons:
        return f"{app.roots.resolve(path)}::{name}"
    if match := _BY_LINE.match(target):
        return f"{app.roots.resolve(match['path'])}:{match['line']}"
    raise TargetError(f"{target!r} does not name a function")


def _in_code(
    app: AppContext, code: str, function: str | None, backend: str | None, flags: dict[str, object]
) -> Subject:
    if len(code) > _LONGEST_CODE:
        raise ToolError(f"The code has {len(code)} characters; at most {_LONGEST_CODE} are taken.")
    settings = home_settings(app, backend, **flags)
    name = function or _only_function(code)
    path = write_code(code, settings)
    try:
        found = find_target(f"{path}::{name}", cwd=path.parent)
    except TargetError as error:
        raise TargetError(str(error).replace(str(path), "the code").replace(path.name, "the code")) from None
    return Subject(target=found, settings=settings, root=home(app), is_file=False)


def _only_function(code: str) -> str:
    names = [site.qualname for site in functions_in(parse_source(code, "the code")) if not site.is_nested]
    if len(names) == 1:
        return names[0]
    listed = ", ".join(names[:10])
    raise ToolError(
        f"The code has {len(names)} functions; name one as `function`: {listed}."
        if names
        else "The code defines no function. Give a module that has one, at least as `def name(...):` with a docstring."
    )

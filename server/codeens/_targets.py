"""The function that a call is about: named in a file, found already, or in code that came without a file.

Code without a file is kept as a small workspace beside the runs, since a run works on files and may go on in another
process. What no run needs is removed after an hour.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from codeens_server.config.settings import Settings
from codeens_server.domain.target import Target
from codeens_server.errors import InputError, TargetError
from codeens_server.files import private_folder, write_private
from codeens_server.store.opening import results_folder
from codeens_server.workspace.find import find_target
from codeens_server.workspace.functions import functions_in
from codeens_server.workspace.text import parse_source

if TYPE_CHECKING:
    from codeens_server.store.runs import RunStore

FILE = "given.py"
KEPT_S = 3600.0
"""How long code stays without a run: another call, of another process too, may be about to make one."""
LONGEST_CODE = 1 << 20
"""Characters."""


class Code(Struct, frozen=True):
    """A module that came without a file, and the function of it that is meant."""

    source: str
    function: str | None = None
    """None: the only function that the module has."""


TargetLike: TypeAlias = str | Target | Code
"""`path.py::function`, `path.py::Class.method` or `path.py:LINE`; or a target found before; or code."""


def find(target: TargetLike, *, workspace: Path, settings: Settings) -> Target:
    """Return the function that is meant.

    Raises:
        TargetError: there is no such function, or one that cannot be replaced.
        InputError: the code has no function, or several and none is named.
    """
    if isinstance(target, Target):
        return target
    if isinstance(target, str):
        return find_target(target, cwd=workspace)
    return _in_code(target, settings)


def folder_of(settings: Settings) -> Path:
    """Return where code is kept: for each database of runs another place, since its runs say what is needed."""
    url = settings.database_url
    return results_folder(settings) / ("given" if url is None else f"given-{_digest(url)}")


def is_code(path: Path, settings: Settings) -> bool:
    """Return whether a file is code that came without one."""
    return folder_of(settings).resolve() in path.resolve().parents


async def tidy(settings: Settings, store: RunStore) -> None:
    """Remove the code that no run is about and that nothing brought for an hour.

    Raises:
        RunError: the database cannot be read; nothing is removed.
    """
    import anyio.to_thread

    old = await anyio.to_thread.run_sync(_old, folder_of(settings))
    if not old:
        return
    needed = {Path(file).parent.name for file in await store.target_files()}
    await anyio.to_thread.run_sync(_remove, [path for path in old if path.name not in needed])


def _in_code(code: Code, settings: Settings) -> Target:
    if len(code.source) > LONGEST_CODE:
        message = f"the code has {len(code.source)} characters; at most {LONGEST_CODE} are taken."
        raise InputError(message, code="code_too_long")
    name = code.function or _only_function(code.source)
    path = _written(code.source, settings)
    try:
        return find_target(f"{path}::{name}", cwd=path.parent)
    except TargetError as error:
        message = str(error).replace(str(path), "the code").replace(path.name, "the code")
        raise TargetError(message, code=error.code, hint=error.hint) from None


def _only_function(source: str) -> str:
    names = [site.qualname for site in functions_in(parse_source(source, "the code")) if not site.is_nested]
    if len(names) == 1:
        return names[0]
    if names:
        message = f"the code has {len(names)} functions; name one: {', '.join(names[:10])}."
        raise TargetError(message, code="function_not_named")
    message = "the code defines no function; at least `def name(...):` with a docstring is needed."
    raise TargetError(message, code="no_function")


def _written(source: str, settings: Settings) -> Path:
    """Return the code as a file of a small workspace of its own, the same for the same code."""
    folder = private_folder(folder_of(settings) / _digest(source))
    write_private(folder / "pyproject.toml", "")
    path = folder / FILE
    write_private(path, source)
    return path


def _old(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    before = time.time() - KEPT_S
    return [path for path in folder.iterdir() if path.is_dir() and path.stat().st_mtime < before]


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

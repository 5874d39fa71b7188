"""Code that came with calls, as files, each a small workspace. What no run needs is removed after an hour."""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from codeens_server.config.settings import Settings
from codeens_server.files import private_folder, write_private
from codeens_server.store.opening import results_folder

if TYPE_CHECKING:
    from codeens_server.store.runs import RunStore

FILE = "given.py"
KEPT_S = 3600.0
"""How long code stays without a run: another call, of another server too, may be about to make one."""


def folder_of(settings: Settings) -> Path:
    """Where code is kept: for each database of runs another place, since its runs say what is needed."""
    url = settings.database_url
    return results_folder(settings) / ("given" if url is None else f"given-{_digest(url)}")


def is_given_code(path: Path, settings: Settings) -> bool:
    """Whether a file is code that came with a call."""
    return folder_of(settings).resolve() in path.resolve().parents


def write_code(code: str, settings: Settings) -> Path:
    """The code as a file of a small workspace of its own, the same for the same code."""
    folder = private_folder(folder_of(settings) / _digest(code))
    write_private(folder / "pyproject.toml", "")
    path = folder / FILE
    write_private(path, code)
    return path


async def tidy(settings: Settings, store: RunStore) -> None:
    """Remove the code that no run is about and that no call brought for an hour.

    Raises:
        RunError: the database cannot be read; nothing is removed.
    """
    folder = folder_of(settings)
    old = await anyio.to_thread.run_sync(_old, folder)
    if not old:
        return
    needed = {Path(file).parent.name for file in await store.target_files()}
    surplus = [path for path in old if path.name not in needed]
    await anyio.to_thread.run_sync(_remove, surplus)


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

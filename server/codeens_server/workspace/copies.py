"""Where else the original can be read: what was built or installed of it, other work trees, backups, histories."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from codeens_server.domain.target import Target
from codeens_server.files import read_regular, work_bound

_HISTORIES = frozenset({".git", ".hg", ".svn", ".jj", ".bzr", ".history", ".ipynb_checkpoints"})
_BUILT = frozenset({"build", "dist", ".eggs"})
_ARCHIVES = (".whl", ".egg", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".pyz")
_NOT_ENTERED = frozenset({"__pycache__", "node_modules", "site-packages"})
_MOST_ENTRIES = 50_000
_MOST_SECONDS = 2.0
_MOST_BYTES = 1 << 20
_MOST_COPIES = 200


def copies_of(target: Target, beside: Iterable[Path]) -> tuple[str, ...]:
    """Return files and folders from which the original can be read, the target's own file among them.

    A file is a copy if the module's path ends its own and it defines the function, or if its name has the module's in
    it and it holds the function's text. What has neither, and an archive outside of what is built, is not found.

    Args:
        target: the function.
        beside: folders that modules are imported from, outside of the workspace too.
    """
    file = Path(target.path)
    looked = _Looked(target)
    found = [file, *_compiled(file)]
    for path in (*_below(Path(target.root)), *(folder / looked.module for folder in beside)):
        if path == file or len(found) > _MOST_COPIES:
            continue
        if path.name in _HISTORIES or path.name.endswith(_ARCHIVES):
            found.append(path)
        elif looked.is_copy(path):
            found += [path, *_compiled(path)]
    return tuple(dict.fromkeys(map(str, found)))


class _Looked:
    """What a copy is known by."""

    def __init__(self, target: Target) -> None:
        path = PurePath(target.path)
        parts = target.module.split(".") if target.module else [path.stem]
        name = target.qualname.rpartition(".")[2]
        self.module = PurePath(*parts[:-1], path.name) if path.name != "__init__.py" else PurePath(*parts, path.name)
        self._stem = path.stem
        self._defines = re.compile(rf"\bdef\s+{re.escape(name)}\b".encode())
        self._text = _plain(target.source.encode("utf-8", "surrogatepass"))

    def is_copy(self, path: Path) -> bool:
        if self._stem not in path.name:
            return False
        try:
            data = read_regular(path, _MOST_BYTES)
        except OSError:
            return False
        if self._defines.search(data) is None:
            return False
        parts = self.module.parts
        return (len(parts) > 1 and path.parts[-len(parts) :] == parts) or self._text in _plain(data)


def _plain(source: bytes) -> bytes:
    """Return a text without its layout."""
    return b"\n".join(line.strip() for line in source.splitlines() if line.strip())


def _compiled(file: Path) -> Iterator[Path]:
    if file.suffix == ".py":
        # Not a pattern: the name may have characters that mean something in one.
        for cached in _entries(file.parent / "__pycache__"):
            if cached.name.startswith(f"{file.stem}.") and cached.name.endswith(".pyc"):
                yield Path(cached.path)


def _below(root: Path) -> Iterator[Path]:
    """Yield what may be a copy: histories, archives of what is built, and files, within bounds of number and work."""
    is_over = work_bound(_MOST_SECONDS)
    left = _MOST_ENTRIES
    folders = [str(root)]
    while folders and left > 0 and not is_over():
        folder = folders.pop()
        is_built = not _BUILT.isdisjoint(PurePath(folder).parts)
        for entry in _entries(Path(folder)):
            left -= 1
            if entry.name in _HISTORIES or (is_built and entry.name.endswith(_ARCHIVES)):
                yield Path(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                if entry.name not in _NOT_ENTERED:
                    folders.append(entry.path)
            elif not entry.name.endswith(_ARCHIVES):
                yield Path(entry.path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []

"""Where a file belongs: the workspace around it, the folder it is imported from, and its name there."""

from __future__ import annotations

import ast
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from codeens_server.files import read_regular, work_bound

MARKERS = ("codeens.toml", "pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "pytest.ini", ".git", ".hg")
_SOURCE_FOLDERS = frozenset({"src", "lib", "python"})
_SKIPPED = frozenset({"node_modules", "build", "dist", "venv", "env", "site-packages", "__pycache__"})
_MOST_FILES = 3_000
_MOST_BYTES = 1 << 20
_MOST_SECONDS = 2.0


class Place(NamedTuple):
    """Where a file belongs."""

    root: Path
    """The workspace."""
    import_root: Path
    """The folder that must be on `sys.path`."""
    module: str
    """The dotted name of the file there."""


def workspace_root(path: Path, *, started_in: Path | None = None) -> Path:
    """Return the nearest folder above with a project file.

    Without one: the folder that codeens was started in, where the file is below it and it is no home folder; else the
    folder that the file is imported from.
    """
    for folder in path.parents:
        if any((folder / marker).exists() for marker in MARKERS):
            return folder
    if started_in is not None and started_in in path.parents and not _is_shared(started_in):
        return started_in
    return import_root(path)


def _is_shared(folder: Path) -> bool:
    """Return whether a folder holds more than one thing that somebody works at."""
    home = Path.home().resolve()
    return folder in {home, Path("/"), Path(tempfile.gettempdir()).resolve()} or folder in home.parents


def import_root(path: Path) -> Path:
    """Return the folder that must be on `sys.path`: the first one above without `__init__.py`."""
    folder = path.parent
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder


def module_name(path: Path) -> str:
    """Return the dotted name under which the file is imported from its import root."""
    return _name_from(import_root(path), path)


def place_of(path: Path, tree: ast.Module, *, started_in: Path | None = None) -> Place:
    """Return where a file belongs. A folder without `__init__.py` may be a package too (PEP 420).

    It is taken for one if the file's relative imports lead above it, or if a file of the workspace imports this file by
    the longer name.
    """
    root, folder = workspace_root(path, started_in=started_in), import_root(path)
    outer = [above for above in folder.parents if above == root or root in above.parents] if folder != root else []
    least = _levels(tree) - len(path.relative_to(folder).parts)
    if least >= 0 and len(outer) > least:
        folder, outer = outer[least], outer[least + 1 :]
    if outer and folder.name not in _SOURCE_FOLDERS:
        folder = _imported_from(root, path, outer) or folder
    return Place(root, folder, _name_from(folder, path))


def _levels(tree: ast.Module) -> int:
    """Return how many dots the relative imports of a module begin with at the most."""
    return max((node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)), default=0)


def _name_from(folder: Path, path: Path) -> str:
    parts = [re.sub(r"\W", "_", part) for part in path.relative_to(folder).with_suffix("").parts]
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)


def _imported_from(root: Path, path: Path, folders: Sequence[Path]) -> Path | None:
    """Return the first of the folders from which some file of the workspace imports this one."""
    names = {folder: _name_from(folder, path).encode() for folder in folders}
    patterns = {folder: _import_of(name) for folder, name in names.items()}
    likely = path.stem.encode()
    is_over = work_bound(_MOST_SECONDS)
    found: set[Path] = set()
    for file in _python_files(root):
        if is_over():
            break
        text = _bytes_of(file)
        if likely in text:
            found |= {folder for folder, pattern in patterns.items() if pattern.search(text)}
    return next((folder for folder in folders if folder in found), None)


def _import_of(name: bytes) -> re.Pattern[bytes]:
    """Match `import a.b.c`, `from a.b.c import x` and `from a.b import c`."""
    package, _, last = name.rpartition(b".")
    whole, around = re.escape(name), re.escape(package)
    return re.compile(
        rb"^[ \t]*(?:(?:import|from)[ \t]+%b\b|from[ \t]+%b[ \t]+import\b[^#\n]*\b%b\b)" % (whole, around, last),
        re.MULTILINE,
    )


def _python_files(root: Path) -> Iterator[Path]:
    seen = 0
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        for name in sorted(files):
            if name.endswith(".py"):
                seen += 1
                if seen > _MOST_FILES:
                    return
                yield Path(folder, name)


def _bytes_of(path: Path) -> bytes:
    try:
        return read_regular(path, _MOST_BYTES)
    except OSError:
        return b""

"""Where a file stands: its workspace, the folder it is imported from, its module name."""

from __future__ import annotations

import re
from pathlib import Path

_MARKERS = ("codeens.toml", "pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "pytest.ini", ".git", ".hg")


def workspace_root(path: Path) -> Path:
    """The nearest folder above that holds a project file; else the folder that the file is imported from."""
    for folder in path.parents:
        if any((folder / marker).exists() for marker in _MARKERS):
            return folder
    return import_root(path)


def import_root(path: Path) -> Path:
    """The folder that must be on `sys.path`: the first one above without `__init__.py`."""
    folder = path.parent
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder


def module_name(path: Path) -> str:
    """The dotted name under which the file is imported from its import root."""
    relative = path.relative_to(import_root(path)).with_suffix("")
    parts = [re.sub(r"\W", "_", part) for part in relative.parts]
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)

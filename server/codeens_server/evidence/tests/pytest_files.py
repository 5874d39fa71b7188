"""The files that pytest would collect in a workspace, found by their names alone."""

from __future__ import annotations

import configparser
import fnmatch
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

_DEFAULT_PATTERNS = ("test_*.py", "*_test.py")
_SKIPPED_FOLDERS = frozenset({"node_modules", "build", "dist", "venv", "env", "site-packages", "__pycache__", "CVS"})
_BEFORE_PYPROJECT = (("pytest.ini", "pytest"), (".pytest.ini", "pytest"))
_AFTER_PYPROJECT = (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"))
_MAX_FOLDERS = 5_000


def python_files_of(root: Path) -> tuple[str, ...]:
    """The glob patterns of the project's own `python_files` setting, else pytest's default.

    Files are tried in pytest's order: pytest.ini, .pytest.ini, pyproject.toml, tox.ini, setup.cfg.
    """
    for name, section in (*_BEFORE_PYPROJECT, ("pyproject.toml", ""), *_AFTER_PYPROJECT):
        patterns = _from_toml(root / name) if not section else _from_ini(root / name, section)
        if patterns:
            return patterns
    return _DEFAULT_PATTERNS


def _from_ini(path: Path, section: str) -> tuple[str, ...]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error):
        return ()
    return tuple(parser.get(section, "python_files", fallback="").split())


def _from_toml(path: Path) -> tuple[str, ...]:
    try:
        document: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        tool = document.get("tool", {}).get("pytest", {})
        value = tool.get("ini_options", tool).get("python_files", ())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError):
        return ()
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, list):
        return tuple(item for item in cast("list[object]", value) if isinstance(item, str))
    return ()


def pytest_files(root: Path, *, limit: int) -> list[Path]:
    """Absolute paths of at most `limit` test files under `root`, in a fixed order.

    Hidden folders, virtual environments, build output and `node_modules` are not entered.
    """
    patterns = python_files_of(root)
    found: list[Path] = []
    for path in _python_sources(root):
        if _matches(path, root, patterns):
            found.append(path)
            if len(found) >= limit:
                break
    return found


def _matches(path: Path, root: Path, patterns: tuple[str, ...]) -> bool:
    relative = "/" + path.relative_to(root).as_posix()
    return any(fnmatch.fnmatch(relative, f"*/{pattern}") for pattern in patterns)


def _python_sources(root: Path) -> Iterator[Path]:
    for entered, (folder, folders, files) in enumerate(os.walk(root)):
        if entered >= _MAX_FOLDERS:
            return
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not _is_skipped(here / name))
        yield from (here / name for name in sorted(files) if name.endswith(".py"))


def _is_skipped(folder: Path) -> bool:
    name = folder.name
    if name.startswith(".") or name.endswith(".egg-info") or name in _SKIPPED_FOLDERS:
        return True
    return (folder / "pyvenv.cfg").exists()

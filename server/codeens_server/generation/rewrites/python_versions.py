"""Which versions of Python the code of a workspace says it runs on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from pathlib import Path
from typing import TypeAlias, cast

import tomli

from codeens_server.files import read_regular

Version: TypeAlias = tuple[int, int]
MOST_BYTES = 1_000_000
_CLAUSE = re.compile(r"(>=|~=|===?|\^|~|>|<=|<|!=)?\s*(\d+)(?:\.(\d+))?(\.\d+)?")
_SETUP = re.compile(r"python_requires\s*=\s*['\"]([^'\"]+)['\"]")
_RUFF = re.compile(r"py(\d)(\d+)")


def oldest_python(file: Path) -> Version | None:
    """Return the oldest Python that the project of a file runs on; None where it does not say.

    The nearest folder above that says it counts: `requires-python` of pyproject.toml (or what Poetry calls it),
    `python_requires` of setup.cfg and setup.py, or ruff's `target-version`.
    """
    for folder in file.absolute().parents:
        known = [version for text in _statements(folder) if (version := _lower_bound(text))]
        if known:
            return min(known)
        if (folder / ".git").exists():
            return None
    return None


def _statements(folder: Path) -> Iterator[str]:
    project = _toml(folder / "pyproject.toml")
    yield _text(project, "project", "requires-python")
    yield _text(project, "tool", "poetry", "dependencies", "python")
    yield _text(project, "tool", "ruff", "target-version")
    for name in ("ruff.toml", ".ruff.toml"):
        yield _text(_toml(folder / name), "target-version")
    config = ConfigParser(interpolation=None)
    try:
        config.read_string(_read(folder / "setup.cfg"))
        yield config.get("options", "python_requires", fallback="")
    except ConfigParserError:
        pass
    yield from _SETUP.findall(_read(folder / "setup.py"))


def _lower_bound(text: str) -> Version | None:
    """Return the first version that a specifier lets in: (3, 9) of `>=3.9,<4`, of `^3.9` and of `py39`."""
    if named := _RUFF.fullmatch(text):
        return int(named[1]), int(named[2])
    found: list[Version] = []
    for operator, major, minor, patch in _CLAUSE.findall(text):
        if operator not in ("<", "<=", "!=") and minor:
            found.append((int(major), int(minor) + (operator == ">" and not patch)))
    return max(found) if found else None


def _text(document: Mapping[str, object], *path: str) -> str:
    found: object = document
    for name in path:
        found = cast("object", found.get(name)) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""


def _toml(path: Path) -> Mapping[str, object]:
    try:
        return tomli.loads(_read(path))
    except (tomli.TOMLDecodeError, RecursionError):
        return {}


def _read(path: Path) -> str:
    """Return the text of a file of ordinary kind and size; nothing of another."""
    try:
        return read_regular(path, MOST_BYTES).decode()
    except (OSError, ValueError):
        return ""

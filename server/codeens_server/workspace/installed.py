"""What an interpreter's environment says of itself in its files: its version, and code that is installed elsewhere.

Nothing of it is run, and all of it is foreign: what the files name is shown inside only if it looks like Python code.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

from codeens_server.files import read_regular
from codeens_server.syntax.parsing import ParseFailure, parse

_MOST_BYTES = 1 << 20
_MOST_FILES = 500
_MOST_LINES = 100
_IMPORTED = re.compile(r"(?:^|;)\s*import\s+(\w+)")
_VERSION = re.compile(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", re.MULTILINE)
_IN_A_NAME = re.compile(r"python(\d+)\.(\d+)")
_CLOSED = tuple(
    Path(folder)
    for folder in (
        *("/etc", "/proc", "/sys", "/dev", "/run", "/boot", "/lost+found"),
        *(f"/var/{name}" for name in ("backups", "cache", "db", "lib", "log", "mail", "run", "spool")),
    )
)
"""Folders of the system that hold no packages."""
_HOMES = frozenset(map(Path, ("/home", "/Users")))
_HOLDERS = _HOMES | frozenset(
    map(Path, ("/", "/usr", "/var", "/opt", "/srv", "/mnt", "/media", "/tmp", "/var/tmp", "/root"))  # noqa: S108
)
"""Folders that hold what belongs to many."""
_OF_INTERPRETERS = frozenset({"site-packages", "dist-packages"})


def version_of(python: Path) -> tuple[int, int] | None:
    """Return an interpreter's version as its environment or its name says; None where they do not.

    Args:
        python: path of the interpreter.
    """
    named = _VERSION.search(text_of(python.parent.parent / "pyvenv.cfg"))
    for name in () if named else (python.name, python.resolve().name):
        named = named or _IN_A_NAME.fullmatch(name)
    return (int(named[1]), int(named[2])) if named else None


def installed_versions(version: str) -> list[Path]:
    """Return interpreters of a version, as `3.12`, that pyenv and uv have installed for this user, the latest first."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local" / "share" / "uv" / "python")
    folders = [*pyenv.glob(f"{version}.*"), *uv.glob(f"cpython-{version}.*")]
    return [folder / "bin" / f"python{version}" for folder in sorted(folders, key=_natural, reverse=True)]


def _natural(folder: Path) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", folder.name)]


def base_of(prefix: Path) -> list[Path]:
    """Return the installation that a virtual environment was made from, as named and as links lead to it."""
    for line in text_of(prefix / "pyvenv.cfg").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home" and value.strip():
            home = Path(value.strip())
            return [folder for folder in (home.parent, home.resolve().parent) if is_installation(folder)]
    return []


def added_folders(prefix: Path) -> Iterator[Path]:
    """Yield folders, and files of single modules, that `.pth` files of an environment add to what can be imported.

    A line is a folder, or code that installs an import hook; the packages that such a hook (setuptools, meson-python,
    scikit-build-core) maps are named in its module as absolute paths.
    """
    for site in sorted(prefix.glob("lib/python3.*/site-packages")):
        for pth in sorted(site.glob("*.pth"))[:_MOST_FILES]:
            for line in text_of(pth).splitlines()[:_MOST_LINES]:
                named = [Path(line.strip())] if line.startswith("/") else _hooked(site, line)
                yield from (path for path in named if may_be_shown(path))


def unreadable_pth(prefix: Path) -> Path | None:
    """Return a `.pth` file that Python, which reads all at its start, would wait for or not come to the end of."""
    for pth in prefix.glob("lib*/python3.*/site-packages/*.pth"):
        try:
            if pth.exists() and not (pth.is_file() and pth.stat().st_size <= _MOST_BYTES) and not pth.is_dir():
                return pth
        except OSError:
            continue
    return None


def _hooked(site: Path, line: str) -> Iterator[Path]:
    for module in _IMPORTED.findall(line) if line.startswith("import") else ():
        tree = parse(text_of(site / f"{module}.py"))
        for node in () if isinstance(tree, ParseFailure) else ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/"):
                path = Path(node.value)
                yield from (found for found in (path, Path(f"{path}.py")) if _is_code(found))


def _is_code(path: Path) -> bool:
    if path.suffix == ".py":
        return path.is_file()
    return path.is_dir() and next(path.glob("*.py"), None) is not None


def may_be_shown(path: Path) -> bool:
    """Return whether a path that a workspace's files name may be shown inside: only a folder or file of packages.

    Never a home folder or what holds one, a dot folder with no interpreter's packages in it, or the system's own.
    """
    if "\0" in str(path) or not path.exists():
        return False
    resolved, home = path.resolve(), Path.home().resolve()
    if resolved in {home, *_HOLDERS} or resolved in home.parents or resolved.parent in _HOMES:
        return False
    if any(resolved == closed or closed in resolved.parents for closed in _CLOSED):
        return False
    dotted = any(part.startswith(".") for part in resolved.parts)
    return (not dotted or not _OF_INTERPRETERS.isdisjoint(resolved.parts)) and _holds_packages(resolved)


def _holds_packages(path: Path) -> bool:
    """Return whether it is a module, or a folder of modules or packages."""
    if path.is_file():
        return path.suffix == ".py"
    return any(next(path.glob(pattern), None) is not None for pattern in ("*.py", "*.so", "*/__init__.py"))


def is_installation(folder: Path) -> bool:
    """Return whether a folder is where a Python is installed: programs of its own and a standard library."""
    has_library = next(folder.glob("lib*/p*3*/os.py"), None) is not None
    return has_library and os.access(folder / "bin", os.X_OK)


def text_of(path: Path) -> str:
    """Return the text of a small regular file; empty where it is none."""
    try:
        return read_regular(path, _MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def packages_of(python: Path) -> tuple[str, ...]:
    """Return the names of the distributions in an interpreter's own environment, as their folders say them.

    Args:
        python: path of the interpreter.
    """
    sites = python.parent.parent.glob("lib*/python3.*/site-packages/*.dist-info")
    return tuple(sorted({path.name.partition("-")[0].lower().replace("_", "-") for path in sites}))

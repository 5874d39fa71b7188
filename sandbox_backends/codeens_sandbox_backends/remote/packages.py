"""Which installed packages a workspace imports, so that they can be sent with it.

Only pure Python ones: compiled modules are of this machine. What is missing must be in the service's image.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

from codeens_sandbox_backends.errors import SandboxUnavailable

_IMPORT = re.compile(rb"^[ \t]*(?:from[ \t]+(\w+)[.\w]*[ \t]+import\b|import[ \t]+([\w., \t]+))", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_TEST_FILE = re.compile(r"test_.*\.py|.*_test\.py|conftest\.py")
_TEST_RUNNER = "pytest"
_COMPILED = (".so", ".pyd", ".dylib")
_PASSED_OVER = {"site-packages", "node_modules", ".git", "__pycache__"}
_FILE_BYTES_AT_MOST = 4 << 20


class _Installed(NamedTuple):
    """A distribution of pure Python."""

    site: Path
    entries: frozenset[str]
    """Its files and folders in `site`."""
    needs: tuple[str, ...]


def imported_packages(folders: Sequence[str], sites: Sequence[Path]) -> list[tuple[Path, str]]:
    """Return what files below `folders` import of the distributions in `sites`, and what these need in turn.

    Packages, modules and their metadata: (the folder that it is in, its name there).
    """
    if not folders:
        return []
    installed = {name: one for site in sites for name, one in _installed(site)}
    by_module = {entry.partition(".")[0]: name for name, one in installed.items() for entry in one.entries}
    names = [by_module[module] for module in _imported(folders) if module in by_module]
    chosen: set[str] = set()
    while names:
        name = names.pop()
        if name in installed and name not in chosen:
            chosen.add(name)
            names += installed[name].needs
    return sorted((installed[name].site, entry) for name in chosen for entry in installed[name].entries)


def _imported(folders: Iterable[str]) -> set[str]:
    """Return modules that are imported anywhere, and the test runner where there are tests. Found without parsing."""
    found: set[str] = set()
    for file in _python_files(folders):
        if _TEST_FILE.fullmatch(file.name):
            found.add(_TEST_RUNNER)
        if file.stat().st_size <= _FILE_BYTES_AT_MOST:
            for single, several in _IMPORT.findall(file.read_bytes()):
                for name in (single or several).split(b","):
                    found.add(name.strip().partition(b".")[0].partition(b" ")[0].decode("ascii", "replace"))
    return found


def _python_files(folders: Iterable[str]) -> Iterator[Path]:
    for top in folders:
        for folder, inner, names in os.walk(top):
            inner[:] = [name for name in inner if name not in _PASSED_OVER]
            for name in names:
                if name.endswith(".py") and (Path(folder) / name).is_file():
                    yield Path(folder) / name


def _installed(site: Path) -> Iterator[tuple[str, _Installed]]:
    for distribution in distributions(path=[str(site)]):
        name = distribution.metadata["Name"]
        files = distribution.files
        if name and files and not any(file.suffix in _COMPILED for file in files):
            entries = {file.parts[0] for file in files} - {"..", "__pycache__", "/"}
            present = frozenset(entry for entry in entries if (site / entry).exists())
            yield _normal(name), _Installed(site, present, tuple(_needs(distribution)))


def _needs(distribution: Distribution) -> Iterator[str]:
    """Names of what it requires, without what only its extras do."""
    for requirement in distribution.requires or ():
        name = _NAME.match(requirement)
        if name and "extra" not in requirement.partition(";")[2]:
            yield _normal(name[0])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


_IN_NAME = re.compile(r"python(3\.\d+)")
_IN_CONFIG = re.compile(r"^version(?:_info)?\s*=\s*(3\.\d+)", re.MULTILINE)

_HOME = re.compile(r"^home\s*=\s*(\S.*?)\s*$", re.MULTILINE)


def version_of(python: str, backend: str) -> str:
    """ "3.11" for the interpreter at that path.

    Raises:
        SandboxUnavailable: it is not there, or does not tell.
    """
    if not (Path(python).is_absolute() and os.access(python, os.X_OK)):
        raise SandboxUnavailable(backend, f"there is no interpreter at {python!r}", "Set `python` to an absolute path")
    if python == sys.executable:
        return f"{sys.version_info[0]}.{sys.version_info[1]}"
    real = os.path.realpath(python)
    found = _IN_NAME.fullmatch(Path(real).name) or _IN_CONFIG.search(_config_of(python)) or _only_library(real)
    if not found:
        why = f"it cannot be told which Python {python!r} is"
        raise SandboxUnavailable(backend, why, "Use a virtual environment, or an interpreter called python3.N")
    return found[1]


def site_packages_of(python: str) -> list[Path]:
    """Return the folders of an interpreter's own packages: of its virtual environment, or of its installation."""
    return sorted(Path(python).parent.parent.glob("lib/python3.*/site-packages"))


def installations_of(python: str) -> list[str]:
    """Return real paths of an interpreter's virtual environment and of the installation behind it."""
    environment = Path(python).parent.parent
    found = [Path(os.path.realpath(python)).parent.parent]
    if (environment / "pyvenv.cfg").is_file():
        home = _HOME.search(_config_of(python))
        found += [environment, *([Path(home[1]).parent] if home else [])]
    return [os.path.realpath(folder) for folder in found]


def _config_of(python: str) -> str:
    try:
        return (Path(python).parent.parent / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _only_library(real: str) -> re.Match[str] | None:
    names = [folder.name for folder in Path(real).parent.parent.glob("lib/python3.*") if folder.is_dir()]
    return _IN_NAME.fullmatch(names[0]) if len(names) == 1 else None

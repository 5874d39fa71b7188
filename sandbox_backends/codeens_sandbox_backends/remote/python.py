"""Which Python an interpreter is, found by looking: a workspace's interpreter is foreign code."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from codeens_sandbox_backends.errors import SandboxUnavailable

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
    """Folders of an interpreter's own packages: of its virtual environment, or of its installation."""
    return sorted(Path(python).parent.parent.glob("lib/python3.*/site-packages"))


def installations_of(python: str) -> list[str]:
    """Real paths of an interpreter's virtual environment and of the installation behind it."""
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

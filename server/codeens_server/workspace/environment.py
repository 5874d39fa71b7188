"""Which interpreter runs the code, and which folders it may read."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from codeens_sandbox_backends.base import SandboxSpec
from codeens_server.config.settings import Settings
from codeens_server.domain.target import Target
from codeens_server.errors import ConfigError, Hint
from codeens_server.workspace.copies import copies_of
from codeens_server.workspace.installed import (
    added_folders,
    base_of,
    installed_versions,
    is_installation,
    unreadable_pth,
)

_VERSION = re.compile(r"3\.\d+")
_VENV_FOLDERS = (".venv", "venv", "env")


def interpreter_for(root: Path, settings: Settings) -> Path:
    """Return the workspace's interpreter: the one configured, else its virtual environment's, else the one of codeens.

    Raises:
        ConfigError: the configured interpreter does not exist.
    """
    if settings.python is not None:
        configured = (root / Path(settings.python).expanduser()).absolute()
        if not os.access(configured, os.X_OK):
            message = f"{settings.python!r} does not name an interpreter."
            raise ConfigError(message, code="no_interpreter", hint=Hint("option", "python"))
        return configured
    for name in _VENV_FOLDERS:
        python = root / name / "bin" / "python"
        if (root / name / "pyvenv.cfg").is_file() and os.access(python, os.X_OK) and _is_installed(python):
            return python
    return Path(sys.executable)


def environments_of(root: Path, named: Sequence[str], settings: Settings) -> tuple[Path, ...]:
    """Return the interpreters that candidates must hold in, each once; by default the workspace's own.

    Args:
        root: the workspace's folder.
        named: paths, relative to the workspace or to the current folder; or versions, as `3.12`.
        settings: what holds where none is named.

    Raises:
        ConfigError: one does not exist.
    """
    found = [_named(root, name) for name in named] or [interpreter_for(root, settings)]
    return tuple(dict.fromkeys(found))


def _named(root: Path, name: str) -> Path:
    if _VERSION.fullmatch(name):
        on_path = shutil.which(f"python{name}")
        paths = [*installed_versions(name), *([Path(on_path).absolute()] if on_path else [])]
    else:
        paths = [(folder / Path(name).expanduser()).absolute() for folder in (root, Path.cwd())]
    for path in paths:
        if path.is_file() and os.access(path, os.X_OK) and not _is_script(path):
            return path
    message = f"{name!r} does not name an interpreter of this machine."
    raise ConfigError(message, code="no_interpreter", hint=Hint("option", "python"))


def _is_script(path: Path) -> bool:
    """Return whether it is a script that would look for an interpreter, as pyenv puts them on PATH."""
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def _is_installed(python: Path) -> bool:
    """Return whether an environment's interpreter leads to an installation, all of which is shown inside."""
    resolved = python.resolve()
    return python.parent.parent in resolved.parents or is_installation(resolved.parent.parent)


def sandbox_spec(target: Target, settings: Settings, python: Path | None = None) -> SandboxSpec:
    """Return what the target's code must find inside: its workspace, an interpreter and that one's packages.

    Args:
        target: the function.
        settings: limits, and the interpreter.
        python: another interpreter than the workspace's own.

    Raises:
        ConfigError: the interpreter does not exist, or could never start.
    """
    root = Path(target.root)
    python = python or interpreter_for(root, settings)
    packages = _interpreter_folders(python)
    sites = (site for folder in packages for site in folder.glob("lib*/python3.*/site-packages"))
    return SandboxSpec(
        python=str(python),
        readable=_readable([root, Path(target.import_root)], python),
        # A candidate that runs the original would be right, until it takes its place.
        hidden=copies_of(target, (*packages, *sites)),
        limits=settings.limits,
    )


def workspace_spec(root: Path, settings: Settings) -> SandboxSpec:
    """Return what code about no function of a workspace must find inside, when it may use all of it.

    Raises:
        ConfigError: the interpreter does not exist, or could never start.
    """
    python = interpreter_for(root, settings)
    return SandboxSpec(python=str(python), readable=_readable([root], python), limits=settings.limits)


def import_paths(root: Path) -> tuple[str, ...]:
    """Return the folders of a workspace that its modules are imported from."""
    source = root / "src"
    return (*([str(source)] if source.is_dir() else []), str(root))


_PARENTS_OF_HOMES = frozenset(map(Path, ("/", "/home", "/Users")))


def _readable(wanted: list[Path], python: Path) -> tuple[str, ...]:
    if (broken := unreadable_pth(python.parent.parent)) is not None:
        message = f"the environment of {python} cannot be used: {broken} is no regular file that Python can read."
        raise ConfigError(message, code="broken_environment")
    opened = [path for folder in wanted for path in _beside_home(folder)]
    found = [*opened, *_interpreter_folders(python)]
    return _without_nested([path for path in found if path.exists() and not _is_too_wide(path)])


def _beside_home(folder: Path) -> list[Path]:
    """Return a workspace's folder; of one that the home folder lies in, all else that is in it, at any depth."""
    home = Path.home().resolve()
    if folder.resolve() not in home.parents or folder.resolve() in _PARENTS_OF_HOMES:
        return [folder]
    entries = [entry for entry in folder.iterdir() if entry.resolve() != home]
    return [path for entry in entries for path in (_beside_home(entry) if entry.is_dir() else [entry])]


def is_hidden(root: Path) -> bool:
    """Return whether nothing of a workspace is shown to code inside, for it is the home folder or one of the system."""
    return all(map(_is_too_wide, _beside_home(root)))


def _interpreter_folders(python: Path) -> list[Path]:
    """Return the environment's folder, its base installation, and folders that its `.pth` files add."""
    prefix = python.parent.parent
    return [prefix, prefix.resolve(), python.resolve().parent.parent, *base_of(prefix), *added_folders(prefix)]


def _is_too_wide(path: Path) -> bool:
    """Return whether it is the home folder or above it: these are never opened as a whole."""
    resolved, home = path.resolve(), Path.home().resolve()
    return resolved == home or resolved in home.parents or resolved in {Path("/"), Path("/etc"), Path("/var")}


def _without_nested(folders: list[Path]) -> tuple[str, ...]:
    unique = list(dict.fromkeys(folders))
    return tuple(
        str(folder) for folder in unique if not any(other != folder and other in folder.parents for other in unique)
    )

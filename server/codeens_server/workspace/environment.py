"""Which interpreter runs the code, and which folders it may read."""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path

import coverage

from codeens_sandbox_backends.base import SandboxSpec
from codeens_server.config.settings import Settings
from codeens_server.domain import Target
from codeens_server.errors import ConfigError, Hint

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
        if (root / name / "pyvenv.cfg").is_file() and os.access(python, os.X_OK):
            return python
    return Path(sys.executable)


def sandbox_spec(target: Target, settings: Settings) -> SandboxSpec:
    """Return what the target's code must find inside: its workspace, its interpreter and that one's packages."""
    root = Path(target.root)
    python = interpreter_for(root, settings)
    wanted = [root, Path(target.import_root), *_interpreter_folders(python), Path(coverage.__file__).parent]
    readable = [path for path in wanted if path.is_dir() and not _is_too_wide(path)]
    return SandboxSpec(
        python=str(python), readable=_without_nested(readable), hidden=_originals(target), limits=settings.limits
    )


def _originals(target: Target) -> tuple[str, ...]:
    """Return where the original can be read: a candidate that runs it would be right, until it takes its place."""
    file = Path(target.path)
    compiled = (file.parent / "__pycache__").glob(f"{glob.escape(file.stem)}.*.pyc")
    return str(file), *map(str, compiled), str(Path(target.root) / ".git")


def _interpreter_folders(python: Path) -> list[Path]:
    """Return the environment's folder, its base installation, and folders that its `.pth` files add."""
    prefix = python.parent.parent
    folders = [prefix, prefix.resolve(), python.resolve().parent.parent]
    config = prefix / "pyvenv.cfg"
    if config.is_file():
        for line in config.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition("=")
            if key.strip() == "home":
                folders.append(Path(value.strip()).resolve().parent)
    for pth in prefix.glob("lib/python3.*/site-packages/*.pth"):
        lines = pth.read_text(encoding="utf-8", errors="replace").splitlines()
        folders += [Path(line) for line in lines if line.startswith("/")]
    return folders


def _is_too_wide(path: Path) -> bool:
    """Return whether it is the home folder or above it: these are never opened as a whole."""
    resolved, home = path.resolve(), Path.home().resolve()
    return resolved == home or resolved in home.parents or resolved in {Path("/"), Path("/etc"), Path("/var")}


def _without_nested(folders: list[Path]) -> tuple[str, ...]:
    unique = list(dict.fromkeys(folders))
    return tuple(
        str(folder) for folder in unique if not any(other != folder and other in folder.parents for other in unique)
    )

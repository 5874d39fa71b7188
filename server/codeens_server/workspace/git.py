"""Asks git about the repository that a folder is in."""

from __future__ import annotations

import subprocess
from pathlib import Path

from codeens_server.errors import InputError
from codeens_server.text import one_line


def git(folder: Path, *arguments: str) -> str:
    """Return what git prints. Blocks.

    Raises:
        InputError: it cannot be run, or it refuses.
    """
    return git_bytes(folder, *arguments).decode("utf-8", "surrogateescape")


def git_bytes(folder: Path, *arguments: str) -> bytes:
    """Return what git prints, as it is. Blocks.

    Raises:
        InputError: see `git`.
    """
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False)
    except OSError as error:
        message = f"git cannot be run: {error}."
        raise InputError(message, code="no_git") from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace")
        message = f"git {arguments[0]} in {folder}: {one_line(said)}"
        raise InputError(message, code="git_refused")
    return done.stdout

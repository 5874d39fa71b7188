"""Other programs, whose output is looked at only when they fail."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class Failed(Exception):
    """A program failed, or a file of the release is not as it must be."""


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, within_s: float = 600) -> str:
    """Give what it prints.

    Raises:
        Failed: it ended with another status than 0; with the end of what it said.
    """
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=within_s)
    if done.returncode:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout

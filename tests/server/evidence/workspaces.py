"""Small workspaces for the tests of evidence."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from codeens_server.domain.target import Target
from codeens_server.workspace.find import find_target


def write(root: Path, files: dict[str, str]) -> None:
    """Write files of a workspace; their texts are dedented. A `pyproject.toml` makes `root` the workspace."""
    for name, text in {"pyproject.toml": "", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")


def target_in(root: Path, source: str, name: str = "f") -> Target:
    """The function `name` of a one-file workspace."""
    write(root, {"mod.py": source})
    return find_target(f"mod.py::{name}", cwd=root)

"""Small workspaces for the tests of evidence."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from codeens_sandbox_backends.programs import Returned
from codeens_server.domain.evidence import Case, Evidence
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


def of_origin(evidence: Evidence, origin: str) -> list[Case]:
    """The cases that came from there."""
    return [case for case in evidence.cases if case.origin == origin]


def value_of(case: Case) -> object:
    """What must be returned."""
    assert isinstance(case.expected, Returned)
    return case.expected.value


def reasons(evidence: Evidence) -> str:
    """What was set aside, and why."""
    return "; ".join(f"{entry.count} {entry.what}: {entry.why}" for entry in evidence.excluded)

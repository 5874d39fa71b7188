"""The worker runs on whatever interpreter the workspace has."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from codeens_sandbox_backends.docker import first
from codeens_sandbox_backends.host import inside, memory_watch
from codeens_sandbox_backends.remote.inside import relay
from tests.sandbox_backends.plain_launcher import WORKER

RELAY = Path(relay.__file__).parent
FILES = [
    *sorted(WORKER.rglob("*.py")),
    *sorted(RELAY.glob("*.py")),
    *sorted(Path(inside.__file__).parent.glob("*.py")),
    Path(memory_watch.__file__),
    Path(first.__file__),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_worker_is_python_3_9(file: Path) -> None:
    ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_worker_imports_only_itself_and_the_standard_library(file: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported.add((node.module or "").partition(".")[0])
    assert imported <= sys.stdlib_module_names

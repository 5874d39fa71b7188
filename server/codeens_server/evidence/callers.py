"""What the workspace's own files give the target: whole calls with literal arguments, and texts that tell types.

Nothing is run. A file counts where it imports the target or its module, so that a function of the same name is not
taken for it. Tests are left out: their calls are recorded as they run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from codeens_sandbox_backends.programs import CallInput
from codeens_server.domain.target import Target
from codeens_server.evidence.literal_calls import NotLiteral, literal_call
from codeens_server.evidence.tests.discovery import pytest_files, python_sources
from codeens_server.files import read_regular, work_bound
from codeens_server.syntax.parsing import ParseFailure, parse

CALLED = "called in"
"""How the label of a case begins that stands for such a call."""
_KINDS = frozenset({"function", "staticmethod", "classmethod"})
_MOST_FILES_SEEN = 20_000
_MOST_FILES = 20
_MOST_CALLS = 30
_MOST_BYTES = 1 << 20
_MOST_SECONDS = 3.0


class CallSite(NamedTuple):
    """A call whose arguments are literals, and where it is written."""

    input: CallInput
    where: str


class Callers(NamedTuple):
    """What was found in the workspace."""

    calls: tuple[CallSite, ...] = ()
    texts: tuple[str, ...] = ()
    """Of files that import and name the target, but its own."""


def find_callers(target: Target, source: str) -> Callers:
    """Return who calls a function, within bounds of files and time; nobody for methods, whose object is not known.

    Args:
        target: the function.
        source: text of its file, which may call it too.
    """
    if target.kind not in _KINDS:
        return Callers()
    others = dict(islice(_importing(target), _MOST_FILES))
    sites = (
        site for where, text in ((target.path, source), *others.items()) for site in _literal_calls(where, text, target)
    )
    return Callers(tuple(islice(sites, _MOST_CALLS)), tuple(others.values()))


def _importing(target: Target) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each file that imports the target and names it."""
    root = Path(target.root)
    named = re.compile(rb"\b%b\s*\(" % re.escape(target.qualname.rpartition(".")[2].encode()))
    tests = {*pytest_files(root, limit=_MOST_FILES_SEEN)}
    is_over = work_bound(_MOST_SECONDS)
    for path in islice(python_sources(root), _MOST_FILES_SEEN):
        if is_over():
            return
        if path in tests or path == Path(target.path):
            continue
        try:
            data = read_regular(path, _MOST_BYTES)
        except OSError:
            continue
        if named.search(data) and _imports(text := data.decode("utf-8", "replace"), target):
            yield path.relative_to(root).as_posix(), text


def _imports(text: str, target: Target) -> bool:
    """Return whether a module imports the function, its class or its module."""
    tree = parse(text)
    if isinstance(tree, ParseFailure):
        return False
    packages = {"", *target.module.split(".")}
    module = target.module.rpartition(".")[2]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(item.name.rpartition(".")[2] == module for item in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").rpartition(".")[2] in packages:
            wanted = {module, target.qualname.partition(".")[0], "*"}
            if any(item.name in wanted for item in node.names):
                return True
    return False


def _literal_calls(where: str, text: str, target: Target) -> Iterator[CallSite]:
    tree = parse(text)
    if isinstance(tree, ParseFailure):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            try:
                call = literal_call(node, target)
            except NotLiteral:
                continue
            yield CallSite(call, f"{Path(where).name}:{node.lineno}")

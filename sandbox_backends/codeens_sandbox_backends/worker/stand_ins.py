"""Modules that tests import the function from, and that are not there: they were written for a file of some name."""

from __future__ import annotations

import ast
import sys
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any, FrozenSet, Generator


@contextmanager
def stand_ins(source: str, name: str, function: Any) -> Generator[None, None, None]:
    """Have `from anything import name` give this function while the tests run, where there is no such module."""
    missing = [module for module in _imported_from(source, name) if not _is_there(module)]
    for module in missing:
        made: Any = sys.modules.setdefault(module, ModuleType(module))
        setattr(made, name, function)
    try:
        yield
    finally:
        for module in missing:
            sys.modules.pop(module, None)


@lru_cache(maxsize=256)
def _imported_from(source: str, name: str) -> FrozenSet[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset()
    return frozenset(
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level and "." not in node.module
        if any(alias.name == name for alias in node.names)
    )


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return module in sys.modules

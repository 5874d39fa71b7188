"""Every rule over every function of some modules of the standard library."""

from __future__ import annotations

import ast
import bisect
import calendar
import colorsys
import difflib
import fractions
import heapq
import inspect
import statistics
import string
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from _pytest.mark.structures import ParameterSet

from codeens_server.domain.target import Target
from codeens_server.generation.rewrites.facts import facts_of
from codeens_server.generation.rewrites.rule import Draft
from codeens_server.generation.rewrites.rules import RULES
from codeens_server.workspace.edit import splice
from codeens_server.workspace.find import describe
from codeens_server.workspace.functions import functions_in
from codeens_server.workspace.roots import Place
from codeens_server.workspace.text import SourceText, read_source

CODEMODS = [rule for name, rule in RULES.items() if not name.startswith("ruff:")]
FAMILIES = [rule for name, rule in RULES.items() if name.startswith("ruff:")]


def _scene(module: ModuleType) -> ParameterSet:
    return pytest.param(module, marks=pytest.mark.scene)


@pytest.mark.parametrize(
    "module",
    [bisect, colorsys, difflib, fractions, heapq, string, textwrap, *map(_scene, (calendar, statistics))],
    ids=lambda m: m.__name__,
)
def test_codemods_keep_every_function_whole(module: ModuleType) -> None:
    for target, source in _targets(module):
        start = Draft(target=target, source=source, facts=facts_of(source, target), function=target.source)
        for rule in CODEMODS:
            _check(start, rule.apply(start))


def test_ruff_keeps_functions_whole() -> None:
    for target, source in _targets(heapq):
        start = Draft(target=target, source=source, facts=facts_of(source, target), function=target.source)
        for family in FAMILIES:
            _check(start, family.apply(start))


def _targets(module: ModuleType) -> Iterator[tuple[Target, str]]:
    path = Path(inspect.getfile(module))
    source: SourceText = read_source(path)
    tree = ast.parse(source.text)
    place = Place(path.parent, path.parent, module.__name__)
    for site in functions_in(tree):
        yield describe(site, source, path, place), source.text


def _check(before: Draft, after: Draft | None) -> None:
    """The result is Python, has the same signature, and differs from the original."""
    if after is None:
        return
    ast.parse(splice(before.source, before.target, after.replacement()))
    old, new = ast.parse(before.function).body[0], ast.parse(after.function).body[0]
    assert type(old) is type(new)
    assert isinstance(old, ast.FunctionDef | ast.AsyncFunctionDef)
    assert isinstance(new, ast.FunctionDef | ast.AsyncFunctionDef)
    assert old.name == new.name
    assert [arg.arg for arg in ast.walk(old.args) if isinstance(arg, ast.arg)] == [
        arg.arg for arg in ast.walk(new.args) if isinstance(arg, ast.arg)
    ]
    assert ast.get_docstring(old) == ast.get_docstring(new)
    assert ast.dump(old) != ast.dump(new)

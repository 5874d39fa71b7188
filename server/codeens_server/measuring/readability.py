"""How easily a source reads, from metrics of libraries; the formula is in docs/ranking.md."""

from __future__ import annotations

import ast
import importlib
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory
from typing import NamedTuple

import anyio
import anyio.to_thread
import msgspec
from radon.complexity import add_inner_blocks, cc_visit_ast
from radon.visitors import Function

from codeens_server.domain.measurement import Readability
from codeens_server.syntax.parsing import ParseFailure, parse

RULES = "E,F,B,C4,SIM,PERF,RET,UP,N"
NOT_OURS = "F821"
"""Names of the module are not in the source that is checked."""
LINE_LENGTH = 100
CHECK_S = 30.0
LARGEST_SOURCE = 200_000
_AT_ONCE = 200
"""Sources that one process looks at."""

_RUNNERS = frozenset({"exec", "eval", "compile", "__import__"})
_MAKERS = frozenset({"CodeType", "FunctionType"})
_LOADERS = frozenset({"code", "codeop", "marshal", "pickle", "runpy"})
"""Modules that make code of data."""

_LOADED = threading.Event()

SHARES = {"cognitive": 40.0, "cyclomatic": 20.0, "lines": 25.0, "findings": 15.0}
HALVES = {"cognitive": 15.0, "cyclomatic": 10.0, "lines": 40.0, "findings": 5.0}
"""Where a metric has lost half of its share."""


class Unmeasurable(Exception):
    """The source cannot be analysed; the message says why."""


class _Finding(msgspec.Struct):
    filename: str


class _Structure(NamedTuple):
    """What the syntax tree tells."""

    cyclomatic: int
    cognitive: int
    lines: int
    """Statements without docstrings."""


async def readability(source: str) -> Readability:
    """Measure how easily a source reads; comments that silence a tool have no effect.

    Raises:
        Unmeasurable: the source does not parse, is too large or too deep, or a tool did not finish on it.
    """
    structure = await anyio.to_thread.run_sync(_structure, source)
    (findings,) = await _ruff_findings([source])
    return _readability(structure, findings)


async def readabilities(sources: Sequence[str]) -> list[Readability | None]:
    """Measure how easily many sources read, much faster than one after the other; None where one cannot be measured."""
    found: list[Readability | None] = []
    for start in range(0, len(sources), _AT_ONCE):
        found += await _of_some(sources[start : start + _AT_ONCE])
    return found


async def _of_some(sources: Sequence[str]) -> list[Readability | None]:
    structures = await anyio.to_thread.run_sync(lambda: [_structure_or_none(source) for source in sources])
    known = [source for source, structure in zip(sources, structures, strict=True) if structure is not None]
    findings = iter(await _findings_of_each(known))
    return [
        None if structure is None or (count := next(findings)) is None else _readability(structure, count)
        for structure in structures
    ]


async def _findings_of_each(sources: Sequence[str]) -> list[int | None]:
    """Return ruff's findings; a source on which it fails, alone, has none."""
    try:
        return list(await _ruff_findings(sources)) if sources else []
    except Unmeasurable:
        if len(sources) == 1:
            return [None]
    middle = len(sources) // 2
    return [*await _findings_of_each(sources[:middle]), *await _findings_of_each(sources[middle:])]


def _readability(structure: _Structure, findings: int) -> Readability:
    metrics = {**structure._asdict(), "findings": findings}
    return Readability(**metrics, score=score(**metrics))


def score(*, cyclomatic: int, cognitive: int, lines: int, findings: int) -> float:
    """Return the points of a source, 0 to 100: they fall with each metric, steeply at first, and never reach 0.

    Args:
        cyclomatic: decisions of all functions, plus one.
        cognitive: by complexipy.
        lines: statements without docstrings.
        findings: of ruff.
    """
    excess = {"cognitive": cognitive, "cyclomatic": cyclomatic - 1, "lines": lines, "findings": findings}
    return sum(SHARES[name] * HALVES[name] / (HALVES[name] + excess[name]) for name in SHARES)


def _structure_or_none(source: str) -> _Structure | None:
    try:
        return _structure(source)
    except Unmeasurable:
        return None


def _structure(source: str) -> _Structure:
    if len(source) > LARGEST_SOURCE:
        message = f"the source is longer than {LARGEST_SOURCE} characters"
        raise Unmeasurable(message)
    tree = parse(source)
    if isinstance(tree, ParseFailure):
        message = f"the source cannot be analysed: {tree}"
        raise Unmeasurable(message)
    if hidden := _code_in_texts(tree):
        message = f"it runs code that is no source ({hidden})"
        raise Unmeasurable(message)
    try:
        return _Structure(cyclomatic=_cyclomatic(tree), cognitive=_cognitive(source), lines=_lines(tree))
    except RecursionError as error:
        message = f"the source cannot be analysed: {type(error).__name__}"
        raise Unmeasurable(message) from error


def _code_in_texts(tree: ast.Module) -> str:
    """Return the name by which a source runs code that stands in texts or bytes; empty where it does not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _RUNNERS:
            return node.id
        if isinstance(node, ast.Attribute) and node.attr in _MAKERS:
            return node.attr
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names]
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if loader := next((name for name in names if name.partition(".")[0] in _LOADERS | _MAKERS), ""):
                return loader
    return ""


def _cognitive(source: str) -> int:
    if not _LOADED.is_set():
        threading.Thread(target=_load_complexipy, name="complexipy", daemon=True).start()
        _LOADED.wait()
    from complexipy import code_complexity

    return code_complexity(source, no_ignore=True, with_plans=False).complexity


def _load_complexipy() -> None:
    """Load it in a thread that stays: its allocator ends the process once the thread that loaded it is gone."""
    try:
        importlib.import_module("complexipy")
    finally:
        _LOADED.set()
    threading.Event().wait()


def _cyclomatic(tree: ast.Module) -> int:
    """Count decisions of all functions, inner ones included, plus one (McCabe): splitting costs nothing."""
    blocks = add_inner_blocks(cc_visit_ast(tree))
    return 1 + sum(block.complexity - 1 for block in blocks if isinstance(block, Function))


def _lines(tree: ast.Module) -> int:
    """Count statements without docstrings: layout cannot change it."""
    nodes = list(ast.walk(tree))
    docstrings = sum(1 for node in nodes for _ in _docstring(node))
    return sum(isinstance(node, ast.stmt) for node in nodes) - docstrings


def _docstring(node: ast.AST) -> Iterator[ast.stmt]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node):
        yield node.body[0]


async def _ruff_findings(sources: Sequence[str]) -> list[int]:
    """Return how many findings ruff has in each of some sources, all looked at by one process."""
    command = [
        *(sys.executable, "-I", "-m", "ruff", "check", "--isolated", "--no-cache", "--ignore-noqa"),
        *("--select", RULES, "--ignore", NOT_OURS, "--line-length", str(LINE_LENGTH), "--output-format", "json"),
    ]
    finished: CompletedProcess[bytes] | None = None
    with TemporaryDirectory(prefix="codeens-ruff-") as folder:
        await anyio.to_thread.run_sync(_write_all, Path(folder), sources)
        with anyio.move_on_after(CHECK_S):
            finished = await anyio.run_process([*command, folder], check=False)
    if finished is None or finished.returncode not in (0, 1):
        why = "did not finish" if finished is None else finished.stderr.decode("utf-8", "replace").strip()
        message = f"ruff could not check the source: {why}"
        raise Unmeasurable(message)
    found = Counter(Path(each.filename).stem for each in msgspec.json.decode(finished.stdout, type=list[_Finding]))
    return [found[f"source{number}"] for number in range(len(sources))]


def _write_all(folder: Path, sources: Sequence[str]) -> None:
    for number, source in enumerate(sources):
        text = source if source.endswith("\n") else source + "\n"
        (folder / f"source{number}.py").write_bytes(text.encode("utf-8", "replace"))

"""How easily a source reads, from metrics of libraries; the formula is in docs/ranking.md."""

from __future__ import annotations

import ast
import importlib
import sys
import threading
from collections.abc import Iterator
from subprocess import CompletedProcess

import anyio
import anyio.to_thread
import msgspec
from radon.complexity import add_inner_blocks, cc_visit_ast
from radon.visitors import Function

from codeens_server.domain import Readability
from codeens_server.parsing import ParseFailure, parse

RULES = "E,F,B,C4,SIM,PERF,RET,UP,N"
NOT_OURS = "F821"
"""Names of the module are not in the source that is checked."""
LINE_LENGTH = 100
CHECK_S = 30.0
LARGEST_SOURCE = 200_000

_LOADED = threading.Event()

SHARES = {"cognitive": 40.0, "cyclomatic": 20.0, "lines": 25.0, "findings": 15.0}
HALVES = {"cognitive": 15.0, "cyclomatic": 10.0, "lines": 40.0, "findings": 5.0}
"""Where a metric has lost half of its share."""


class Unmeasurable(Exception):
    """The source cannot be analysed; the message says why."""


class _Finding(msgspec.Struct):
    code: str | None


async def readability(source: str) -> Readability:
    """Measure how easily a source reads; comments that silence a tool have no effect.

    Raises:
        Unmeasurable: the source does not parse, is too large or too deep, or a tool did not finish on it.
    """
    if len(source) > LARGEST_SOURCE:
        message = f"the source is longer than {LARGEST_SOURCE} characters"
        raise Unmeasurable(message)
    cyclomatic, cognitive, lines = await anyio.to_thread.run_sync(_structure, source)
    findings = await _ruff_findings(source)
    return Readability(
        cyclomatic=cyclomatic,
        cognitive=cognitive,
        lines=lines,
        findings=findings,
        score=score(cyclomatic=cyclomatic, cognitive=cognitive, lines=lines, findings=findings),
    )


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


def _structure(source: str) -> tuple[int, int, int]:
    """Return cyclomatic and cognitive complexity, and the number of statements."""
    tree = parse(source)
    if isinstance(tree, ParseFailure):
        message = f"the source cannot be analysed: {tree}"
        raise Unmeasurable(message)
    try:
        return _cyclomatic(tree), _cognitive(source), _lines(tree)
    except RecursionError as error:
        message = f"the source cannot be analysed: {type(error).__name__}"
        raise Unmeasurable(message) from error


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


async def _ruff_findings(source: str) -> int:
    command = [
        *(sys.executable, "-I", "-m", "ruff", "check", "--isolated", "--no-cache", "--ignore-noqa"),
        *("--select", RULES, "--ignore", NOT_OURS, "--line-length", str(LINE_LENGTH), "--output-format", "json", "-"),
    ]
    text = source if source.endswith("\n") else source + "\n"
    finished: CompletedProcess[bytes] | None = None
    with anyio.move_on_after(CHECK_S):
        finished = await anyio.run_process(command, input=text.encode("utf-8", "replace"), check=False)
    if finished is None or finished.returncode not in (0, 1):
        why = "did not finish" if finished is None else finished.stderr.decode("utf-8", "replace").strip()
        message = f"ruff could not check the source: {why}"
        raise Unmeasurable(message)
    return len(msgspec.json.decode(finished.stdout, type=list[_Finding]))

"""What the evidence says that a model should know: calls with their results, failing tests, the interpreter."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec.structs import replace

from codeens_sandbox_backends.values.render import render_call, render_outcome
from codeens_server.domain.evidence import Case, Evidence
from codeens_server.domain.target import Context, Target
from codeens_server.syntax.parsing import ParseFailure, parse

_MOST_CALLS = 3
_LONGEST_CALL = 300
_MOST_FAILING = 3
_LONGEST_TEST = 2000
_LONGEST_MESSAGE = 1500
_NOTABLE = frozenset(
    {"numpy", "pandas", "scipy", "numba", "polars", "pyarrow", "sortedcontainers", "more-itertools", "cytoolz", "toolz"}
)
"""Packages whose presence decides how a function is best written."""


def with_evidence(context: Context, target: Target, evidence: Evidence, packages: Sequence[str]) -> Context:
    """Return a context with what is known of a function by running it. Blocks: reads tests.

    Args:
        context: what stands around the function.
        target: the function.
        evidence: what is known of it.
        packages: names of the distributions that its interpreter has.
    """
    return replace(
        context,
        calls=tuple(_calls(target, evidence.cases)),
        failing=tuple(_failing(target, evidence)) if evidence.mode == "repair" else (),
        machine=_machine(evidence, packages),
    )


def _calls(target: Target, cases: Sequence[Case]) -> Iterator[str]:
    """Yield calls of tests, and those that people gave, of different sizes; examples stand in the docstring."""
    name = target.qualname.rpartition(".")[2]
    shown = {
        f"{render_call(name, case.input)}  # {render_outcome(case.expected, limit=_LONGEST_CALL)}"
        for case in cases
        if case.origin in {"recorded", "given"} and case.expected is not None
    }
    fitting = sorted((text for text in shown if len(text) <= 2 * _LONGEST_CALL), key=lambda text: (len(text), text))
    if len(fitting) <= _MOST_CALLS:
        yield from fitting
        return
    yield from (fitting[place * (len(fitting) - 1) // (_MOST_CALLS - 1)] for place in range(_MOST_CALLS))


def _failing(target: Target, evidence: Evidence) -> Iterator[str]:
    """Yield the first half of the tests that fail: a model that knew all of them could write for them alone."""
    failing = [test for test in evidence.tests if test.outcome in {"failed", "error"}]
    for test in failing[: min(_MOST_FAILING, (len(failing) + 1) // 2)]:
        source = _source_of(Path(target.root), test.id)
        said = "\n".join(f"# {line}" for line in test.message[-_LONGEST_MESSAGE:].splitlines())
        yield f"# {test.id}\n{source[:_LONGEST_TEST]}\n{said}".rstrip()


def _source_of(root: Path, test_id: str) -> str:
    file, *names = test_id.partition("[")[0].split("::")
    try:
        text = (root / file).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
    tree = parse(text)
    if isinstance(tree, ParseFailure):
        return ""
    node: ast.AST = tree
    for name in names:
        inner = (child for child in ast.iter_child_nodes(node) if getattr(child, "name", None) == name)
        if (found := next(inner, None)) is None:
            return ""
        node = found
    return ast.get_source_segment(text, node) or ""


def _machine(evidence: Evidence, packages: Sequence[str]) -> str:
    if not evidence.python:
        return ""
    notable = sorted(_NOTABLE & {name.lower() for name in packages})
    there = f"; of larger packages {', '.join(notable)} can be imported" if notable else ""
    return f"It runs on Python {evidence.python}{there}."

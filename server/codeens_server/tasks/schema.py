"""Tasks given from outside, and what comes of judging programs on them."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from codeens_server.domain import SCHEMA_VERSION, Score, Verdict


class OutputChecker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How what a program prints is held against what it should print."""

    compare: Literal["exact", "lines", "tokens"] = "lines"
    """`exact`: each character counts. `lines`: not the white space at the ends of lines, nor empty lines at the end.
    `tokens`: white space only separates."""
    ignore_case: bool = False
    any_order: bool = False
    """The lines, or with `tokens` the tokens, may come in any order."""
    absolute_tolerance: float | None = None
    relative_tolerance: float | None = None
    """Numbers may differ by either tolerance, unless both are written as integers."""


class TaskCase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One test case of a task file: a call or a stdin text, and what must come out."""

    args: list[Any] = field(default_factory=list[Any])
    kwargs: dict[str, Any] = field(default_factory=dict[str, Any])
    stdin: str | None = None
    expected_output: Any = None
    """For a call the value; for `stdin` the text, or a list of texts each of which is right."""
    timeout: float | None = None
    weight: float = 1.0


class Task(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A task file for `codeens score` (JSON or YAML)."""

    id: str
    prompt: str
    entry_point: str
    test_cases: tuple[TaskCase, ...] = ()
    checker: OutputChecker = OutputChecker()
    """For the cases with `stdin`."""
    tests: str | None = None
    """Python source defining `check(candidate)`."""
    reference_solution: str | None = None
    difficulty: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])


class ScoredCandidate(Struct, frozen=True, kw_only=True):
    id: str
    """The file's name."""
    source: str
    model: str = ""
    variant: str = ""


class ScoreResult(Struct, frozen=True, kw_only=True):
    rank: int | None
    candidate: ScoredCandidate
    verdict: Verdict
    weight_passed: float = 0.0
    weight_total: float = 0.0
    score: Score | None = None
    reason: str = ""


class ScoreReport(Struct, frozen=True, kw_only=True):
    """The document of `codeens score --json`."""

    schema_version: int = SCHEMA_VERSION
    task: str
    results: tuple[ScoreResult, ...] = ()

"""What the user's tests say of the original: which reach the target, how they end, and what they call it with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from codeens_sandbox_backends.base import RecordedCall, SuiteResult, TestReport, TimedOut
from codeens_sandbox_backends.values.render import render_outcome
from codeens_server.domain import Excluded, Target
from codeens_server.evidence.tests.batches import Batches
from codeens_server.evidence.tests.discovery import Discovery

_MOST_TESTS = 300
_MOST_SECONDS = 10.0
"""Of the tests kept, all together: each candidate has to pass them."""
_WALLS = re.compile(
    r"^E .*(?:PermissionError|Operation not permitted|Read-only file system|No space left on device|ConnectionError"
    r"|ConnectionRefusedError|Network is unreachable|gaierror|Name or service not known|name resolution)",
    re.MULTILINE,
)
"""Errors of the sandbox's walls in what pytest reports of a test."""


class TestEvidence(Struct, frozen=True, kw_only=True):
    """What the user's tests say of the original."""

    __test__ = False

    reaching: tuple[TestReport, ...] = ()
    indirect: int = 0
    recorded: tuple[RecordedCall, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def failing(self) -> tuple[str, ...]:
        """Ids of the tests that reach the target and fail before any change."""
        return tuple(test.id for test in self.reaching if test.outcome in {"failed", "error"})


def is_enough(results: Sequence[SuiteResult], *, least: bool = False) -> bool:
    """Whether no more tests need be looked for; with `least`, whether there is one at all that reaches the target."""
    reaching = [test for result in results for test in result.tests if test.entered > 0]
    if least:
        return bool(reaching)
    return len(reaching) >= _MOST_TESTS or sum(test.seconds for test in reaching) >= _MOST_SECONDS


def sort_out(target: Target, batches: Batches, found: Discovery) -> TestEvidence:
    """Sort all reports into evidence and what is set aside, with the reasons."""
    reports = list({report.id: report for result in batches.results for report in result.tests}.values())
    tests = [report for report in reports if "::" in report.id]
    entered = [report for report in tests if report.entered > 0 and report.outcome != "skipped"]
    hindered = [report for report in entered if report.outcome != "passed" and _WALLS.search(report.message)]
    naming = _naming(target, entered)
    reaching = _affordable([report for report in entered if report not in hindered], naming)
    too_many = len(entered) - len(hindered) - len(reaching)
    entries = [
        *_tests_elsewhere([report for report in tests if report not in entered]),
        Excluded(what="tests", count=len(hindered), why="they need what the sandbox does not give (network, files)"),
        Excluded(what="tests", count=too_many, why="they reach the function; more would take too long per candidate"),
        *_files_not_run(batches, found, [report for report in reports if "::" not in report.id]),
        *_calls_not_kept(batches.results),
    ]
    return TestEvidence(
        reaching=reaching,
        indirect=sum(report.id not in naming for report in reaching),
        recorded=tuple(call for result in batches.results for call in result.recorded),
        excluded=tuple(entry for entry in entries if entry.count),
        notes=tuple(_notes(batches, reaching)),
    )


def _affordable(tests: Sequence[TestReport], naming: frozenset[str]) -> tuple[TestReport, ...]:
    """Failing ones first, then those that name the target, then the quick ones; in the order they ran."""
    chosen: set[str] = set()
    seconds = 0.0
    for test in sorted(tests, key=lambda test: (test.outcome == "passed", test.id not in naming, test.seconds)):
        seconds += test.seconds
        if chosen and (len(chosen) >= _MOST_TESTS or seconds > _MOST_SECONDS):
            break
        chosen.add(test.id)
    return tuple(test for test in tests if test.id in chosen)


def _tests_elsewhere(tests: Sequence[TestReport]) -> Iterator[Excluded]:
    failing = sum(test.outcome in {"failed", "error"} for test in tests)
    yield Excluded(what="tests", count=len(tests) - failing, why="they do not reach the function")
    yield Excluded(
        what="failing tests", count=failing, why="they do not reach the function; they fail before any change"
    )


def _files_not_run(batches: Batches, found: Discovery, uncollected: Sequence[TestReport]) -> Iterator[Excluded]:
    for report in uncollected:
        yield Excluded(what=report.id, count=1, why=f"pytest cannot collect it: {_last_line(report.message)}")
    for file, ending in batches.broken.items():
        yield Excluded(what=file, count=1, why=f"its tests did not run to their end: {render_outcome(ending)}")
    why = batches.hopeless or "the time for tests was used up"
    yield Excluded(what="test files", count=len(batches.late), why=why)
    yield Excluded(what="test files", count=len(batches.spared), why="enough tests reach the function already")
    yield Excluded(what="test files", count=found.left_out, why="less likely to reach the function than those run")
    yield Excluded(what="test files", count=found.unread, why="the time for looking at test files was used up")


def _calls_not_kept(results: Sequence[SuiteResult]) -> Iterator[Excluded]:
    dropped = sum(result.recorded_dropped for result in results)
    unencodable = sorted({name for result in results for name in result.unencodable_types})
    yield Excluded(what="recorded calls", count=dropped, why="over the bound")
    yield Excluded(
        what="types of recorded calls", count=len(unencodable), why=f"no exact encoding: {', '.join(unencodable[:5])}"
    )


def _last_line(message: str) -> str:
    lines = [line.removeprefix("E").strip() for line in message.strip().splitlines()]
    return (lines or ["no reason given"])[-1]


def _notes(batches: Batches, reaching: Sequence[TestReport]) -> Iterator[str]:
    if batches.no_pytest:
        yield "the tests were not run: pytest is not installed for the workspace's interpreter. Install it there."
    elif not reaching and any(isinstance(ending, TimedOut) for ending in batches.broken.values()):
        yield "tests took too long and were left out. Name fewer with --tests, or allow more time with --timeout."


def _naming(target: Target, tests: Sequence[TestReport]) -> frozenset[str]:
    """Ids of tests in files that name the function."""
    name = re.compile(rf"\b{re.escape(target.qualname.rpartition('.')[2])}\b")
    files = {test.id.partition("::")[0] for test in tests}
    naming = {file for file in files if _mentions(Path(target.root) / file, name)}
    return frozenset(test.id for test in tests if test.id.partition("::")[0] in naming)


def _mentions(path: Path, name: re.Pattern[str]) -> bool:
    try:
        return name.search(path.read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return False

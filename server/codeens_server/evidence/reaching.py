"""The user's own tests: which of them reach the target, how they end on the original, and what they call it with."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import anyio.to_thread
from msgspec import Struct

from codeens_sandbox_backends.base import Program, RecordedCall, Sandbox, SuiteResult, TestReport, TimedOut
from codeens_server.domain import RunRequest, SetAside, Target
from codeens_server.evidence.batches import Batches
from codeens_server.evidence.discovery import Discovery, discover, given_tests
from codeens_server.settings import Settings
from codeens_server.trees import render_outcome

Say: TypeAlias = Callable[[str], Awaitable[None]]

_SHARE_OF_TIME = 0.2
"""Of the whole run's seconds, for running the original's tests."""
_LONGEST_S = 120.0
_SHORTEST_S = 20.0
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
    set_aside: tuple[SetAside, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def failing(self) -> tuple[str, ...]:
        """Ids of the tests that reach the target and fail before any change."""
        return tuple(test.id for test in self.reaching if test.outcome in {"failed", "error"})


async def run_tests(
    target: Target, program: Program, *, request: RunRequest, settings: Settings, sandbox: Sandbox, say: Say
) -> TestEvidence:
    """Run the likely test files on the original and keep what reaches the target.

    Args:
        target: The function.
        program: The module as it stands.
        request: Its `tests` replace discovery.
        settings: Limits, and what a run may take: a share of it is for this.
        sandbox: Where they run.
        say: Gets a sentence of progress.

    Raises:
        EvidenceError: tests that were asked for do not exist.
        SandboxError: the sandbox failed.
    """
    found = await anyio.to_thread.run_sync(_selection, target, request.tests)
    if not found.files:
        return TestEvidence()
    await say(f"running {len(found.files)} test {'file' if len(found.files) == 1 else 'files'}")
    seconds = (request.timeout_s or settings.timeout_s) * _SHARE_OF_TIME
    seconds = max(_SHORTEST_S, min(_LONGEST_S, seconds))
    batches = Batches(target.root, program, sandbox, settings.limits, seconds=seconds)
    await batches.run(found.files)
    return await anyio.to_thread.run_sync(_sort_out, target, batches, found)


def _selection(target: Target, paths: tuple[str, ...]) -> Discovery:
    return Discovery(files=given_tests(target, paths)) if paths else discover(target)


def _sort_out(target: Target, batches: Batches, found: Discovery) -> TestEvidence:
    reports = list({report.id: report for result in batches.results for report in result.tests}.values())
    tests = [report for report in reports if "::" in report.id]
    entered = [report for report in tests if report.entered > 0 and report.outcome != "skipped"]
    hindered = [report for report in entered if report.outcome != "passed" and _WALLS.search(report.message)]
    reaching = tuple(report for report in entered if report not in hindered)
    entries = [
        *_tests_elsewhere([report for report in tests if report not in entered]),
        SetAside(
            what="tests", count=len(hindered), why="they need the network or files that the sandbox does not give"
        ),
        *_files_not_run(batches, found, [report for report in reports if "::" not in report.id]),
        *_calls_not_kept(batches.results),
    ]
    return TestEvidence(
        reaching=reaching,
        indirect=_count_indirect(target, reaching),
        recorded=tuple(call for result in batches.results for call in result.recorded),
        set_aside=tuple(entry for entry in entries if entry.count),
        notes=tuple(_notes(batches)),
    )


def _tests_elsewhere(tests: Sequence[TestReport]) -> Iterator[SetAside]:
    failing = sum(test.outcome in {"failed", "error"} for test in tests)
    yield SetAside(what="tests", count=len(tests) - failing, why="they do not reach the function")
    yield SetAside(
        what="failing tests", count=failing, why="they do not reach the function; they fail before any change"
    )


def _files_not_run(batches: Batches, found: Discovery, uncollected: Sequence[TestReport]) -> Iterator[SetAside]:
    for report in uncollected:
        yield SetAside(what=report.id, count=1, why=f"pytest can not collect it: {_last_line(report.message)}")
    for file, ending in batches.broken.items():
        yield SetAside(what=file, count=1, why=f"its tests did not run to their end: {render_outcome(ending)}")
    why = batches.hopeless or "the time for tests was used up"
    yield SetAside(what="test files", count=len(batches.not_run), why=why)
    yield SetAside(what="test files", count=found.left_out, why="less likely to reach the function than those run")
    yield SetAside(what="test files", count=found.unread, why="the time for looking at test files was used up")


def _calls_not_kept(results: Sequence[SuiteResult]) -> Iterator[SetAside]:
    dropped = sum(result.recorded_dropped for result in results)
    exotic = sorted({name for result in results for name in result.exotic_types})
    yield SetAside(what="recorded calls", count=dropped, why="over the bound")
    yield SetAside(what="types of recorded calls", count=len(exotic), why=f"no exact encoding: {', '.join(exotic[:5])}")


def _last_line(message: str) -> str:
    lines = [line.removeprefix("E").strip() for line in message.strip().splitlines()]
    return (lines or ["no reason given"])[-1]


def _notes(batches: Batches) -> Iterator[str]:
    if batches.no_pytest:
        yield "the tests were not run: pytest is not installed for the workspace's interpreter. Install it there."
    elif any(isinstance(ending, TimedOut) for ending in batches.broken.values()):
        yield "tests took too long and were left out. Name fewer with --tests, or allow more time with --timeout."


def _count_indirect(target: Target, reaching: Sequence[TestReport]) -> int:
    """Tests in files that nowhere name the function."""
    name = re.compile(rf"\b{re.escape(target.qualname.rpartition('.')[2])}\b")
    names: dict[str, bool] = {}
    for report in reaching:
        file = report.id.partition("::")[0]
        if file not in names:
            names[file] = _mentions(Path(target.root) / file, name)
    return sum(not names[report.id.partition("::")[0]] for report in reaching)


def _mentions(path: Path, name: re.Pattern[str]) -> bool:
    try:
        return name.search(path.read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return False

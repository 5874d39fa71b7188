"""Run the user's own tests on the original, and sort out what they say of it.

Test files are run in batches, within a time. The reports say which tests reach the target, how they end, and what they
call it with.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import anyio.to_thread
from msgspec import Struct, structs

from codeens_sandbox_backends.base import Sandbox
from codeens_sandbox_backends.jobs import Limits, RecordedCall, SuiteJob, SuiteResult, TestReport, Usage
from codeens_sandbox_backends.programs import CallInput, Outcome, Program, TimedOut
from codeens_sandbox_backends.values.compare import canonical_call
from codeens_sandbox_backends.values.render import render_outcome
from codeens_server.domain.evidence import Excluded
from codeens_server.domain.target import Target
from codeens_server.domain.terms import Mode
from codeens_server.evidence.tests.discovery import Discovery, discover, given_tests
from codeens_server.evidence.tests.import_graph import DirectTests, direct_tests
from codeens_server.evidence.tests.stability import steady
from codeens_server.files import read_regular

Say: TypeAlias = Callable[[str], Awaitable[None]]

_SHARE_OF_TIME = 0.2
"""Of the whole run's seconds, for running the original's tests."""
_LONGEST_S = 120.0
_SHORTEST_S = 20.0
_FOR_MORE_S = 20.0
"""For finding indirect tests, once direct ones are known."""
_FILES_PER_BATCH = 8
_SHARE_FOR_ONE = 0.5
"""Of the time that is left, for one batch: a test that hangs shall not cost the others theirs."""
_SHORTEST_BATCH_S = 10.0
_NO_PYTEST = "pytest is not installed"
_HOPELESS = (_NO_PYTEST, "pytest could not start")
"""What pytest itself says when no other selection of files would do better."""
_MOST_TESTS = 300
_MOST_SECONDS = 10.0
"""Of the tests kept, all together: each candidate has to pass them."""
_WALLS = re.compile(
    r"^E .*(?:PermissionError|Operation not permitted|Read-only file system|No space left on device|ConnectionError"
    r"|ConnectionRefusedError|Network is unreachable|gaierror|Name or service not known|name resolution)",
    re.MULTILINE,
)
"""Errors of the sandbox's walls in what pytest reports of a test."""


async def run_tests(
    target: Target,
    program: Program,
    *,
    asked_for: Sequence[str],
    deselect: Sequence[str],
    run_timeout_s: float,
    limits: Limits,
    sandbox: Sandbox,
    say: Say,
) -> TestEvidence:
    """Run the likely tests and keep those that reach the target: first those that name it, then whole files.

    What is kept is to be run again by `run_again`.

    Args:
        target: The function.
        program: The module as it stands.
        asked_for: Tests that replace discovery, when there are any.
        deselect: Tests, or beginnings of their ids, that are not run.
        run_timeout_s: What the whole run may take: a share of it is for this.
        limits: What each job may take.
        sandbox: Where they run.
        say: Gets a sentence of progress.

    Raises:
        EvidenceError: tests that were asked for, or are to be left out, do not exist.
        SandboxError: the sandbox failed.
    """
    share = run_timeout_s * _SHARE_OF_TIME
    seconds = max(_SHORTEST_S, min(_LONGEST_S, share))
    left_out = await anyio.to_thread.run_sync(given_tests, target, deselect)
    batches = SuiteBatches(target.root, program, sandbox, limits, left_out)
    if asked_for:
        found = Discovery(await anyio.to_thread.run_sync(given_tests, target, asked_for))
        await say(f"running the tests in {', '.join(found.files[:3])}")
        await batches.run([SelectedTests(test.partition("::")[0], (test,)) for test in found.files], seconds=seconds)
    else:
        found, direct = await anyio.to_thread.run_sync(_likely, target)
        if found.files:
            await say(f"running {len(found.files)} test {'file' if len(found.files) == 1 else 'files'}")
            await _run_likely(direct, batches, SuiteBatches(target.root, program, sandbox, limits, left_out), seconds)
    told = await anyio.to_thread.run_sync(sort_out, target, batches, found)
    asked = tuple(Excluded(what=test, count=1, why="it was asked to be left out") for test in left_out)
    return structs.replace(told, excluded=(*asked, *told.excluded))


async def run_again(
    tests: TestEvidence, *, root: str, program: Program, limits: Limits, sandbox: Sandbox, say: Say
) -> TestEvidence:
    """Run the tests that reach the target again, alone, and keep those that end as they did.

    Args:
        tests: what `run_tests` found.
        root: the workspace.
        program: the module as it stands.
        limits: what each job may take.
        sandbox: where they run.
        say: Gets a sentence of progress.

    Raises:
        SandboxError: the sandbox failed.
    """
    if tests.reaching:
        await say(f"running the {len(tests.reaching)} tests that reach it again")
    same = await steady(tests.reaching, root=root, program=program, limits=limits, took=tests.took, sandbox=sandbox)
    return structs.replace(tests, reaching=same.tests, excluded=(*tests.excluded, *same.excluded), limits=same.limits)


def _likely(target: Target) -> tuple[Discovery, list[DirectTests]]:
    found = discover(target)
    name = target.qualname.rpartition(".")[2]
    return found, [direct_tests(Path(target.root), file, name) for file in found.files]


async def _run_likely(tests: list[DirectTests], batches: SuiteBatches, first: SuiteBatches, seconds: float) -> None:
    """Fill `batches`. Whatever goes wrong with single tests in `first` is found again with their file."""
    await first.run([SelectedTests(item.file, item.ids) for item in tests if item.ids], seconds=seconds / 2)
    done = {item.file for item in tests if item.ids and item.is_all} - {*first.broken, *first.late}
    batches.results += first.results
    rest = [SelectedTests(item.file, (item.file,)) for item in tests if item.file not in done]
    left = min(seconds / 2, _FOR_MORE_S) if is_enough(first.results, least=True) else seconds / 2
    await batches.run(rest, seconds=left, enough=lambda: is_enough(batches.results))


class SelectedTests(NamedTuple):
    """A file, and what of it is to be run."""

    file: str
    ids: tuple[str, ...]


class SuiteBatches:
    """Results of what was run so far. A batch that crashes is run again file by file; one that hangs is not."""

    def __init__(
        self, root: str, program: Program, sandbox: Sandbox, limits: Limits, deselect: tuple[str, ...]
    ) -> None:
        self._root = root
        self._program = program
        self._sandbox = sandbox
        self._limits = limits
        self._deselect = deselect
        self._waited_s = 0.0
        """What the machine kept the tests waiting is not taken off their time."""
        self.results: list[SuiteResult] = []
        self.broken: dict[str, Outcome] = {}
        """Files whose tests did not run to their end, and how they ended."""
        self.late: list[str] = []
        """Files that there was no time for."""
        self.spared: list[str] = []
        """Files that were not needed any more."""

    async def run(
        self, selection: Sequence[SelectedTests], *, seconds: float, enough: Callable[[], bool] = lambda: False
    ) -> None:
        """Run the files in this order, until the time is used up or it is enough.

        Raises:
            SandboxError: the sandbox failed.
        """
        deadline = time.monotonic() + seconds
        before_s = self._waited_s
        pending = [selection[start : start + _FILES_PER_BATCH] for start in range(0, len(selection), _FILES_PER_BATCH)]
        while pending:
            batch, *pending = pending
            left = deadline + self._waited_s - before_s - time.monotonic()
            if enough():
                self.spared += [selected.file for selected in batch]
            elif left < 1.0 or self.hopeless:
                self.late += [selected.file for selected in batch]
            else:
                pending = [*await self._batch(batch, left), *pending]

    @property
    def hopeless(self) -> str:
        """Why no file can be run at all; empty when some can."""
        endings = [render_outcome(ending) for ending in self.broken.values()]
        return next((ending for ending in endings if any(sign in ending for sign in _HOPELESS)), "")

    @property
    def no_pytest(self) -> bool:
        """Whether the interpreter has no pytest."""
        return _NO_PYTEST in self.hopeless

    async def _batch(self, batch: Sequence[SelectedTests], left: float) -> list[Sequence[SelectedTests]]:
        """Run some files; the smaller batches to run instead if that failed."""
        ids = tuple(test for selected in batch for test in selected.ids)
        result = await self._sandbox.run(self._job(ids, max(_SHORTEST_BATCH_S, left * _SHARE_FOR_ONE)))
        ending = result.failure
        hopeless = ending is not None and any(sign in render_outcome(ending) for sign in _HOPELESS)
        if ending is not None and len(batch) > 1 and not hopeless and not isinstance(ending, TimedOut):
            return [[selected] for selected in batch]
        self.results.append(result)
        self._waited_s += result.usage.waited_s
        if ending is not None:
            files = [selected.file for selected in batch]
            self.broken.update(dict.fromkeys(files if hopeless else _unfinished(files, result), ending))
        return []

    def _job(self, ids: tuple[str, ...], seconds: float) -> SuiteJob:
        limits = structs.replace(self._limits, wall_s=seconds, cpu_s=seconds)
        return SuiteJob(
            kind="pytest",
            root=self._root,
            program=self._program,
            selection=ids,
            deselect=self._deselect,
            record=True,
            limits=limits,
        )


def _unfinished(files: Sequence[str], result: SuiteResult) -> Sequence[str]:
    """Return the files from the one on in which the last test ended: it may have had more."""
    ended = {test.id.partition("::")[0] for test in result.tests}
    begun = [place for place, file in enumerate(files) if file in ended]
    return files[max(begun, default=0) :]


class TestEvidence(Struct, frozen=True, kw_only=True):
    """What the user's tests say of the original."""

    __test__ = False

    reaching: tuple[TestReport, ...] = ()
    took: tuple[Usage, ...] = ()
    """What the runs took in which they were."""
    limits: Limits | None = None
    """What a candidate's run of them may take."""
    indirect: int = 0
    recorded: tuple[RecordedCall, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def failing(self) -> tuple[str, ...]:
        """Ids of the tests that reach the target and fail before any change."""
        return tuple(test.id for test in self.reaching if test.outcome in {"failed", "error"})

    def for_mode(self, mode: Mode) -> tuple[TestReport, ...]:
        """Return the tests that candidates are held to."""
        return tuple(test for test in self.reaching if mode != "improve" or test.outcome == "passed")

    def failing_aside(self, mode: Mode) -> tuple[Excluded, ...]:
        """Return, by name, tests that an improvement is not held to, since the original does not pass them."""
        if mode != "improve":
            return ()
        return tuple(Excluded(what=name, count=1, why="it fails before any change") for name in self.failing)


def is_enough(results: Sequence[SuiteResult], *, least: bool = False) -> bool:
    """Return whether no more tests need be looked for; with `least`, whether one at all reaches the target."""
    reaching = [test for result in results for test in result.tests if test.entered > 0]
    if least:
        return bool(reaching)
    return len(reaching) >= _MOST_TESTS or sum(test.seconds for test in reaching) >= _MOST_SECONDS


def sort_out(target: Target, batches: SuiteBatches, found: Discovery) -> TestEvidence:
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
        took=tuple(result.usage for result in batches.results),
        recorded=tuple(call for result in batches.results for call in result.recorded),
        excluded=tuple(entry for entry in entries if entry.count),
        notes=tuple(_notes(batches, reaching)),
    )


def _affordable(tests: Sequence[TestReport], naming: frozenset[str]) -> tuple[TestReport, ...]:
    """Choose tests that every candidate must pass: failing ones, then those that name the target, then quick ones.

    Returns:
        Those chosen, in the order they ran.
    """
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


def _files_not_run(batches: SuiteBatches, found: Discovery, uncollected: Sequence[TestReport]) -> Iterator[Excluded]:
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


def _notes(batches: SuiteBatches, reaching: Sequence[TestReport]) -> Iterator[str]:
    if batches.no_pytest:
        yield "the tests were not run: pytest is not installed for the workspace's interpreter. Install it there."
    elif not reaching and any(isinstance(ending, TimedOut) for ending in batches.broken.values()):
        yield "tests took too long and were left out: name fewer, or allow the run more time."


def _naming(target: Target, tests: Sequence[TestReport]) -> frozenset[str]:
    """Return ids of tests in files that name the function."""
    name = re.compile(rf"\b{re.escape(target.qualname.rpartition('.')[2])}\b")
    files = {test.id.partition("::")[0] for test in tests}
    naming = {file for file in files if _mentions(Path(target.root) / file, name)}
    return frozenset(test.id for test in tests if test.id.partition("::")[0] in naming)


def _mentions(path: Path, name: re.Pattern[str]) -> bool:
    try:
        return name.search(read_regular(path).decode("utf-8", "replace")) is not None
    except OSError:
        return False


def distinct_calls(recorded: Iterable[RecordedCall], known: Sequence[CallInput]) -> list[RecordedCall]:
    """Return the first call with each input that is not among those known."""
    seen = {canonical_call(call) for call in known}
    kept: list[RecordedCall] = []
    for call in recorded:
        key = canonical_call(call.input)
        if key not in seen:
            seen.add(key)
            kept.append(call)
    return kept

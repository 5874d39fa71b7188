"""The library's functions: each opens a session for one use. Those in `_sync` wait, also where a loop is running."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar, Unpack, overload

from anyio.from_thread import start_blocking_portal

from codeens._candidates import GIVEN, Candidates
from codeens._options import RunKeywords
from codeens._progress import shown_progress
from codeens._results import Report, Run
from codeens._running import CodeResult
from codeens._runs import OnEvent, finished
from codeens._session import Session
from codeens._targets import TargetLike
from codeens_sandbox_backends.jobs import Limits
from codeens_server.config.settings import Settings
from codeens_server.domain.target import Candidate
from codeens_server.run.engine import RunStream
from codeens_server.run.state import RunState
from codeens_server.tasks.schema import Task
from codeens_server.views.run_view import progress_of

if TYPE_CHECKING:
    from codeens._comparing import Comparison

T = TypeVar("T")
SomeSettings: TypeAlias = Settings | Mapping[str, object] | None


async def run(
    target: TargetLike,
    *,
    workspace: str | Path = ".",
    settings: SomeSettings = None,
    on_event: OnEvent | None = None,
    progress: bool | None = None,
    **options: Unpack[RunKeywords],
) -> Run:
    """Ask an ensemble for better implementations of a function, prove each, and rank them.

    Args:
        target: `path.py::function`, `path.py::Class.method` or `path.py:LINE`; or `Code`, a module without a file.
        workspace: the folder that relative paths start at.
        settings: all settings; or some, by name, over what is configured.
        on_event: gets every event as it comes.
        progress: whether to show how far it is; None: in a notebook and on a terminal.
        options: what is asked; see `RunKeywords`.

    Returns:
        The finished run.

    Raises:
        CodeensError: the request is wrong (`InputError`), or the run could not be completed (`RunError`).
        SandboxError: the sandbox asked for cannot isolate here.
    """
    async with Session(workspace, settings=settings) as session:
        with shown_progress(wanted=progress) as show:

            def tell(state: RunState) -> None:
                seen = progress_of(state)
                show(seen.text or seen.doing, seen.done, seen.total)

            return await finished(session.stream(target, **options), on_event, tell)


def run_sync(
    target: TargetLike,
    *,
    workspace: str | Path = ".",
    settings: SomeSettings = None,
    on_event: OnEvent | None = None,
    progress: bool | None = None,
    **options: Unpack[RunKeywords],
) -> Run:
    """Do what `run` does, and wait for it. Events come in another thread.

    Raises:
        CodeensError: see `run`.
        SandboxError: see `run`.
    """
    return _wait(
        lambda: run(target, workspace=workspace, settings=settings, on_event=on_event, progress=progress, **options)
    )


@asynccontextmanager
async def stream(
    target: TargetLike, *, workspace: str | Path = ".", settings: SomeSettings = None, **options: Unpack[RunKeywords]
) -> AsyncGenerator[RunStream]:
    """Start a run, and give its events as they come: `async with stream(...) as events: async for event in events`.

    Leaving the block early cancels all that is under way; `events.stop()` ends the work and ranks what was found.

    Args:
        target: see `run`.
        workspace: see `run`.
        settings: see `run`.
        options: what is asked; see `RunKeywords`.

    Raises:
        CodeensError: see `run`.
        SandboxError: see `run`.
    """
    async with Session(workspace, settings=settings) as session, session.stream(target, **options) as events:
        yield events


@overload
async def judge(
    subject: Task,
    candidates: Candidates,
    *,
    workspace: str | Path = ...,
    settings: SomeSettings = ...,
    author: str = ...,
    **options: Unpack[RunKeywords],
) -> Report: ...
@overload
async def judge(
    subject: TargetLike,
    candidates: Candidates,
    *,
    workspace: str | Path = ...,
    settings: SomeSettings = ...,
    author: str = ...,
    **options: Unpack[RunKeywords],
) -> Run: ...
async def judge(
    subject: Task | TargetLike,
    candidates: Candidates,
    *,
    workspace: str | Path = ".",
    settings: SomeSettings = None,
    author: str = GIVEN,
    **options: Unpack[RunKeywords],
) -> Report | Run:
    """Judge given candidates: by a task, or against a function, in which case they are also measured and ranked.

    Args:
        subject: a task, or the function; see `run`.
        candidates: their sources by id, or a list of sources.
        workspace: see `run`.
        settings: see `run`.
        author: what results call those who wrote them.
        options: see `RunKeywords`; no model is asked, and of a task only `sandbox` counts.

    Returns:
        A report for a task, a run for a function.

    Raises:
        InputError: the arguments are wrong, or the task fails its own reference solution.
        SandboxError: the sandbox failed; nothing is known of the candidates.
    """
    async with Session(workspace, settings=settings) as session:
        return await session.judge(subject, candidates, author=author, **options)


@overload
def judge_sync(
    subject: Task,
    candidates: Candidates,
    *,
    workspace: str | Path = ...,
    settings: SomeSettings = ...,
    author: str = ...,
    **options: Unpack[RunKeywords],
) -> Report: ...
@overload
def judge_sync(
    subject: TargetLike,
    candidates: Candidates,
    *,
    workspace: str | Path = ...,
    settings: SomeSettings = ...,
    author: str = ...,
    **options: Unpack[RunKeywords],
) -> Run: ...
def judge_sync(
    subject: Task | TargetLike,
    candidates: Candidates,
    *,
    workspace: str | Path = ".",
    settings: SomeSettings = None,
    author: str = GIVEN,
    **options: Unpack[RunKeywords],
) -> Report | Run:
    """Do what `judge` does, and wait for it.

    Raises:
        InputError: see `judge`.
        SandboxError: see `judge`.
    """

    async def judged() -> Report | Run:
        return await judge(subject, candidates, workspace=workspace, settings=settings, author=author, **options)

    return _wait(judged)


async def compare(
    a: str | Candidate,
    b: str | Candidate,
    *,
    of: TargetLike | Run | None = None,
    calls: Sequence[str] = (),
    workspace: str | Path = ".",
    settings: SomeSettings = None,
) -> Comparison:
    """Find the smallest input on which two implementations of a function differ.

    Args:
        a: a source, a candidate, or `original`; of a run also the id of one of its candidates.
        b: likewise.
        of: the function that they implement, or a run of it; None: `a` is that function, and `b` is another.
        calls: inputs to try in any case, as Python writes them: `f([1, 2])`.
        workspace: see `run`.
        settings: see `run`.

    Returns:
        The smallest input found, and what each does on it; or that they did the same on all inputs tried.

    Raises:
        InputError: one cannot stand in for the function, or nothing is known of its inputs.
        SandboxError: the sandbox failed.
    """
    async with Session(workspace, settings=settings) as session:
        return await session.compare(a, b, of=of, calls=calls)


def compare_sync(
    a: str | Candidate,
    b: str | Candidate,
    *,
    of: TargetLike | Run | None = None,
    calls: Sequence[str] = (),
    workspace: str | Path = ".",
    settings: SomeSettings = None,
) -> Comparison:
    """Do what `compare` does, and wait for it.

    Raises:
        InputError: see `compare`.
        SandboxError: see `compare`.
    """
    return _wait(lambda: compare(a, b, of=of, calls=calls, workspace=workspace, settings=settings))


async def run_code(
    source: str,
    *,
    calls: Sequence[str] = (),
    tests: str | None = None,
    function: str | None = None,
    stdin: str | Sequence[str] | None = None,
    argv: Sequence[str] = (),
    limits: Limits | None = None,
    workspace: str | Path = ".",
    settings: SomeSettings = None,
) -> CodeResult:
    """Run code that nobody trusts, in one of three ways: calls, tests, or as a script.

    Args:
        source: a module, or a script.
        calls: calls of one of its functions, as Python writes them, with literal arguments: `f([1, 2])`.
        tests: Python with `check(candidate)`, asserts that name the function, test functions, or unittest classes.
        function: the function that the tests call.
        stdin: what the script reads; several texts are several runs.
        argv: the script's arguments.
        limits: what the code may use; None: as configured.
        workspace: the project whose interpreter runs it.
        settings: see `run`.

    Returns:
        What the code did.

    Raises:
        InputError: the arguments do not fit each other, or a call is none.
        SandboxError: the sandbox failed; nothing is known of the code.
    """
    async with Session(workspace, settings=settings) as session:
        return await session.run_code(
            source, calls=calls, tests=tests, function=function, stdin=stdin, argv=argv, limits=limits
        )


def run_code_sync(
    source: str,
    *,
    calls: Sequence[str] = (),
    tests: str | None = None,
    function: str | None = None,
    stdin: str | Sequence[str] | None = None,
    argv: Sequence[str] = (),
    limits: Limits | None = None,
    workspace: str | Path = ".",
    settings: SomeSettings = None,
) -> CodeResult:
    """Do what `run_code` does, and wait for it.

    Raises:
        InputError: see `run_code`.
        SandboxError: see `run_code`.
    """
    return _wait(
        lambda: run_code(
            source,
            calls=calls,
            tests=tests,
            function=function,
            stdin=stdin,
            argv=argv,
            limits=limits,
            workspace=workspace,
            settings=settings,
        )
    )


def _wait(work: Callable[[], Awaitable[T]]) -> T:
    """Wait for work, done by a loop in a thread of its own: this thread may have one, as in a notebook.

    When the wait is interrupted, by Ctrl-C for one, the work is cancelled, and nothing of it is left.
    """
    with start_blocking_portal() as portal:
        done = portal.start_task_soon(work)
        try:
            return done.result()
        except BaseException:
            done.cancel()
            raise

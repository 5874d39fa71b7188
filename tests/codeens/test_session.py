"""A session makes runs of functions in files and of code without a file, and finds them again."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

import codeens
from codeens_server.run.events import RunFinished, RunStarted

SLOW = '''\
def squares(numbers: list[int]) -> list[int]:
    """Squares.

    >>> squares([1, 2])
    [1, 4]
    """
    result = []
    for number in numbers:
        result.append(number * number)
    return result
'''
"""Offline rewrites have something to say of it."""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    (folder / "tools.py").write_text(SLOW, encoding="utf-8")
    return folder


@pytest.fixture
def session(workspace: Path, tmp_path: Path) -> codeens.Session:
    settings = {"results": str(tmp_path / "results"), "max_inputs": 10}
    return codeens.Session(workspace, settings=settings, environ={})


def test_a_run_of_a_function_in_a_file_is_ranked_and_found_again(session: codeens.Session) -> None:
    async def main() -> None:
        async with session:
            run = await session.run("tools.py::squares")
            assert run.document.results
            assert [line.run_id for line in await session.runs()] == [run.run_id]
            assert (await session.load(run.run_id)).document == run.document

    anyio.run(main)


def test_events_come_while_the_run_is_made(session: codeens.Session) -> None:
    async def main() -> None:
        async with session, session.stream("tools.py::squares", goal="readability") as stream:
            events = [event async for event in stream]
        assert isinstance(events[0], RunStarted)
        assert events[0].request.goal == "readability"
        assert isinstance(events[-1], RunFinished)

    anyio.run(main)


def test_code_without_a_file_is_judged_against_given_candidates(session: codeens.Session) -> None:
    async def main() -> None:
        async with session:
            given = {
                "comprehension": "def squares(numbers):\n    return [number * number for number in numbers]",
                "wrong": "def squares(numbers):\n    return numbers",
            }
            async with session.stream_judge(codeens.Code(SLOW), given) as stream:
                events = [event async for event in stream]
        last = events[-1]
        assert isinstance(last, RunFinished)
        verdicts = {row.candidate.id: row.verdict.status for row in last.run.results}
        assert verdicts == {"comprehension": "passed", "wrong": "failed"}

    anyio.run(main)

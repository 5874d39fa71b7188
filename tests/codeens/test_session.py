"""A session makes runs of functions in files and of code without a file, and finds them again."""

from __future__ import annotations

import anyio

import codeens
from codeens_server.run.events import RunFinished, RunStarted
from tests.codeens.sources import COMPREHENSION, SLOW, WRONG


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
            given = {"comprehension": COMPREHENSION, "wrong": WRONG}
            async with session.stream_judge(codeens.Code(SLOW), given) as stream:
                events = [event async for event in stream]
        last = events[-1]
        assert isinstance(last, RunFinished)
        verdicts = {row.candidate.id: row.verdict.status for row in last.run.results}
        assert verdicts == {"comprehension": "passed", "wrong": "failed"}

    anyio.run(main)

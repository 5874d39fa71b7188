"""A session makes runs of functions in files and of code without a file, and finds them again."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

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


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"goal": "fastest"}, "wrong_option"),
        ({"samples": "many"}, "wrong_option"),
        ({"samples": 0}, "limit_not_positive"),
        ({"modle": ["m"]}, "no_such_option"),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_written(
    session: codeens.Session, options: dict[str, Any], code: str
) -> None:
    async def main() -> None:
        async with session:
            with pytest.raises(codeens.CodeensError) as caught:
                await session.run("tools.py::squares", **options)
            assert caught.value.code == code
            assert await session.runs() == []

    anyio.run(main)


def test_one_text_is_one_name_and_no_list_of_letters(session: codeens.Session) -> None:
    async def main() -> None:
        async with session:
            for asked in (session.run, session.generate):
                with pytest.raises(codeens.CodeensError, match="no model is called 'nosuch'"):
                    await asked("tools.py::squares", models="nosuch")

    anyio.run(main)


def test_an_input_on_which_candidates_differ_is_pinned_and_all_are_held_to_it(session: codeens.Session) -> None:
    async def main() -> None:
        async with session:
            run = await session.judge("tools.py::squares", {"right": COMPREHENSION, "wrong": WRONG}, goal="speed")
            case = await session.pin(run.run_id, 1)
            again = await session.rejudge(run.run_id)
            events = [event async for event in session.follow(run.run_id, after=1)]
        assert again.run_id == run.run_id
        assert case.id in {held.id for held in again.document.evidence.cases}
        assert isinstance(events[-1], RunFinished)
        assert events[-1].run == again.document

    anyio.run(main)


def test_a_run_that_is_not_there_has_a_code(session: codeens.Session) -> None:
    async def main() -> None:
        async with session:
            with pytest.raises(codeens.CodeensError) as caught:
                await session.load("20200101-000000")
            assert caught.value.code == "no_such_run"

    anyio.run(main)

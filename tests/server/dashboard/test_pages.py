"""What people see of runs, and that what strangers wrote is only ever text."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import pytest
from msgspec.structs import replace

from codeens import Session
from codeens_server.run.events import CandidateGenerated, GenerationFailed
from codeens_server.run.sandboxes import SandboxUse
from tests.server import facts
from tests.server.dashboard.conftest import RUN

pytestmark = pytest.mark.anyio
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202eevil\"'>"


async def text_of(client: httpx.AsyncClient, path: str) -> str:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_runs_are_listed_with_what_came_of_them(client: httpx.AsyncClient) -> None:
    page = await text_of(client, "/")

    assert f'href="/runs/{RUN}"' in page
    assert "2.31 times as fast" in page


async def test_runs_are_found_by_their_function_and_by_how_they_ended(client: httpx.AsyncClient) -> None:
    assert RUN in await text_of(client, "/?text=SUMS.py&shown=improved")
    assert "No run is like that." in await text_of(client, "/?text=100%25")
    assert RUN not in await text_of(client, "/?shown=open")


async def test_a_run_is_shown_with_its_table_differences_and_evidence(client: httpx.AsyncClient) -> None:
    page = await text_of(client, f"/runs/{RUN}")

    assert "2.2 to 2.45 times as fast" in page
    assert "total([1, 2]) gave 4, not 3" in page
    assert "total([])" in page
    assert "only 3 inputs, which run 40 % of the lines" in page


async def test_a_run_can_be_looked_at_as_it_was_after_any_of_its_events(client: httpx.AsyncClient) -> None:
    early = await text_of(client, f"/runs/{RUN}?at=3")

    assert "As it was after event 3 of 9" in early
    assert "waiting" in early
    assert "2.31 times as fast" not in early


async def test_a_change_is_shown_beside_the_original(client: httpx.AsyncClient) -> None:
    page = await text_of(client, f"/runs/{RUN}/diff/c1")
    patch = await text_of(client, f"/api/runs/{RUN}/diff/c1")

    assert 'class="removed"' in page
    assert "-    result = 0" in patch
    assert "+    return sum(items)" in patch


async def test_two_runs_stand_beside_each_other(client: httpx.AsyncClient) -> None:
    page = await text_of(client, f"/compare?a={RUN}&b={RUN}")

    assert page.count("maker/small · performance is 2.31 times as fast") == 2
    assert "What differs between them" in page


async def test_identical_answers_of_one_run_are_one_win(client: httpx.AsyncClient) -> None:
    board = await text_of(client, "/leaderboard")
    costs = await text_of(client, "/costs")

    assert "100 % [21, 100]" in board
    assert "$0.0060 for 1 win, $0.0060 a win" in costs


@pytest.mark.parametrize("path", ["/runs/none", f"/runs/{RUN}/diff/none", "/nothing", "/runs/none?part=true"])
async def test_what_there_is_none_of_is_a_page_that_says_so(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert answer.status_code == 404
    assert "This cannot be shown" in answer.text


async def test_what_strangers_wrote_is_shown_as_text_on_every_page(client: httpx.AsyncClient, session: Session) -> None:
    run = (await session.load(RUN)).document
    hostile = replace(
        facts.candidate("c1"),
        model=HOSTILE,
        variant=HOSTILE,
        source=f"def total(items):\n    return 1  # {HOSTILE}\n",
        rationale=HOSTILE,
        response=HOSTILE,
        latency_s=1.5,
    )
    target = run.target
    store = await session.opened_store()
    events = [
        replace(event, candidate=hostile)
        if isinstance(event, CandidateGenerated) and event.candidate.id == "c1"
        else event
        for event in facts.found(target, "20260102-bbbbbb")
    ]
    await facts.keep(store, events)
    began = datetime.now(UTC)
    used = SandboxUse(python=HOSTILE, label=HOSTILE, opened=began, closed=None, jobs=1, busy_s=0.5)
    failed = GenerationFailed(call=HOSTILE, model=HOSTILE, variant=HOSTILE, why=HOSTILE, latency_s=2.5)
    state = await store.load("20260102-bbbbbb")
    state.apply(failed)
    await store.append(state, failed, sandboxes=[used])

    paths = ["/", "/activity", "/runs/20260102-bbbbbb", "/runs/20260102-bbbbbb/diff/c1", "/leaderboard", "/costs"]
    pages = [await text_of(client, path) for path in [*paths, "/compare?a=20260102-bbbbbb&b=20260102-bbbbbb"]]
    pages.append(await text_of(client, f"/?text={quote(HOSTILE)}"))

    assert [page for page in pages if "<script>alert" in page or "\x1b" in page or "\u202e" in page] == []
    assert "&lt;script&gt;" in pages[2]
    assert pages[1].count("&lt;script&gt;") == 8

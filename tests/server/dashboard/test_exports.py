"""What is on the screen is given as files, and what strangers wrote is text in each of them."""

from __future__ import annotations

import csv
import io
import json
import re

import httpx
import pytest
from msgspec.structs import replace

from codeens import Session
from codeens_server.run.events import CandidateGenerated
from tests.server import facts
from tests.server.dashboard.conftest import RUN

pytestmark = pytest.mark.anyio
PAGES = (f"runs/{RUN}.{{}}", "leaderboard.{}", "costs.{}", f"compare.{{}}?a={RUN}&b={RUN}")
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e![x](https://evil.example)|"


async def file_of(client: httpx.AsyncClient, path: str) -> httpx.Response:
    answer = await client.get(f"/api/export/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    return answer


async def test_a_run_is_a_file_of_each_form(client: httpx.AsyncClient) -> None:
    files = {form: (await file_of(client, f"runs/{RUN}.{form}")).text for form in ("md", "html", "csv", "json")}

    assert "| 1 | maker/small · performance (c1) | passed" in files["md"]
    assert "<td>maker/small · performance (c1)</td>" in files["html"]
    rows = list(csv.reader(io.StringIO(files["csv"])))
    assert ["Where candidates differ"] in rows
    assert json.loads(files["json"])["run_id"] == RUN


async def test_lists_and_comparisons_are_files_too(client: httpx.AsyncClient) -> None:
    board, costs, both = [(await file_of(client, page.format("csv"))).text for page in PAGES[1:]]

    assert 'maker/small,performance,"100 % [21, 100]",1' in board
    assert "maker/small,3,1,0,$0.0060" in costs
    assert 'maker/small · performance,"2.31 [2.2, 2.45]","2.31 [2.2, 2.45]",' in both


@pytest.mark.parametrize("path", ["runs/none.md", f"compare.csv?a={RUN}&b=none"])
async def test_of_a_run_that_is_not_there_there_is_no_file(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"/api/export/{path}")).status_code == 404


async def test_a_form_that_is_none_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/export/costs.exe")).status_code == 422


@pytest.mark.parametrize("model", [HOSTILE, '=HYPERLINK("https://evil.example")', "@SUM(1)", "-2+3"])
async def test_what_strangers_wrote_is_text_in_every_file(
    client: httpx.AsyncClient, session: Session, model: str
) -> None:
    target = (await session.load(RUN)).document.target
    events = [
        replace(event, candidate=replace(event.candidate, model=model))
        if isinstance(event, CandidateGenerated)
        else event
        for event in facts.found(target, "20260102-bbbbbb")
    ]
    await facts.keep(await session.opened_store(), events)

    pages = ("runs/20260102-bbbbbb.{}", "leaderboard.{}", "costs.{}")
    texts = [(await file_of(client, page.format(form))).text for page in pages for form in ("md", "html", "csv")]
    cells = [cell for text in texts[2::3] for row in csv.reader(io.StringIO(text)) for cell in row]

    assert [text for text in texts if "\x1b" in text or "\u202e" in text] == []
    assert [text for text in texts[::3] if re.search(r"!\[|(?<!\\)<", text)] == []
    assert [text for text in texts[1::3] if "<script>alert" in text] == []
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []

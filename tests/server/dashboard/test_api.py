"""The API: documents are as described, runs are started, followed and ended, and wrong requests lose nothing."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx
import jsonschema
import pytest

from tests.server.dashboard.conftest import RUN

pytestmark = pytest.mark.anyio


async def json_of(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("/api/runs", "/api/runs?shown=finished&limit=5"),
        ("/api/runs/{run_id}", f"/api/runs/{RUN}"),
        ("/api/runs/{run_id}", "/api/runs/aaaaaa"),
        ("/api/runs/{run_id}/document", f"/api/runs/{RUN}/document"),
        ("/api/systems", "/api/systems"),
        ("/api/costs", "/api/costs"),
    ],
)
async def test_what_is_answered_is_what_the_openapi_document_says(
    client: httpx.AsyncClient, route: str, path: str
) -> None:
    described = await json_of(client, "/api/openapi.json")
    schema = described["paths"][route]["get"]["responses"]["200"]["content"]["application/json"]["schema"]

    jsonschema.validate(await json_of(client, path), {**schema, "components": described["components"]})


async def test_pages_of_runs_follow_each_other(client: httpx.AsyncClient) -> None:
    assert (await json_of(client, "/api/runs?limit=1"))["following"] is None
    assert (await json_of(client, f"/api/runs?before={RUN}"))["runs"] == []


async def test_events_are_sent_from_the_one_that_is_known_on(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/api/runs/{RUN}/events", headers={"last-event-id": "7"})

    kinds = [line.split(": ")[1] for line in answer.text.splitlines() if line.startswith("event: ")]
    numbers = [line.split(": ")[1] for line in answer.text.splitlines() if line.startswith("id: ")]
    assert kinds == ["candidate_measured", "run_finished"]
    assert numbers == ["8", "9"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", "wrong_request"),
        (b"{}", "wrong_request"),
        (b'{"target": "sums.py::total", "extra": 1}', "wrong_request"),
        (b'{"target": "none.py::f"}', "target"),
        (b'{"target": "sums.py::total", "options": {"goall": "speed"}}', "no_such_option"),
        (b'{"target": "sums.py::total", "options": {"goal": "fame"}}', "wrong_option"),
        (b'{"target": "' + b"x" * (1 << 20) + b'"}', "too_large"),
    ],
)
async def test_a_wrong_request_starts_nothing_and_says_why(client: httpx.AsyncClient, body: bytes, code: str) -> None:
    answer = await client.post("/api/runs", content=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert len((await json_of(client, "/api/runs"))["runs"]) == 1


async def test_a_run_is_started_shown_before_it_is_stored_and_ended(client: httpx.AsyncClient) -> None:
    started = await client.post("/api/runs", content=json.dumps({"target": "sums.py::total"}).encode())
    run_id = started.json()["run_id"]
    view = await json_of(client, f"/api/runs/{run_id}")
    listed = await client.get("/")
    ended = await client.post(f"/api/runs/{run_id}/stop")
    with anyio.fail_after(60):
        events = await client.get(f"/api/runs/{run_id}/events")
    again = await client.post(f"/api/runs/{RUN}/stop")

    assert (started.status_code, view["status"]) == (202, "running")
    assert f"/runs/{run_id}" in listed.text
    assert ended.json() == {"ended": True}
    assert events.text.startswith("event: run_started")
    assert again.json() == {"ended": False}

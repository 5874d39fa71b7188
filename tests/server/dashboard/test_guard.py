"""Nobody gets in without the token, and no page of the web acts for who has it."""

from __future__ import annotations

import httpx
import pytest

from tests.server.dashboard.conftest import DOOR

pytestmark = pytest.mark.anyio
HERE = f"http://{DOOR.host}:{DOOR.port}"


@pytest.mark.parametrize("path", ["/", "/api/runs", "/static/dashboard.js", "/api/openapi.json"])
async def test_nothing_is_shown_without_the_token(stranger: httpx.AsyncClient, path: str) -> None:
    answer = await stranger.get(path)

    assert answer.status_code == 401
    assert "codeens dashboard" in answer.json()["error"]["message"]


async def test_the_printed_address_lets_a_browser_in_and_takes_the_token_out_of_it(stranger: httpx.AsyncClient) -> None:
    first = await stranger.get("/leaderboard", params={"token": DOOR.token, "page": "2"})
    then = await stranger.get(first.headers["location"])

    assert (first.status_code, first.headers["location"]) == (303, "/leaderboard?page=2")
    assert "HttpOnly" in first.headers["set-cookie"]
    assert "SameSite=strict" in first.headers["set-cookie"]
    assert then.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic a-token-of-twenty-letters"},
        {"cookie": "codeens_dashboard=wrong"},
        {"cookie": "codeens_dashboard"},
    ],
)
async def test_a_wrong_token_is_none(stranger: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await stranger.get("/", headers=headers)).status_code == 401
    assert (await stranger.get("/?token=wrong")).status_code == 401


async def test_a_redirect_stays_on_this_server(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("http://127.0.0.1:8765//elsewhere.example/", params={"token": DOOR.token})

    assert answer.headers["location"] == "/elsewhere.example/"


async def test_another_name_for_this_machine_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/runs", headers={"host": "rebound.example:8765"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (421, "wrong_host")


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", "http://127.0.0.1:9999"])
async def test_a_page_of_another_server_changes_nothing(client: httpx.AsyncClient, origin: str) -> None:
    answer = await client.post("/api/runs", content=b"{}", headers={"origin": origin})

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_origin")


async def test_a_cookie_alone_changes_nothing_where_no_page_is_named(stranger: httpx.AsyncClient) -> None:
    stranger.cookies.set("codeens_dashboard", DOOR.token)

    refused = await stranger.post("/api/runs/20260101-aaaaaa/stop")
    allowed = await stranger.post("/api/runs/20260101-aaaaaa/stop", headers={"origin": HERE})

    assert (refused.status_code, allowed.status_code) == (403, 200)


async def test_pages_load_and_run_only_what_is_of_this_server(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/")).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"

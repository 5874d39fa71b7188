"""The server over HTTP, from outside: who is let in, and that many clients at once are served."""

from __future__ import annotations

import importlib.metadata
import json
import signal
import stat
from collections.abc import Generator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from tests.e2e.program import Process, descendants, until_begun, until_gone
from tests.mcp_tools.calling import ADD, RIGHT, WRONG, Caller
from tests.mcp_tools.clients import tried
from tests.mcp_tools.conftest import isolated
from tests.mcp_tools.outside import TOKEN, Listening, connected, listening, started
from tests.mcp_tools.test_stdio import INITIALIZE, SLOW
from tests.quick import HARDLY_TIMED

HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Listening]:
    folder = tmp_path_factory.mktemp("http")
    (folder / "home").mkdir()
    with listening(folder, folder / "home") as server:
        yield server


def post(server: Listening, message: object = INITIALIZE, **headers: str) -> httpx.Response:
    """Send one message."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    given = {**HEADERS, **server.headers(), **headers}
    return httpx.post(server.url, content=body, headers=given, timeout=100, trust_env=False)


def test_who_does_not_know_the_token_is_not_let_in(server: Listening) -> None:
    for header in ("", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x"):
        refused = post(server, authorization=header, Authorization=header)
        assert refused.status_code == 401, header
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert TOKEN not in refused.text
    assert post(server).status_code == 200


def test_a_web_page_can_not_reach_it_by_a_name_of_its_own(server: Listening) -> None:
    assert post(server, Host="evil.example:80").status_code == 421
    assert post(server, Origin="https://evil.example").status_code == 403
    assert post(server, Origin="null").status_code == 403


def test_no_web_page_may_read_its_answers(server: Listening) -> None:
    call = {**HEADERS, "Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    preflight = httpx.options(server.url, headers=call, trust_env=False)

    for answer in (preflight, post(server), post(server, Origin="http://localhost:3000")):
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert preflight.status_code == 401


def test_bodies_are_bounded(server: Listening) -> None:
    large = json.dumps({**INITIALIZE, "more": "x" * (5 << 20)}).encode()

    assert post(server, large).status_code == 413
    assert post(server).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{broken", b"[]", b"3", b"\xff", b'{"jsonrpc": "2.0"}', b"[" * 100_000])
def test_what_is_no_message_is_refused(server: Listening, body: bytes) -> None:
    refused = post(server, body)

    assert 400 <= refused.status_code < 500
    assert "Traceback" not in refused.text


@pytest.mark.anyio
@isolated
@pytest.mark.parametrize(("mode", "version"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])
async def test_both_eras_of_the_protocol_are_served(server: Listening, mode: str, version: str) -> None:
    async with connected(server, mode) as caller:
        assert caller.client.protocol_version == version
        answered = await caller.call("score", task=ADD, candidates=[RIGHT, WRONG])

    assert [row["rank"] for row in answered.document["results"]] == [1, None]
    assert [told.progress for told in answered.progress] == [1, 2]
    tried("mcp", importlib.metadata.version("mcp"))


@pytest.mark.anyio
@isolated
async def test_sixty_calls_of_twenty_clients_are_all_answered(server: Listening) -> None:
    answers: list[tuple[int, int, int]] = []

    async def client(number: int) -> None:
        mode = "legacy" if number % 2 else "auto"
        async with connected(server, mode) as caller, anyio.create_task_group() as calls:
            for turn in range(3):
                calls.start_soon(call, caller, number, turn)

    async def call(caller: Caller, number: int, turn: int) -> None:
        task = {
            **ADD,
            "id": f"{number}-{turn}",
            "test_cases": [{"args": [number, turn], "expected_output": number + turn}],
        }
        answered = await caller.call("score", task=task, candidates=[RIGHT])
        assert answered.document["task"] == f"{number}-{turn}"
        answers.append((number, turn, answered.document["results"][0]["rank"]))

    with anyio.fail_after(100):
        async with anyio.create_task_group() as clients:
            for number in range(20):
                clients.start_soon(client, number)

    assert sorted(answers) == [(number, turn, 1) for number in range(20) for turn in range(3)]


@pytest.mark.anyio
@isolated
async def test_a_client_that_vanishes_leaves_the_server_at_work_and_nothing_behind(workspace: Path, home: Path) -> None:
    under_way: set[Process] = set()
    with listening(workspace, home) as server:

        async def vanish() -> None:
            async with connected(server) as caller:
                await caller.client.call_tool("run_in_sandbox", SLOW)

        async with anyio.create_task_group() as group:
            group.start_soon(vanish)
            with anyio.fail_after(90):
                under_way = await until_begun(server.process.pid)
            group.cancel_scope.cancel()
        until_gone(under_way)
        async with connected(server) as caller:
            await caller.call("score", task=ADD, candidates=[RIGHT])


@pytest.mark.anyio
@isolated
async def test_a_signal_ends_the_server_and_what_it_started(workspace: Path, home: Path) -> None:
    with listening(workspace, home) as server:
        async with connected(server) as caller:
            await caller.call("score", task=ADD, candidates=[RIGHT])
        under_way = descendants(server.process.pid)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=100) == 0
    until_gone(under_way)


def test_the_token_is_made_once_and_only_the_user_can_read_it(tmp_path: Path, home: Path) -> None:
    tokens: list[str] = []
    for _ in range(2):
        with started(tmp_path, home, "--mcp", "http", "--mcp-address", "127.0.0.1:0") as process:
            assert process.stderr is not None
            path = Path(process.stderr.readline().decode().partition("token in ")[2].strip())
            tokens.append(path.read_text(encoding="utf-8").strip())
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            url = process.stderr.readline().decode().partition("serves MCP on ")[2].strip()
            answer = httpx.post(
                url,
                json=INITIALIZE,
                headers={**HEADERS, "Authorization": f"Bearer {tokens[-1]}"},
                timeout=100,
                trust_env=False,
            )
            assert answer.status_code == 200

    assert tokens[0] == tokens[1]
    assert len(tokens[0]) >= 32


def test_other_machines_are_not_let_in_without_a_token_of_the_users_own(tmp_path: Path, home: Path) -> None:
    with started(tmp_path, home, "--mcp", "http", "--mcp-address", "0.0.0.0:0") as process:
        _, err = process.communicate(timeout=100)

    assert process.returncode == 2
    assert b"--token-file" in err


class ByHand:
    """An editor that speaks over the pipes of a server, without a library."""

    def __init__(self, server: Listening) -> None:
        assert server.process.stdin is not None
        assert server.process.stdout is not None
        self._to, self._from = server.process.stdin, server.process.stdout
        self._asked = 0

    def ask(self, method: str, params: object) -> dict[str, Any]:
        """What a request is answered with; what else the server says meanwhile is passed over."""
        self._asked += 1
        self.tell(method, params, id=self._asked)
        while True:
            message = self._message()
            if message.get("id") == self._asked and "method" not in message:
                return message["result"]

    def tell(self, method: str, params: object, **more: object) -> None:
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._to.flush()

    def close(self) -> None:
        self._to.close()

    def _message(self) -> dict[str, Any]:
        length = int(self._from.readline().partition(b":")[2])
        while self._from.readline().strip():
            pass
        return json.loads(self._from.read(length))


@pytest.mark.anyio
async def test_an_editor_is_shown_the_run_of_an_agent_by_the_same_process(workspace: Path, home: Path) -> None:
    with listening(workspace, home, "--stdio", server=(*HARDLY_TIMED, "codeens-server")) as server:
        editor = ByHand(server)
        root = workspace.as_uri()
        call = {"capabilities": {}, "processId": None, "rootUri": root, "initializationOptions": {"token": TOKEN}}
        initialized = await anyio.to_thread.run_sync(editor.ask, "initialize", call)
        editor.tell("initialized", {})
        async with connected(server) as caller:
            begun = await caller.call("start_ensemble", target="sums.py::unique", goal="speed")
            run_id = begun.document["run_id"]
            done = await caller.finished(run_id)
        show = {"command": "codeens.showRun", "arguments": [{"runId": run_id}]}
        shown = await anyio.to_thread.run_sync(editor.ask, "workspace/executeCommand", show)
        editor.close()
        server.process.wait(timeout=100)

    assert "codeActionProvider" in initialized["capabilities"]
    assert done.document["state"] == "finished"
    assert shown["run"]["run_id"] == run_id
    assert shown["run"]["headline"] == done.document["result"]["headline"]

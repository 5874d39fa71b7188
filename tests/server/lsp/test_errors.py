"""What a broken or malicious client sends is answered with an error, and the server goes on."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator

import anyio
import pytest

from tests.server.lsp.wire import Wire, wire

pytestmark = pytest.mark.anyio

URI = "untitled:one.py"
PLACE = {"line": 0, "character": 0}
POSITION = {"textDocument": {"uri": URI}, "position": PLACE}


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Wire]:
    folder = tmp_path_factory.mktemp("errors")
    async with wire(folder) as opened:
        await opened.initialize(folder)
        yield opened


async def test_the_server_says_that_it_serves_agents_too(server: Wire) -> None:
    assert server.initialized["capabilities"]["experimental"] == {"codeens": {"mcp": True}}


async def still_answers(server: Wire) -> None:
    answer = await server.request("textDocument/hover", POSITION)
    assert answer["result"] is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'Content-Length: 5\r\n\r\n{"a":', "not JSON"),
        (b"Content-Length: 0\r\n\r\n", "not JSON"),
        (b"Content-Length: 2\r\n\r\n\xff\xfe", "not JSON"),
        (b"Content-Length: many\r\n\r\n", "no Content-Length"),
        (b"Content-Length: -5\r\n\r\n", "no Content-Length"),
        (b"Content-Type: text\r\n\r\n", "no Content-Length"),
        (b"no header at all\r\n\r\n", "not a header"),
        (b"\x00\x01\x02\n\r\n", "not a header"),
        (b"x" * 100_000 + b"\r\n\r\n", "not a header"),
        (b"Content-Length: 99999999999999999\r\n\r\n", "too large"),
    ],
)
async def test_a_malformed_frame_is_answered_without_an_id(server: Wire, data: bytes, why: str) -> None:
    await server.raw(data)
    answer = await server.answer(None)
    assert answer["error"]["code"] == -32700
    assert why in answer["error"]["message"]
    await still_answers(server)


async def test_a_giant_message_is_refused_and_passed_over(server: Wire) -> None:
    size = 65 << 20
    await server.raw(b"Content-Length: %d\r\n\r\n" % size)
    answer = await server.answer(None)
    assert "too large" in answer["error"]["message"]
    for _ in range(65):
        await server.raw(b" " * (1 << 20))
    await still_answers(server)


async def test_a_message_that_is_longer_than_it_says_spoils_only_itself(server: Wire) -> None:
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "textDocument/hover", "params": POSITION}).encode()
    await server.raw(b"Content-Length: %d\r\n\r\n%b" % (len(message) - 9, message))
    assert "not JSON" in (await server.answer(None))["error"]["message"]
    await still_answers(server)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("[]", -32600),
        ("[{}]", -32600),
        ("7", -32600),
        ("null", -32600),
        ("{}", -32600),
        ('{"jsonrpc": "1.0", "id": 5, "method": "shutdown"}', -32600),
        ('{"jsonrpc": "2.0", "id": true, "method": "shutdown"}', -32600),
        ('{"jsonrpc": "2.0", "id": [1], "method": "shutdown"}', -32600),
        ('{"jsonrpc": "2.0", "id": 1.5, "method": "shutdown"}', -32600),
        ('{"jsonrpc": "2.0", "method": 7}', -32600),
        ("[" * 100_000, -32700),
        ('{"a": ' * 50_000, -32700),
        ("9" * 10_000, -32700),
    ],
)
async def test_what_is_no_message_is_refused_without_an_id(server: Wire, body: str, code: int) -> None:
    await server.body(body.encode())
    assert (await server.answer(None))["error"]["code"] == code
    await still_answers(server)


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("textDocument/nothing", {}, -32601),
        ("codeens/nothing", None, -32601),
        ("", {}, -32601),
        ("workspace/applyEdit", {"edit": {}}, -32601),
        ("textDocument/hover", None, -32602),
        ("textDocument/hover", [], -32602),
        ("textDocument/hover", "text", -32602),
        ("textDocument/hover", {"textDocument": {"uri": 5}}, -32602),
        ("textDocument/hover", {**POSITION, "position": {"line": -1, "character": 0}}, -32602),
        ("textDocument/hover", {**POSITION, "position": {"line": 1e999, "character": 0}}, -32602),
        ("textDocument/hover", {**POSITION, "position": {"line": 10**30, "character": 0}}, -32602),
        ("textDocument/codeAction", {"textDocument": {"uri": URI}}, -32602),
        ("codeAction/resolve", {"title": "x", "data": {"other": 1}}, -32602),
        ("codeAction/resolve", {"title": "x", "data": 7}, -32602),
        ("codeAction/resolve", {"title": "x", "data": {"runId": "20200101-abc"}}, -32803),
        ("workspace/executeCommand", {"command": "codeens.nothing"}, -32602),
        ("workspace/executeCommand", {"command": "codeens.run"}, -32602),
        ("workspace/executeCommand", {"command": "codeens.run", "arguments": [{"uri": URI}, 1]}, -32602),
        ("workspace/executeCommand", {"command": "codeens.run", "arguments": [{"uri": URI, "goal": "sped"}]}, -32602),
        ("workspace/executeCommand", {"command": "codeens.run", "arguments": [{"uri": URI, "line": 0}]}, -32803),
        (
            "workspace/executeCommand",
            {"command": "codeens.run", "arguments": [{"uri": "file:///no.py", "line": 0}]},
            -32803,
        ),
        ("workspace/executeCommand", {"command": "codeens.apply", "arguments": []}, -32803),
        ("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, -32600),
    ],
)
async def test_a_wrong_request_is_refused_under_its_id(server: Wire, method: str, params: object, code: int) -> None:
    answer = await server.request(method, params)
    assert answer["error"]["code"] == code, answer
    assert answer["error"]["message"]
    assert "Traceback" not in json.dumps(answer)
    await still_answers(server)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        (
            "textDocument/didChange",
            {"textDocument": {"uri": "untitled:never", "version": 1}, "contentChanges": [{"text": ""}]},
        ),
        ("textDocument/didChange", {"textDocument": {}}),
        ("textDocument/didOpen", {"textDocument": {"uri": URI}}),
        ("textDocument/didClose", {"textDocument": {"uri": "untitled:never"}}),
        ("notebookDocument/didChange", {"notebookDocument": {"uri": "untitled:never", "version": 1}, "change": {}}),
        ("$/cancelRequest", {"id": 4711}),
        ("$/cancelRequest", {}),
        ("$/unknown", {}),
        ("window/workDoneProgress/cancel", {"token": "never"}),
        ("workspace/didChangeConfiguration", {"settings": 7}),
        ("nothing/atAll", None),
    ],
)
async def test_a_notification_that_means_nothing_is_passed_over(server: Wire, method: str, params: object) -> None:
    await server.notify(method, params)
    await still_answers(server)


async def test_answers_that_nobody_asked_for_are_dropped(server: Wire) -> None:
    for body in ('{"jsonrpc": "2.0", "id": 99, "result": 1}', '{"jsonrpc": "2.0", "id": "x", "error": {"code": 1}}'):
        await server.body(body.encode())
    await still_answers(server)


async def test_a_document_with_lone_surrogates_is_kept_and_can_be_mended(server: Wire) -> None:
    uri = "untitled:odd.py"
    text = "def f():\n    return '\ud800'\n"
    item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    context: dict[str, list[object]] = {"diagnostics": []}
    asked = {"textDocument": {"uri": uri}, "range": {"start": PLACE, "end": PLACE}, "context": context}
    await server.notify("textDocument/didOpen", {"textDocument": item})
    assert (await server.request("textDocument/codeAction", asked))["result"] == []
    place = {"start": {"line": 1, "character": 12}, "end": {"line": 1, "character": 13}}
    change = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"range": place, "text": "x"}]}
    await server.notify("textDocument/didChange", change)
    answer = await server.request("textDocument/codeAction", asked)
    assert answer["result"][0]["title"] == "Run ensemble on `f`"


async def test_before_initialize_and_after_shutdown_requests_are_refused(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("order")
    async with wire(folder) as server:
        assert (await server.request("textDocument/hover", POSITION))["error"]["code"] == -32002
        assert (await server.request("shutdown", None))["error"]["code"] == -32002
        await server.initialize(folder)
        assert (await server.request("shutdown", None))["result"] is None
        assert (await server.request("textDocument/hover", POSITION))["error"]["code"] == -32600
        await server.notify("exit", None)
        assert await server.process.wait() == 0


async def test_exit_without_shutdown_and_the_end_of_the_input_are_told_by_the_exit_code(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("ends")
    async with wire(folder) as server:
        await server.notify("exit", None)
        assert await server.process.wait() == 1
    async with wire(folder) as server:
        await server.initialize(folder)
        await server.close()
        assert await server.process.wait() == 1


async def test_the_end_of_the_clients_process_ends_the_session_also_when_its_pipe_stays_open(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("orphan")
    async with await anyio.open_process(["true"]) as client:
        await client.wait()
    async with wire(folder) as server:
        assert "result" in await server.initialize(folder, processId=client.pid)
        assert await server.process.wait() == 1


async def test_wrong_initialization_options_are_refused_with_the_reason(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("options")
    async with wire(folder) as server:
        answer = await server.initialize(folder, initializationOptions={"trusted": "yes"})
        assert "initializationOptions" in answer["error"]["message"]
        assert "result" in await server.initialize(folder, initializationOptions={"trusted": True, "other": 1})

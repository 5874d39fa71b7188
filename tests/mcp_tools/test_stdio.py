"""The server over standard input and output, from outside."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from tests.e2e.program import descendants, until_gone
from tests.mcp_tools.calling import ADD, RIGHT, Caller
from tests.mcp_tools.conftest import isolated
from tests.mcp_tools.outside import started, stdio

SLOW = {"code": "import time\ntime.sleep(600)\n", "limits": {"wall_s": 100}}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "raw", "version": "0"},
    },
}


def send(process: subprocess.Popen[bytes], *messages: object) -> None:
    """Write messages, and bytes as they are."""
    assert process.stdin is not None
    for message in messages:
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        process.stdin.write(line + b"\n")
    process.stdin.flush()


def receive(process: subprocess.Popen[bytes]) -> Any:
    """The next message; every line of standard output must be one."""
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def request(number: int, method: str, **params: Any) -> dict[str, Any]:
    """A request."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


@pytest.mark.anyio
@isolated
@pytest.mark.parametrize(("mode", "version"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])
async def test_both_eras_of_the_protocol_are_served(workspace: Path, home: Path, mode: Any, version: str) -> None:
    async with Client(stdio(workspace, home), mode=mode) as client:
        assert client.protocol_version == version
        assert client.server_info is not None
        assert (client.server_info.name, bool(client.server_info.version)) == ("codeens", True)
        answered = await Caller(client).call("score", task=ADD, candidates=[RIGHT])
        assert answered.document["results"][0]["rank"] == 1
        assert answered.progress


def call_of(number: int, tool: str, arguments: dict[str, Any], **meta: Any) -> dict[str, Any]:
    """A call of a tool."""
    return request(number, "tools/call", name=tool, arguments=arguments, **({"_meta": meta} if meta else {}))


@isolated
def test_nothing_but_the_protocol_is_on_standard_output_and_progress_where_it_was_asked_for(
    workspace: Path, home: Path
) -> None:
    judged = {"task": ADD, "candidates": [RIGHT]}
    with started(workspace, home, "--mcp", "stdio") as process:
        send(process, INITIALIZE, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        assert receive(process)["result"]["serverInfo"]["name"] == "codeens"
        send(process, call_of(1, "score", judged, progressToken=0))
        told: list[Any] = []
        while "id" not in (message := receive(process)):
            told.append(message["params"]["progressToken"])
        send(process, call_of(2, "score", judged))
        unasked = receive(process)
        send(process, call_of(3, "run_in_sandbox", {"code": "print('loud')"}))
        answer = receive(process)
        out, _ = process.communicate(timeout=100)

    assert (message["id"], set(told)) == (1, {0})
    assert unasked["id"] == 2
    assert answer["id"] == 3
    assert "loud" in answer["result"]["content"][0]["text"]
    assert out == b""
    assert process.returncode == 0


BROKEN: list[tuple[bytes, int, object]] = [
    (b"{broken", -32700, None),
    (b"\xff\xfe", -32700, None),
    (b"[" * 100_000, -32700, None),
    (b"[]", -32600, None),
    (b'{"jsonrpc": "1.0", "id": 7, "method": "x"}', -32600, 7),
    (b'{"id": "a", "method": 3, "jsonrpc": "2.0"}', -32600, "a"),
    (b'"' + b"x" * (5 << 20) + b'"', -32600, None),
]


def test_what_is_no_message_is_refused_and_the_next_is_served(workspace: Path, home: Path) -> None:
    with started(workspace, home, "--mcp", "stdio") as process:
        send(process, INITIALIZE)
        receive(process)
        for line, code, known in BROKEN:
            send(process, line)
            refusal = receive(process)
            assert (refusal["error"]["code"], refusal["id"]) == (code, known), line[:50]
        send(process, request(1, "tools/list"))
        assert "result" in receive(process)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("tools/call", {"name": 3}),
    ("tools/call", {"name": "score", "arguments": []}),
    ("no/such", {}),
    ("resources/read", {"uri": "run://20200101-abcdef"}),
    ("resources/read", {"uri": "run://../x"}),
    ("prompts/get", {"name": "nothing"}),
]


def test_a_wrong_request_is_answered_by_an_error(workspace: Path, home: Path) -> None:
    with started(workspace, home, "--mcp", "stdio") as process:
        send(process, INITIALIZE)
        receive(process)
        for number, (method, params) in enumerate(WRONG):
            send(process, request(number, method, **params))
            answer = receive(process)
            assert answer["id"] == number
            assert "error" in answer, (method, params)
            assert "Traceback" not in json.dumps(answer)
        send(process, request(99, "tools/list"))
        assert "result" in receive(process)


@isolated
@pytest.mark.parametrize("way", ["client goes", "SIGTERM", "SIGINT"])
def test_the_end_of_the_server_ends_what_it_started(workspace: Path, home: Path, way: str) -> None:
    with started(workspace, home, "--mcp", "stdio") as process:
        send(process, INITIALIZE)
        receive(process)
        send(process, request(1, "tools/call", name="run_in_sandbox", arguments=SLOW))
        while not (under_way := descendants(process.pid)):
            assert process.poll() is None
        if way == "client goes":
            assert process.stdin is not None
            process.stdin.close()
        else:
            process.send_signal(signal.Signals[way])
        assert process.wait(timeout=100) == 0
    until_gone(under_way)


def test_standard_input_serves_editors_or_agents_not_both(workspace: Path, home: Path) -> None:
    with started(workspace, home, "--mcp", "stdio", "--stdio") as process:
        _, err = process.communicate(timeout=100)

    assert process.returncode == 2
    assert b"use --mcp http" in err

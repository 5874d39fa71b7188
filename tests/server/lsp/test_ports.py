"""Sessions over TCP and WebSockets, and who is let in."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.server.lsp.editor import SERVER

pytestmark = pytest.mark.anyio

TOKEN = "0123456789abcdef-secret"


def initialize(token: str | None = None) -> bytes:
    params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}
    if token is not None:
        params["initializationOptions"] = {"token": token}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()


@asynccontextmanager
async def listening(folder: Path, *arguments: str) -> AsyncGenerator[tuple[str, int]]:
    """A server that listens; where it does."""
    process = await anyio.open_process([SERVER, *arguments], env={"HOME": str(folder)}, stdout=None)
    try:
        assert process.stderr is not None
        line = await BufferedByteReceiveStream(process.stderr).receive_until(b"\n", 1000)
        match = re.search(rb"listens on \w+://(.*):(\d+)", line)
        assert match, line
        yield match[1].decode(), int(match[2])
    finally:
        process.terminate()
        with anyio.fail_after(100):
            assert await process.wait() == 0
        await process.aclose()


async def answer_over_tcp(host: str, port: int, body: bytes) -> dict[str, Any]:
    async with await anyio.connect_tcp(host, port) as stream:
        await stream.send(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        buffered = BufferedByteReceiveStream(stream)
        header = await buffered.receive_until(b"\r\n\r\n", 1000)
        return json.loads(await buffered.receive_exactly(int(header.rpartition(b":")[2])))


async def test_tcp_serves_several_clients_one_after_another_and_beside(tmp_path: Path) -> None:
    async with listening(tmp_path, "--tcp", "127.0.0.1:0") as (host, port):
        for _ in range(2):
            assert "capabilities" in (await answer_over_tcp(host, port, initialize()))["result"]


async def test_a_token_is_asked_for_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    async with listening(tmp_path, "--tcp", "127.0.0.1:0", "--token-file", str(tmp_path / "token")) as (host, port):
        for token in (None, "", "wrong", TOKEN + "x"):
            refused = await answer_over_tcp(host, port, initialize(token))
            assert "asks for a token" in refused["error"]["message"]
        assert "result" in await answer_over_tcp(host, port, initialize(TOKEN))


async def test_websockets_carry_one_message_each(tmp_path: Path) -> None:
    async with listening(tmp_path, "--ws", "127.0.0.1:0") as (host, port):
        async with connect(f"ws://{host}:{port}") as socket:
            await socket.send("{")
            assert json.loads(await socket.recv())["error"]["code"] == -32700
            await socket.send(initialize().decode())
            assert "capabilities" in json.loads(await socket.recv())["result"]
        async with connect(f"ws://{host}:{port}", origin=Origin("http://localhost:3000")) as socket:
            await socket.send(initialize())
            assert "result" in json.loads(await socket.recv())


async def test_a_page_of_the_web_is_not_let_in(tmp_path: Path) -> None:
    async with listening(tmp_path, "--ws", "127.0.0.1:0") as (host, port):
        for origin in ("https://example.org", "null", "http://localhost.example.org"):
            with pytest.raises(InvalidStatus):
                await connect(f"ws://{host}:{port}", origin=Origin(origin))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--tcp", "0.0.0.0:0"], "can be reached from other machines"),
        (["--ws", "example.org:80"], "can be reached from other machines"),
        (["--tcp", "[::]:0"], "can be reached from other machines"),
        (["--tcp", "4389"], "is not HOST:PORT"),
        (["--tcp", "127.0.0.1:99999"], "is not HOST:PORT"),
        (["--stdio", "--tcp", "127.0.0.1:0"], "not allowed with"),
        (["--token-file", "/nowhere/token"], "cannot be read"),
        (["--token-file", "/dev/null"], "holds no token of at least 16 characters"),
    ],
)
async def test_wrong_arguments_are_one_sentence_and_exit_code_two(arguments: list[str], why: str) -> None:
    done = await anyio.to_thread.run_sync(lambda: subprocess.run([SERVER, *arguments], capture_output=True, text=True))
    assert done.returncode == 2
    assert why in done.stderr
    assert done.stdout == ""

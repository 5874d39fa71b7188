"""The installed server as a process of its own, and clients of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, NamedTuple

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.mcp_tools.calling import Caller
from tests.quick import QUICK

SERVER = str(Path(sys.executable).parent / "codeens-server")
TOKEN = "0123456789abcdef-token"
SECONDS = 100.0
NO_MORE: Mapping[str, str] = MappingProxyType({})


def environment(home: Path) -> dict[str, str]:
    """Of a new machine: no key, no setting."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "CODEENS_DATA") if name in os.environ}
    return {**kept, **QUICK, "HOME": str(home), "CODEENS_MAX_INPUTS": "12"}


def stdio(workspace: Path, home: Path, *more: str) -> StdioServerParameters:
    """How a client starts the server."""
    arguments = ["--mcp", "stdio", "--root", str(workspace), *more]
    return StdioServerParameters(command=SERVER, args=arguments, env=environment(home))


@contextmanager
def started(
    workspace: Path,
    home: Path,
    *arguments: str,
    environ: Mapping[str, str] = NO_MORE,
    server: Sequence[str] = (SERVER,),
) -> Generator[subprocess.Popen[bytes]]:
    """The server with its streams piped."""
    command = [*server, "--root", str(workspace), *arguments]
    pipe = subprocess.PIPE
    given = {**environment(home), **environ}
    with subprocess.Popen(command, env=given, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


class Listening(NamedTuple):
    """A server that listens."""

    url: str
    token: str | None
    process: subprocess.Popen[bytes]

    def headers(self) -> dict[str, str]:
        """What lets a client in."""
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}


@contextmanager
def listening(
    workspace: Path,
    home: Path,
    *more: str,
    token: str | None = TOKEN,
    environ: Mapping[str, str] = NO_MORE,
    server: Sequence[str] = (SERVER,),
) -> Generator[Listening]:
    """The server on a free port of loopback."""
    file = home / "token"
    file.write_text(TOKEN, encoding="utf-8")
    access: Sequence[str] = ("--no-token",) if token is None else ("--token-file", str(file))
    arguments = ("--mcp", "http", "--mcp-address", "127.0.0.1:0", *access, *more)
    with started(workspace, home, *arguments, environ=environ, server=server) as process:
        assert process.stderr is not None
        yield Listening(read_url(process.stderr), token, process)


def read_url(stderr: IO[bytes]) -> str:
    """Where a server says that it listens."""
    for line in stderr:
        _, found, url = line.decode().partition("serves MCP on ")
        if found:
            return url.strip()
    raise AssertionError("the server ended before it listened")


@asynccontextmanager
async def connected(server: Listening, mode: str = "auto") -> AsyncGenerator[Caller]:
    """A client over HTTP."""
    async with (
        httpx2.AsyncClient(headers=server.headers(), timeout=SECONDS) as http,
        Client(streamable_http_client(server.url, http_client=http), mode=mode) as client,
    ):
        yield Caller(client)

"""How an agent's client starts codeens: what to copy, into which file, and whether the server starts so."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import anyio
from msgspec import Struct

from codeens_server.errors import InputError
from codeens_server.text import one_line, plural

_STARTED_WITHIN_S = 60.0
_DESKTOP = "Claude/claude_desktop_config.json"
_FILES = {
    "claude-desktop": "",
    "claude-code": ".mcp.json",
    "vscode": ".vscode/mcp.json",
    "cursor": ".cursor/mcp.json",
}
CLIENTS = tuple(_FILES)


class ClientSetUp(Struct, frozen=True, kw_only=True):
    """What a client is told, and what came of trying it."""

    client: str
    file: str
    config: dict[str, Any]
    starts: bool
    detail: str


async def set_up(client: str, root: Path, environ: Mapping[str, str]) -> ClientSetUp:
    """Return a client's configuration with absolute paths, and start the server with it once.

    Args:
        client: one of `CLIENTS`.
        root: the workspace that the agent may work in.
        environ: the variables that the server is started with.

    Raises:
        InputError: the server's program is not installed.
    """
    command = _program()
    server = {"command": command, "args": ["--mcp", "stdio", "--root", str(root)]}
    starts, detail = await _tried(server, environ)
    return ClientSetUp(
        client=client,
        file=str(_desktop_file(environ) if client == "claude-desktop" else root / _FILES[client]),
        config={"servers" if client == "vscode" else "mcpServers": {"codeens": server}},
        starts=starts,
        detail=detail,
    )


def shown(found: ClientSetUp) -> str:
    """Return it for people."""
    outcome = "it starts" if found.starts else "it does not start"
    return f"into {found.file}:\n\n{json.dumps(found.config, indent=2)}\n\n{outcome}: {found.detail}"


def _program() -> str:
    """Return the server beside this interpreter, which a client that knows no PATH finds too."""
    beside = Path(sys.executable).with_name("codeens-server")
    found = str(beside) if beside.exists() else shutil.which("codeens-server")
    if found is None:
        raise InputError("codeens-server is not installed beside this Python, nor on PATH: install codeens again.")
    return found


def _desktop_file(environ: Mapping[str, str]) -> Path:
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / _DESKTOP
    if sys.platform == "win32":
        return Path(environ.get("APPDATA", home / "AppData" / "Roaming")) / _DESKTOP
    return Path(environ.get("XDG_CONFIG_HOME", home / ".config")) / _DESKTOP


async def _tried(server: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[bool, str]:
    """Start it as a client does, and ask for its tools; what it says on standard error tells why it does not start."""
    mcp: Any = import_module("mcp")
    parameters = mcp.StdioServerParameters(command=server["command"], args=server["args"], env=dict(environ))
    began = time.monotonic()
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        try:
            with anyio.fail_after(_STARTED_WITHIN_S):
                async with mcp.Client(mcp.stdio_client(parameters, errlog=said)) as client:
                    listed = await client.list_tools()
                    return True, f"{plural(len(listed.tools), 'tool')} after {time.monotonic() - began:.1f} s"
        except TimeoutError:
            why = f"no answer within {_STARTED_WITHIN_S:g} s"
        except Exception as error:  # noqa: BLE001  whatever it is, the server is not there for a client either
            why = f"{type(error).__name__}: {error}"
        said.seek(0)
        return False, one_line((said.read().strip().splitlines() or [why])[-1])

"""The clients of agents that tests try, and the table of docs/agents.md, written from what they tried.

    TRIED_CLIENTS=FOLDER pytest tests/mcp_tools          each client that was tried leaves its version in the folder
    python -m tests.mcp_tools.clients FOLDER [--write]   prints the table with these versions, or writes it to the page

CI does both, and fails where the page has other rows. Versions differ from
one day to the next: those of the page are of the day on which it was written.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

VARIABLE = "TRIED_CLIENTS"
PAGE = Path(__file__).parents[2] / "docs" / "agents.md"
_TABLE = re.compile(r"(?<=<!-- clients -->\n\n).*?(?=\n<!-- /clients -->)", re.DOTALL)
_HEAD = "| client | version | what was tried | by |\n| --- | --- | --- | --- |\n"


class Client(NamedTuple):
    """What is tried of a client."""

    name: str
    tried: str
    by: str
    """A file of `tests/mcp_tools/`."""


CLIENTS: Mapping[str, Client] = {
    "mcp": Client(
        "MCP's Python SDK", "every tool, over stdio and HTTP; progress, cancelling, vanishing clients", "test_http.py"
    ),
    "inspector": Client("MCP Inspector", "lists and calls every tool, over stdio and HTTP", "test_npm.py"),
    "conformance": Client(
        "MCP's conformance suite", "both eras of the protocol, nothing but known gaps of its fixtures", "test_npm.py"
    ),
    "ext-apps": Client("MCP Apps, official host", "the view in Chromium: followed, weighed, applied", "test_view.py"),
    "fastmcp": Client("fastmcp", "a structured answer over stdio and HTTP", "test_other_clients.py"),
    "langchain-mcp-adapters": Client(
        "LangChain (langchain-mcp-adapters)",
        "connects over stdio, all tools converted for OpenAI",
        "test_frameworks.py",
    ),
    "openai-agents": Client(
        "openai-agents",
        "the same; in strict mode all but `score` and `run_in_sandbox`, which take open objects",
        "test_frameworks.py",
    ),
    "pydantic-ai-slim": Client(
        "pydantic-ai", "all tools by its transformers for OpenAI and Google", "test_frameworks.py"
    ),
    "google-genai": Client("google-genai", "connects, all tools as function declarations", "test_frameworks.py"),
    "smolagents": Client("smolagents", "connects, all tools", "test_frameworks.py"),
}


def tried(key: str, version: str) -> None:
    """Leave word that a client was tried, where that is collected."""
    assert key in CLIENTS, key
    if folder := os.environ.get(VARIABLE):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / key).write_text(version, encoding="utf-8")


def table(versions: Mapping[str, str]) -> str:
    """Return the table; a client without a version was not tried."""
    rows = [
        f"| {client.name} | {versions.get(key, 'not tried')} | {client.tried} | `{client.by}` |"
        for key, client in CLIENTS.items()
    ]
    return _HEAD + "\n".join(rows) + "\n"


def shape(text: str) -> list[list[str]]:
    """Return the cells of a table without the versions."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.strip().splitlines()]
    return [[cell for place, cell in enumerate(row) if place != 1] for row in rows]


def on_page() -> str:
    """Return the table of the page."""
    found = _TABLE.search(PAGE.read_text(encoding="utf-8"))
    assert found, f"{PAGE} has no table between <!-- clients --> and <!-- /clients -->"
    return found[0]


def main(arguments: Sequence[str]) -> int:
    """Print or write the table from a folder; 1 where a client was not tried or the page has other rows."""
    folder = Path(arguments[0])
    versions = {path.name: path.read_text(encoding="utf-8").strip() for path in folder.iterdir()}
    written = table(versions)
    if "--write" in arguments:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(_TABLE.sub(lambda _: written, page), encoding="utf-8")
    sys.stdout.write(written)
    missing = [key for key in CLIENTS if key not in versions]
    if missing:
        sys.stdout.write(f"skipped: {', '.join(missing)} because no test could try them here\n")
    return int(shape(on_page()) != shape(written))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

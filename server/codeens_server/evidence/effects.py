"""Whether a function needs what the sandbox does not give: the network, or somebody who types."""

from __future__ import annotations

import ast

from codeens_sandbox_backends.base import Outcome, Raised
from codeens_server.domain import Target
from codeens_server.evidence.strategies.definitions import Definitions
from codeens_server.parsing import ParseFailure, parse

_NETWORK = frozenset(
    {"requests", "httpx", "aiohttp", "urllib3", "socket", "ftplib", "smtplib", "websockets", "paramiko"}
)
_NETWORK_CALLS = ("urllib.request.", "http.client.", "asyncio.open_connection")
_REFUSED = frozenset(
    {
        "EOFError",
        "PermissionError",
        "ConnectionError",
        "ConnectionRefusedError",
        "socket:gaierror",
        "urllib.error:URLError",
        "requests.exceptions:ConnectionError",
        "httpx:ConnectError",
        "aiohttp.client_exceptions:ClientConnectorError",
    }
)


def what_it_needs(target: Target, source: str) -> str:
    """`input()` or `the network` where the function's own text calls for it, else empty."""
    tree = parse(target.source)
    if isinstance(tree, ParseFailure):
        return ""
    definitions = Definitions(source)
    names = [definitions.full_name(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if any(name == "input" or name.startswith("sys.stdin.") for name in names):
        return "input()"
    if any(name.partition(".")[0] in _NETWORK or name.startswith(_NETWORK_CALLS) for name in names):
        return "the network"
    return ""


def is_refused(outcome: Outcome) -> bool:
    """Whether a call failed at the sandbox's walls, which says nothing of the function."""
    return isinstance(outcome, Raised) and outcome.type in _REFUSED

"""The command `codeens-server`: the doors that other programs come through.

Nothing but the arguments is read before the door is known: an editor waits for the first answer.
"""

from __future__ import annotations

import argparse
import gc
import sys
import warnings
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple, NoReturn

_LONGEST_TOKEN = 4096
_SHORTEST_TOKEN = 16


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Serve, and exit with the code that the door says."""
    # LiteLLM's types have pydantic say a line each. A filter set later is lost where a thread puts back what it found.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pydantic\.")
    parser = _parser()
    asked = parser.parse_args(arguments)
    token: str | None = asked.token
    for address in (asked.tcp, asked.ws, asked.mcp_address if asked.mcp == "http" else None):
        is_guarded = token is not None or (address is asked.mcp_address and asked.oauth_issuer is not None)
        if address is not None and not address.is_loopback and not is_guarded:
            parser.error(
                f"{address.host} can be reached from other machines, which could run code as you. Listen on 127.0.0.1, "
                "or give --token-file a file with a secret that clients must know."
            )
    if asked.dashboard is not None and not asked.dashboard.is_loopback:
        parser.error(f"{asked.dashboard.host} can be reached from other machines; the dashboard listens on 127.0.0.1.")
    if asked.mcp is None and asked.dashboard is None:
        sys.exit(_serve_editors(asked))
    if asked.mcp == "stdio" and asked.stdio:
        parser.error("standard input serves editors (--stdio) or agents (--mcp stdio), not both: use --mcp http.")
    sys.exit(_serve_together(asked))


def _serve_editors(asked: argparse.Namespace) -> int:
    # Thousands of classes are made, and none of them is garbage. The door enables it when it has answered.
    gc.disable()
    from codeens_server.lsp import entry

    if asked.tcp is not None:
        return entry.tcp(asked.tcp.host, asked.tcp.port, asked.token)
    if asked.ws is not None:
        return entry.ws(asked.ws.host, asked.ws.port, asked.token)
    return entry.stdio(asked.token)


def _serve_together(asked: argparse.Namespace) -> int:
    gc.disable()
    from codeens._scripts.together import Door, run

    doors: list[Door] = []
    if asked.mcp is not None:
        from codeens_mcp_tools import entry

        doors.append(Door(entry.door(asked, _token_of_agents(asked)), ends_all=True))
    if asked.dashboard is not None:
        doors.append(Door(_dashboard(asked), ends_all=False))
    editors = _editors_beside(asked)
    if editors is not None:
        doors.append(Door(editors, ends_all=asked.stdio))
    gc.freeze()
    gc.enable()
    return run(doors)


def _token_of_agents(asked: argparse.Namespace) -> str | None:
    """Return what agents over HTTP must know: a token of the user's own, where nothing else says who may come."""
    given: str | None = asked.token
    if asked.mcp == "stdio" or given is not None or asked.no_token or asked.oauth_issuer is not None:
        return given
    from codeens_server.files import own_token

    try:
        token, path = own_token("mcp-token")
    except OSError as error:
        sys.exit(f"codeens-server: error: {error}")
    sys.stderr.write(f"codeens-server asks for the bearer token in {path}\n")
    return token


def _dashboard(asked: argparse.Namespace) -> Callable[[], Awaitable[object]]:
    from codeens import Session
    from codeens_server.dashboard.app import opened, serve

    async def show() -> None:
        door, sock = opened(*asked.dashboard)
        sys.stderr.write(f"codeens-server shows runs on {door.url}\n")
        sys.stderr.flush()
        with sock:
            async with Session((asked.root or ["."])[0], trusted=asked.trust_workspace) as session:
                await serve(session, door, sock)

    return show


def _editors_beside(asked: argparse.Namespace) -> Callable[[], Awaitable[object]] | None:
    """Return what serves editors beside agents or the dashboard, where that was asked for."""
    token: str | None = asked.token
    if asked.tcp is None and asked.ws is None and not asked.stdio:
        return None
    from codeens_server.lsp import entry

    if asked.tcp is not None:
        return lambda: entry.serve_tcp(asked.tcp.host, asked.tcp.port, token)
    if asked.ws is not None:
        return lambda: entry.serve_ws(asked.ws.host, asked.ws.port, token)
    return lambda: entry.serve_stdio(token)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="codeens-server",
        description="Serve editors (LSP) and agents (MCP).",
        epilog="Without an address: --stdio.",
    )
    transport = parser.add_mutually_exclusive_group()
    transport.add_argument("--stdio", action="store_true", help="speak over standard input and output (the default)")
    transport.add_argument("--tcp", type=_address, metavar="HOST:PORT", help="listen for TCP connections")
    transport.add_argument("--ws", type=_address, metavar="HOST:PORT", help="listen for WebSockets")
    parser.add_argument(
        "--token-file",
        dest="token",
        type=_token,
        metavar="FILE",
        help="serve only clients that know what this file holds (LSP: initializationOptions.token; MCP: bearer token)",
    )
    parser.add_argument(
        "--dashboard",
        type=_address,
        nargs="?",
        const=Address("127.0.0.1", 8765),
        metavar="HOST:PORT",
        help="show runs in a browser too, as codeens dashboard does (default: 127.0.0.1:8765)",
    )
    parser.add_argument("--trust-workspace", action="store_true", help="let a workspace configure what can run code")
    _add_mcp(parser.add_argument_group("agents (MCP)"))
    return parser


def _add_mcp(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage] # has no public name
    group.add_argument(
        "--mcp", choices=("stdio", "http"), help="serve agents; with an address or --stdio: beside the editors"
    )
    group.add_argument(
        "--mcp-address",
        type=_address,
        default=Address("127.0.0.1", 4390),
        metavar="HOST:PORT",
        help="where --mcp http listens (default: 127.0.0.1:4390)",
    )
    group.add_argument(
        "--root",
        type=_folder,
        action="extend",
        nargs="+",
        metavar="DIR",
        help="folders that agents may read and write in (default: the current one); the first is the dashboard's",
    )
    group.add_argument("--no-token", action="store_true", help="let in everyone who can reach the loopback address")
    group.add_argument("--allow-origin", action="append", metavar="ORIGIN", help="a web page's origin that may come in")
    group.add_argument("--oauth-issuer", metavar="URL", help="let in by access tokens of this authorization server")
    group.add_argument("--oauth-resource", metavar="URL", help="this server's URL, as such tokens name it")
    group.add_argument(
        "--oauth-scope", action="append", metavar="SCOPE", help="what such tokens must allow; repeatable"
    )


def _address(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, as in 127.0.0.1:4389")
    return Address(host.strip("[]") or "127.0.0.1", int(port))


def _folder(name: str) -> Path:
    path = Path(name).expanduser()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{name} is no folder")
    return path.absolute()


def _token(name: str) -> str:
    try:
        with Path(name).open(encoding="utf-8") as file:
            token = file.read(_LONGEST_TOKEN).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"{name} cannot be read: {error}") from None
    if len(token) < _SHORTEST_TOKEN:
        raise argparse.ArgumentTypeError(f"{name} holds no token of at least {_SHORTEST_TOKEN} characters")
    return token


if __name__ == "__main__":
    main()

"""Anything that is reached through a socket."""

from __future__ import annotations

import socket

from .trying import worked

_TIMEOUT_S = 1.0
_OUTER = ("1.1.1.1", "8.8.8.8")
"""Addresses that answer wherever there is a network."""
_AF_VSOCK = 40
_VSOCK_HOST = 2
_ALL_PROTOCOLS = 0x0300


def tcp(port: int) -> list[str]:
    """Connect to this machine and to others."""
    places = [("127.0.0.1", port), *[(address, 53) for address in _OUTER]]
    return worked([("%s:%d" % place, lambda place=place: _connected(place)) for place in places])


def _connected(place: tuple[str, int]) -> str:
    with socket.create_connection(place, timeout=_TIMEOUT_S):
        return "connected"


def udp(port: int) -> list[str]:
    """Send to this machine and to others."""
    places = [("127.0.0.1", port), *[(address, 9) for address in _OUTER]]
    return worked([("%s:%d" % place, lambda place=place: _sent(place)) for place in places])


def _sent(place: tuple[str, int]) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return sender.sendto(b"x", place)


def listen(port: int) -> list[str]:
    """Wait on every address for somebody to connect."""
    return worked([("listened", lambda: _visited(port))])


def _visited(port: int) -> str:
    with socket.create_server(("", port)) as server:
        server.settimeout(_TIMEOUT_S)
        visitor, address = server.accept()
        with visitor:
            visitor.sendall(b"welcome")
        return f"{address[0]} came"


def unix(address: str) -> list[str]:
    """Connect to a unix socket by its path, or by its abstract name, which begins with `@`."""
    name = "\0" + address[1:] if address.startswith("@") else address
    return worked([(address, lambda: _unix(name))])


def _unix(name: str) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_TIMEOUT_S)
        client.connect(name)
        return "connected"


def names() -> list[str]:
    """Have a name looked up."""
    return worked([("example.com", lambda: socket.getaddrinfo("example.com", 443)[0][4])])


def raw() -> list[str]:
    """Sockets below the protocols, and the one to the host of a virtual machine."""
    return worked(
        [
            ("packets", lambda: socket.socket(17, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS)).close()),
            ("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()),
            ("vsock", _vsock),
        ]
    )


def _vsock() -> str:
    with socket.socket(_AF_VSOCK, socket.SOCK_STREAM) as client:
        client.settimeout(_TIMEOUT_S)
        client.connect((_VSOCK_HOST, 22))
        return "connected"

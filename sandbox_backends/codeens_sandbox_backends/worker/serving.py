"""The worker's end of the channel."""

from __future__ import annotations

import fcntl
import os
import sys
from json import JSONDecoder, JSONEncoder, encoder
from typing import Any, Callable, Dict

from .frames import LENGTH, pack

_FIRST_FREE = 3
_decode = JSONDecoder().raw_decode  # without what `loads` does beside: fewer pages of a fork are touched
_write = os.write
_exit = os._exit  # taken before foreign code can replace it
_printed = ["stdout", "stderr"]
"""Streams of `sys` that are written out at the end."""


def _dumper() -> Callable[[Any], str]:
    """Return what makes JSON texts, by the C encoder where there is one: `JSONEncoder` makes a new one for each."""
    plain = JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, allow_nan=False)
    make: Any = getattr(encoder, "c_make_encoder", None)
    if make is None:
        return plain.encode
    pieces = make(None, plain.default, encoder.encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(pieces(value, 0))


_dumps = _dumper()


class Closed(BaseException):
    """The judge closed the channel. Not an `Exception`, so that no foreign `except` keeps the worker alive."""


class Channel:
    """Messages to and from the judge. Every message that is sent carries the job's nonce."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.nonce = ""

    def receive(self) -> Dict[str, Any]:
        """Return the next request.

        Raises:
            Closed: The judge closed the channel.
        """
        (length,) = LENGTH.unpack(self._exactly(LENGTH.size))
        return _decode(self._exactly(length).decode())[0]

    def _exactly(self, size: int) -> bytes:
        try:
            data = os.read(self.fd, size)
            return data if len(data) == size else self._rest(data, size)
        except OSError:
            raise Closed from None

    def _rest(self, data: bytes, size: int) -> bytes:
        pieces = [data]
        left = size - len(data)
        while left and pieces[-1]:
            pieces.append(os.read(self.fd, left))
            left -= len(pieces[-1])
        if left:
            raise Closed
        return b"".join(pieces)

    def send(self, message: Dict[str, Any]) -> None:
        """Send one message."""
        self.send_packed(self.packed(message))

    def packed(self, message: Dict[str, Any]) -> bytes:
        """Return the frame of a message, to be sent later."""
        return pack(_dumps({"nonce": self.nonce, **message}).encode("utf-8", "backslashreplace"))

    def send_packed(self, frame: bytes) -> None:
        """Send a frame made by `packed`.

        Raises:
            Closed: The judge closed the channel.
        """
        rest = memoryview(frame)
        try:
            while rest:
                rest = rest[_write(self.fd, rest) :]
        except OSError:
            raise Closed from None


def start(fd: int) -> Channel:
    """Take the channel over and say that the worker is up."""
    sys.dont_write_bytecode = True
    if fd < _FIRST_FREE:
        fd = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE)
    os.set_inheritable(fd, False)
    channel = Channel(fd)
    send_handshake(channel)
    return channel


def send_handshake(channel: Channel) -> None:
    """Say that the worker is up."""
    channel.send({"up": "%d.%d" % sys.version_info[:2]})


def serve(channel: Channel, operations: Dict[str, Callable[[Dict[str, Any]], None]]) -> None:
    """Handle requests by their `op` until the judge closes the channel, then end the process."""
    try:
        while True:
            serve_next(channel, operations)
    except Closed:
        leave(0)


def serve_next(channel: Channel, operations: Dict[str, Callable[[Dict[str, Any]], None]]) -> None:
    """Handle one request.

    Raises:
        Closed: The judge closed the channel.
    """
    request = channel.receive()
    channel.nonce = request.get("nonce", channel.nonce)
    operations[request["op"]](request)


def leave(status: int) -> None:
    """End this process at once, with what was printed written out.

    Neither exit handlers nor threads of foreign code get to run after the last answer.
    """
    flush()
    _exit(status)


def drop_output() -> None:
    """Do without what foreign code prints."""
    _printed.clear()


def flush() -> None:
    """Write out what foreign code has printed; it may have closed or replaced the streams."""
    for name in _printed:
        try:
            getattr(sys, name).flush()
        except Exception:
            continue

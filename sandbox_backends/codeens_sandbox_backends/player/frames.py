"""Frames on a byte stream: a 4-byte big-endian length, then that many bytes of JSON. Both ends of the wire use this."""

from __future__ import annotations

import struct
from typing import Callable

_LENGTH = struct.Struct(">I")
_CHUNK = 1 << 16


class FrameTooLong(Exception):
    """The other end announced a frame over the limit."""


def pack(payload: bytes) -> bytes:
    """The frame of a payload."""
    return _LENGTH.pack(len(payload)) + payload


class FrameReader:
    """Cuts what `read` yields into payloads.

    Args:
        read: Returns at least one and at most the given number of bytes, or none at the stream's end.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._buffer = bytearray()

    def next(self, limit: int) -> bytes:
        """The next payload.

        Raises:
            EOFError: The stream ended.
            FrameTooLong: The payload has more than `limit` bytes; none of it was read.
        """
        self._fill(_LENGTH.size)
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > limit:
            raise FrameTooLong(f"a frame of {length} bytes was announced, {limit} are allowed")
        end = _LENGTH.size + length
        self._fill(end)
        payload = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return payload

    def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            chunk = self._read(max(_CHUNK, size - len(self._buffer)))
            if not chunk:
                raise EOFError
            self._buffer += chunk

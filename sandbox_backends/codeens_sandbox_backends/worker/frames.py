"""Frames on a byte stream: a 4-byte big-endian length, then that many bytes of JSON. Both ends of the wire use this."""

from __future__ import annotations

import struct
from typing import Callable

LENGTH = struct.Struct(">I")
_CHUNK = 1 << 16


class FrameTooLong(Exception):
    """The other end announced a frame over the limit."""


def pack(payload: bytes) -> bytes:
    """Return the frame of a payload."""
    return LENGTH.pack(len(payload)) + payload


class FrameReader:
    """Cuts what `read` yields into payloads.

    Args:
        read: Returns at least one and at most the given number of bytes, or none at the stream's end.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._buffer = b""
        self._at = 0
        self._whole = 0

    def next(self, limit: int) -> bytes:
        """Return the next payload.

        Raises:
            EOFError: The stream ended.
            FrameTooLong: The payload has more than `limit` bytes; none of it was read.
        """
        self._have(LENGTH.size)
        (length,) = LENGTH.unpack_from(self._buffer, self._at)
        if length > limit:
            raise FrameTooLong(f"a frame of {length} bytes was announced, {limit} are allowed")
        self._have(LENGTH.size + length)
        start = self._at + LENGTH.size
        self._at = start + length
        self._whole = max(0, self._whole - LENGTH.size - length)
        return self._buffer[start : self._at]

    def await_another(self, limit: int) -> None:
        """Read until one more frame is there than this has waited for, all of which `next` returns later.

        Raises:
            EOFError: The stream ended.
            FrameTooLong: These frames have more than `limit` bytes.
        """
        self._have(self._whole + LENGTH.size)
        (length,) = LENGTH.unpack_from(self._buffer, self._at + self._whole)
        whole = self._whole + LENGTH.size + length
        if whole > limit:
            raise FrameTooLong(f"frames of {whole} bytes were announced, {limit} are allowed")
        self._have(whole)
        self._whole = whole

    def ahead(self, limit: int) -> bytes:
        """Return all bytes up to the stream's end, which `next` reads too; empty if over the limit.

        Raises:
            Exception: what `read` raises.
        """
        pieces = [self._buffer[self._at :]]
        size = len(pieces[0])
        try:
            while size <= limit:
                piece = self._read(_CHUNK)
                if not piece:
                    return b"".join(pieces)
                pieces.append(piece)
                size += len(piece)
        finally:
            self._buffer, self._at = b"".join(pieces), 0
        return b""

    def _have(self, size: int) -> None:
        """Read on until so many bytes are there."""
        have = len(self._buffer) - self._at
        if have >= size:
            return
        pieces = [self._buffer[self._at :]]
        try:
            while have < size:
                piece = self._read(max(_CHUNK, size - have))
                if not piece:
                    raise EOFError
                pieces.append(piece)
                have += len(piece)
        finally:
            self._buffer, self._at = b"".join(pieces), 0

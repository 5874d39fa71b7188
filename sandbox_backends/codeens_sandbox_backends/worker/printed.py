"""What a call writes to standard output and standard error: passed on as before, and noted.

What goes past `sys.stdout` (`os.write`, C code, child processes) is written to a pipe in the place of the descriptor.
Nobody reads that while a call runs: one that writes more than the pipe holds is late.
"""

from __future__ import annotations

import fcntl
import io
import os
import re
import sys
from contextlib import suppress
from typing import Any, List

_MOST_KEPT = 1 << 16
"""Bytes of one call; of more, their digest counts."""
_PIPE = 1 << 20
"""Bytes: what Linux lets anybody have."""
_SET_SIZE = 1031
"""F_SETPIPE_SZ of linux/fcntl.h, which `fcntl` has since Python 3.10."""
_TRACEBACK = re.compile(
    r"((?:Traceback|Stack) \(most recent call last\):\n)(?:[ \t].*\n?)+(?:([\w.]+)(?::.*)?(?=\n|\Z))?"
)
_write, _read = os.write, os.read


class _NotedFile(io.RawIOBase):
    """A descriptor whose writes are noted, by whatever means they are made."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor = descriptor
        self.pieces: List[bytes] = []
        self._outside = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
        self._past, end = os.pipe()
        os.set_blocking(self._past, False)
        with suppress(OSError):  # as large as it is, then
            fcntl.fcntl(end, _SET_SIZE, _PIPE)
        os.dup2(end, descriptor)
        os.close(end)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.descriptor

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Note the bytes, and pass them on."""
        self.look()
        written = bytes(data)
        self._note(written)
        return len(written)

    def look(self) -> None:
        """Note what was written past this file."""
        with suppress(OSError):  # there is nothing
            while piece := _read(self._past, _PIPE):
                self._note(piece)

    def _note(self, written: bytes) -> None:
        self.pieces.append(written)
        rest = memoryview(written)
        with suppress(OSError):  # that nobody reads what is printed is no failure of the code
            while rest:
                rest = rest[_write(self._outside, rest) :]


class Printed:
    """Stands in for `sys.stdout` or `sys.stderr` from when it is made."""

    def __init__(self, name: str) -> None:
        own = getattr(sys, name)
        own.flush()
        self._file = _NotedFile(own.fileno())
        encoding, errors = getattr(own, "encoding", "utf-8"), getattr(own, "errors", "backslashreplace")
        self._stream = io.TextIOWrapper(io.BufferedWriter(self._file), encoding=encoding, errors=errors)
        setattr(sys, name, self._stream)
        setattr(sys, f"__{name}__", self._stream)

    def length(self) -> int:
        """Return how many bytes were written since `taken`."""
        self._look()
        return sum(map(len, self._file.pieces))

    def taken(self) -> str:
        """Return what was written since this was asked before."""
        self._look()
        if not self._file.pieces:
            return ""
        data = b"".join(self._file.pieces)
        self._file.pieces.clear()
        text = without_frames(data[:_MOST_KEPT].decode("utf-8", "backslashreplace"))
        return text if len(data) <= _MOST_KEPT else f"{text}\n[{len(data)} bytes in all, sha256 {_sha256(data)}]"

    def _look(self) -> None:
        with suppress(ValueError):  # the code has closed it
            self._stream.flush()
        self._file.look()


def without_frames(text: str) -> str:
    """Return a text in which tracebacks are no more than the type of the exception: another implementation has other
    lines, and messages are for people.
    """
    return _TRACEBACK.sub(r"\1\2", text) if "(most recent call last)" in text else text


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()

"""Drains a process's output, so that it never blocks on it, and keeps the beginning."""

from __future__ import annotations

import os
import selectors
import threading
from typing import IO

_CHUNK = 1 << 16


class Output:
    """Reads two pipes in a thread of its own until both end or `finish` gives up on them."""

    def __init__(self, stdout: IO[bytes], stderr: IO[bytes], keep: int) -> None:
        self._pipes = (stdout, stderr)
        self._kept = (bytearray(), bytearray())
        self._keep = keep
        self._dropped = 0
        self._stop, self._stopping = os.pipe()
        self._thread = threading.Thread(target=self._drain, name="codeens output", daemon=True)
        self._thread.start()

    def finish(self, timeout: float) -> tuple[bytes, bytes, int]:
        """Return what was kept of stdout and stderr, and how many bytes were dropped, after `timeout` s at most."""
        self._thread.join(timeout)
        os.close(self._stopping)
        self._thread.join()
        for pipe in self._pipes:
            pipe.close()
        os.close(self._stop)
        return bytes(self._kept[0]), bytes(self._kept[1]), self._dropped

    def _drain(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._stop, selectors.EVENT_READ)
            for pipe, kept in zip(self._pipes, self._kept, strict=True):
                selector.register(pipe.fileno(), selectors.EVENT_READ, kept)
            while len(selector.get_map()) > 1:
                for key, _ in selector.select():
                    if key.data is None:
                        return
                    if not self._read(key.fd, key.data):
                        selector.unregister(key.fd)

    def _read(self, fd: int, kept: bytearray) -> bool:
        """Take one piece; False at the end."""
        piece = os.read(fd, _CHUNK)
        room = self._keep - len(kept)
        kept += piece[:room]
        self._dropped += max(0, len(piece) - room)
        return bool(piece)

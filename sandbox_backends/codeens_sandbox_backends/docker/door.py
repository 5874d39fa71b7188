"""Where a container's first process calls the judge: a unix socket in a folder that holds nothing else.

The folder is shown to one container. Its parent is open to this user alone, so nobody else of this machine can call.
Only one caller is let in, before any foreign code runs; foreign code cannot make sockets.
"""

from __future__ import annotations

import os
import select
import shutil
import socket
import tempfile
from pathlib import Path

SOCKET_NAME = "socket"


class Door:
    """A socket that waits for one caller. Close it when done."""

    def __init__(self) -> None:
        self._parent = Path(tempfile.mkdtemp(prefix="codeens-"))
        self.folder = self._parent / "door"
        self.closed_file = self._parent / "closed"
        """A file that nobody but its owner can open."""
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.folder.mkdir(mode=0o755)
            self.folder.chmod(0o755)
            self.closed_file.touch(mode=0)
            _bind(self._listener, self.folder)
            (self.folder / SOCKET_NAME).chmod(0o666)  # the container's user is nobody of this machine
            self._listener.listen(1)
        except BaseException:
            self.close()
            raise

    def caller(self, timeout: float) -> socket.socket | None:
        """The connection of who called; None when nobody did within `timeout` seconds."""
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        return self._listener.accept()[0] if poll.poll(timeout * 1000) else None

    def close(self) -> None:
        """Stop listening and remove the folder; a connection stays."""
        self._listener.close()
        shutil.rmtree(self._parent, ignore_errors=True)


def _bind(listener: socket.socket, folder: Path) -> None:
    """Bind through a descriptor: a socket's address has room for about a hundred bytes, a folder's path is longer."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener.bind(f"/proc/self/fd/{descriptor}/{SOCKET_NAME}")
    finally:
        os.close(descriptor)

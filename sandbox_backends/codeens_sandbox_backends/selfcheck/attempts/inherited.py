"""What a process gets without asking: its environment, its descriptors, shared memory, what others left."""

from __future__ import annotations

import os
import re
import socket
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .trying import worked

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECRET = re.compile(rb"codeens-[0-9a-f]{32}")
_DESCRIPTORS = 1024
_CHANNELS = 2
"""Sockets or pipes that a worker may be spoken to by, beside its standard streams."""
_ALL_MAY = 0o666
_MAKE = 0o1000
_SIZE = 64
_LARGEST = 1 << 20
_DEEPEST = 2
"""Folders below those that are often shared; more may be there than there is time for."""


def environment() -> list[str]:
    """Return every variable, and the text that the process was started with."""
    return ["{}={}".format(*pair) for pair in os.environ.items()] + [
        Path("/proc/self/environ").read_bytes().decode("latin-1")
    ]


def descriptors() -> list[str]:
    """Open descriptors beyond the standard streams and the worker's channel."""
    found: dict[int, os.stat_result] = {}
    for number in range(_DESCRIPTORS):
        try:
            found[number] = os.fstat(number)
        except OSError:
            continue
    kinds = {number: stat.S_IFMT(known.st_mode) for number, known in found.items()}
    ours = [number for number, kind in kinds.items() if number > 2 and kind in (stat.S_IFSOCK, stat.S_IFIFO)]
    strange = [number for number, kind in kinds.items() if _is_strange(number, kind)] + ours[_CHANNELS:]
    return ["descriptor %d: %s" % (number, _shown(number)) for number in strange]


def _is_strange(number: int, kind: int) -> bool:
    if kind == stat.S_IFSOCK:
        return _has_address(number)
    return kind in (stat.S_IFDIR, stat.S_IFBLK) or (number > 2 and kind not in (stat.S_IFSOCK, stat.S_IFIFO))


def _has_address(number: int) -> bool:
    """Return whether it is more than one end of an anonymous pair."""
    with socket.socket(fileno=os.dup(number)) as end:
        return bool(end.family != socket.AF_UNIX or end.getsockname())


def _shown(number: int) -> str:
    try:
        return os.readlink("/proc/self/fd/%d" % number)
    except OSError:
        return "open"


def shared_memory(key: int, size: int) -> list[str]:
    """Attach a segment of System V shared memory by its key."""
    return worked([("shmget", lambda: _segment(key, size))])


def _segment(key: int, size: int) -> str:
    import ctypes

    libc = ctypes.CDLL(None)
    libc.shmat.restype = ctypes.c_void_p
    number = libc.shmget(key, size, 0)
    place = libc.shmat(number, None, 0) if number >= 0 else None
    if place is None or place == ctypes.c_void_p(-1).value:
        raise OSError("there is none")
    return ctypes.string_at(place, size).decode("latin-1")


def leave(text: str, key: int, name: str) -> list[str]:
    """Put a text wherever a later job might find it, in files of that name."""
    for folder in _folders():
        worked([("", lambda folder=folder: Path(folder, name).write_text(text))])
    worked([("", lambda: _leave_segment(text, key))])
    return []


def _leave_segment(text: str, key: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None)
    libc.shmat.restype = ctypes.c_void_p
    place = libc.shmat(libc.shmget(key, _SIZE, _MAKE | _ALL_MAY), None, 0)
    ctypes.memmove(place, text.encode(), len(text))


def leave_and_wait(text: str, key: int, name: str) -> list[str]:
    """Do the same, and stay, with the text in memory, until the judge has had enough."""
    leave(text, key, name)
    os.environ["CODEENS_LEFT"] = text
    import time

    while True:
        time.sleep(1)


def find(key: int) -> list[str]:
    """Find what an earlier job left, on disk and in shared memory."""
    found = worked([("shared memory", lambda: _segment(key, _SIZE))])
    for folder in _folders():
        for place in _files(folder):
            found += [match.decode() for match in _SECRET.findall(place.read_bytes())]
    return found


def _folders() -> list[str]:
    often_shared = ("/dev/shm", "/var/tmp", "/tmp", "/run")
    return list(dict.fromkeys((tempfile.gettempdir(), os.getcwd(), os.path.expanduser("~"), *often_shared)))


def _files(folder: str) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        if place.count(os.sep) - folder.count(os.sep) >= _DEEPEST:
            folders.clear()
        for name in names:
            path = Path(place, name)
            try:
                if path.is_file() and path.stat().st_size <= _LARGEST and os.access(path, os.R_OK):
                    yield path
            except OSError:
                continue

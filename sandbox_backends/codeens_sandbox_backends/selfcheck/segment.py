"""A segment of System V shared memory, which every process of the same user finds by its number."""

from __future__ import annotations

import ctypes
import secrets
from types import TracebackType

SIZE = 64
_CREATE = 0o1666  # IPC_CREAT, and all may use it
_REMOVE = 0  # IPC_RMID


class Segment:
    """Holds a text while the block lasts. `key` is its number."""

    def __init__(self, text: str) -> None:
        self.key = new_key()
        self._text = text
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.shmat.restype = ctypes.c_void_p

    def __enter__(self) -> Segment:
        number = self._libc.shmget(self.key, SIZE, _CREATE)
        place = self._libc.shmat(number, None, 0)
        ctypes.memmove(place, self._text.encode(), len(self._text))
        self._libc.shmdt(ctypes.c_void_p(place))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        remove(self.key)


def new_key() -> int:
    """Return a number that is hardly in use."""
    return secrets.randbelow(1 << 30) + 1


def remove(key: int) -> bool:
    """Remove the segment of that number; whether there was one."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = libc.shmget(key, SIZE, 0)
    return number >= 0 and libc.shmctl(number, _REMOVE, None) == 0

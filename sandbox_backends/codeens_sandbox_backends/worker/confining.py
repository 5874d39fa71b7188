"""What a process asks of the C library for itself: system call filters, and less memory."""

from __future__ import annotations

import ctypes
from typing import Any

_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 22, 38, 2
_library = ctypes.CDLL(None, use_errno=True)
_prctl: Any = _library.prctl
_NOTHING = ctypes.c_ulong(0)
_ON = ctypes.c_ulong(1)
_FILTERED = ctypes.c_ulong(_SECCOMP_MODE_FILTER)


class _Program(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def do_without_new_rights() -> None:
    """For this process and what comes from it; without that the kernel takes no filter from it.

    Raises:
        OSError: the kernel refuses.
    """
    if _prctl(_PR_SET_NO_NEW_PRIVS, _ON, _NOTHING, _NOTHING, _NOTHING):
        raise OSError(ctypes.get_errno(), "no_new_privs")


def hide_from_equals(*, hidden: bool) -> None:
    """Keep other processes of the same user from looking into this one, and changing it (PR_SET_DUMPABLE).

    Raises:
        OSError: the kernel refuses.
    """
    if _prctl(_PR_SET_DUMPABLE, _NOTHING if hidden else _ON, _NOTHING, _NOTHING, _NOTHING):
        raise OSError(ctypes.get_errno(), "dumpable")


class SyscallFilter:
    """An array of `struct sock_filter`, made ready to be installed."""

    def __init__(self, steps: bytes) -> None:
        self._steps = ctypes.create_string_buffer(steps, len(steps))
        self._program = _Program(len(steps) // 8, ctypes.addressof(self._steps))
        self._reference = ctypes.byref(self._program)

    def install(self) -> None:
        """Put this process, and what comes from it, under the filter for good. It must have done without new rights.

        Raises:
            OSError: the kernel refuses.
        """
        if _prctl(_PR_SET_SECCOMP, _FILTERED, self._reference, _NOTHING, _NOTHING):
            raise OSError(ctypes.get_errno(), "seccomp")


def give_back_memory() -> None:
    """Have the kernel take back what is free: a fork then has less to copy. Not every C library can."""
    trim: Any = getattr(_library, "malloc_trim", None)
    if trim is not None:
        trim(0)

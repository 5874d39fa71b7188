"""Calls of the Linux kernel that Python's standard library does not have."""

from __future__ import annotations

import ctypes
import os

NEW_MOUNTS, NEW_HOST_NAME, NEW_IPC, NEW_USERS, NEW_PROCESSES, NEW_NETWORK = (  # CLONE_NEW… of linux/sched.h
    0x00020000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
READ_ONLY, NO_SETUID, NO_DEVICES, NO_EXEC = 1, 2, 4, 8  # MS_… of linux/mount.h
REMOUNT, BIND, WITH_ALL_BELOW, PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
_KEPT = ((os.ST_NOEXEC, NO_EXEC), (os.ST_NOATIME, 1024), (os.ST_NODIRATIME, 2048), (4096, 1 << 21))
"""Flags that a mount has (statvfs) and must keep when it is changed, and what they are for mount(2)."""
_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP = 1, 4, 22  # linux/prctl.h
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38
_FILTER_MODE = 2
_FILTER_STEP_BYTES = 8
_libc = ctypes.CDLL(None, use_errno=True)


class _Filter(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def unshare(flags: int) -> None:
    """Leave namespaces for new ones."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, place: str, kind: str, flags: int, data: str = "") -> None:
    """See mount(2)."""
    texts = [text.encode("utf-8", "surrogateescape") for text in (source, place, kind, data)]
    result = _libc.mount(texts[0], texts[1], texts[2] or None, ctypes.c_ulong(flags), texts[3] or None)
    _checked(result, "mount " + place)


def bind(source: str, place: str) -> None:
    """Show `source` at `place`, read-only."""
    mount(source, place, "", BIND)
    mount("", place, "", REMOUNT | BIND | READ_ONLY | NO_SETUID | NO_DEVICES | _flags_of(place))


def make_read_only(place: str) -> None:
    """Let nobody write to a mount."""
    mount("", place, "", REMOUNT | BIND | READ_ONLY | NO_SETUID | _flags_of(place))


def enter(root: str) -> None:
    """Make a mounted folder the root, and let go of the one that was."""
    os.chdir(root)
    number = _PIVOT_ROOT[os.uname().machine]
    _checked(_libc.syscall(ctypes.c_long(number), b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", ctypes.c_int(_DETACH)), "umount")
    os.chdir("/")


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send this process a signal when its parent ends."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def adopt_orphans() -> None:
    """Be the parent of all descendants whose parents end."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def be_unreadable() -> None:
    """Keep other processes of this user from looking into this one."""
    _prctl(_PR_SET_DUMPABLE, 0)


def be_readable() -> None:
    """Let other processes of this user look into this one again."""
    _prctl(_PR_SET_DUMPABLE, 1)


def give_up_new_rights() -> None:
    """No program that is started from here on gets more rights than this process has."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def load_filter(steps: bytes) -> None:
    """Load a program (an array of `struct sock_filter`) that every system call from here on must pass."""
    program = _Filter(len(steps) // _FILTER_STEP_BYTES, steps)
    _prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.addressof(program))


def name_host(name: str) -> None:
    """What this host is called."""
    text = name.encode("ascii")
    _checked(_libc.sethostname(text, ctypes.c_size_t(len(text))), "sethostname")


def _flags_of(place: str) -> int:
    have = os.statvfs(place).f_flag
    return sum(flag for seen, flag in _KEPT if have & seen)


def _prctl(option: int, *arguments: int) -> None:
    filled: tuple[int, ...] = (*arguments, 0, 0, 0)[:4]
    _checked(_libc.prctl(ctypes.c_int(option), *(ctypes.c_ulong(argument) for argument in filled)), "prctl")


def _checked(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")

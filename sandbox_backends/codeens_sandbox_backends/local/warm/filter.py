"""The further system call filters of a warm worker: what only a worker of its own sandbox may do ends it.

Warm workers are forks of one process and share its namespaces, one after the other. So they must not be able to make
processes, to reach the process they come from, or to leave anything behind. Whatever could is answered with the death
of the worker (SIGSYS), not with an error: code cannot catch it, so that it never takes another way than it would with
everything allowed, and the job is run again in a sandbox of its own. What is refused there too (`seccomp.py`) is
refused here in the same way, by the filter that the sandbox as a whole has. Of several filters the strictest decides.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from codeens_sandbox_backends.host import seccomp
from codeens_sandbox_backends.host.seccomp import Machine, step

_CLONE_THREAD = 0x00010000
_WRITES = 0x3 | 0x40 | 0x200 | 0x400000
"""O_ACCMODE, O_CREAT, O_TRUNC, __O_TMPFILE."""
_SHARED_MEMORY = 0x1 | 0x20
"""MAP_SHARED and MAP_ANONYMOUS: memory that no limit of a process bounds."""
_FCNTL_OWNERS = (8, 10, 15, 1024)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE: they make the kernel send signals, or stop others."""
_IOCTL_OWNERS = (0x8901, 0x8902)
"""FIOSETOWN, SIOCSPGRP."""
_AND = 0x54
_KILL = step(seccomp.RETURN, seccomp.KILL)
_ALLOW = step(seccomp.RETURN, seccomp.ALLOW)


def program_for_all(machine: Machine, calls: WarmCalls) -> bytes:
    """What the process that workers come from can do without too, as an array of `struct sock_filter`.

    It takes this filter when it starts, so that each worker gets it for nothing.
    """
    steps = [*_begin(machine), *_fatal(calls.fatal)]
    steps += _when(calls.prlimit64, [_argument(0), step(seccomp.EQUAL, 0, on_true=1), _KILL, _ALLOW])
    shared = [_argument(3), step(_AND, _SHARED_MEMORY), step(seccomp.EQUAL, _SHARED_MEMORY, on_false=1), _KILL, _ALLOW]
    steps += _when(calls.mmap, shared)
    for number, commands in ((calls.fcntl, _FCNTL_OWNERS), (calls.ioctl, _IOCTL_OWNERS)):
        tests = [part for command in commands for part in (step(seccomp.EQUAL, command, on_false=1), _KILL)]
        steps += _when(number, [_argument(1), *tests, _ALLOW])
    return b"".join([*steps, _ALLOW])


def program_for_workers(machine: Machine, calls: WarmCalls) -> bytes:
    """What is fatal to workers alone. Short: the kernel goes through it for every number when a worker takes it."""
    steps = [*_begin(machine), *_fatal(calls.fatal_for_workers)]
    writes = step(seccomp.ANY_BIT, _WRITES, on_false=1)
    if calls.open is not None:
        steps += _when(calls.open, [_argument(1), writes, _KILL, _ALLOW])
    steps += _when(calls.openat, [_argument(2), writes, _KILL, _ALLOW])
    steps += _when(machine.clone, [_argument(0), step(seccomp.ANY_BIT, _CLONE_THREAD, on_true=1), _KILL, _ALLOW])
    return b"".join([*steps, _ALLOW])


def _begin(machine: Machine) -> list[bytes]:
    return [
        step(seccomp.LOAD, seccomp.ARCH_AT),
        step(seccomp.EQUAL, machine.audit_arch, on_true=1),
        _KILL,
        step(seccomp.LOAD, seccomp.NUMBER_AT),
    ]


def _fatal(numbers: Iterable[int]) -> list[bytes]:
    return [part for number in numbers for part in (step(seccomp.EQUAL, number, on_false=1), _KILL)]


def _when(number: int, steps: list[bytes]) -> list[bytes]:
    """Steps, the last of which decides, for one system call."""
    return [step(seccomp.EQUAL, number, on_false=len(steps)), *steps]


def _argument(index: int) -> bytes:
    """Load the low half of an argument."""
    return step(seccomp.LOAD, seccomp.ARGUMENT_AT + 8 * index)


class WarmCalls(Struct, frozen=True, kw_only=True):
    """What the filter must know of a processor family, beside its `syscalls.Machine`."""

    fatal: tuple[int, ...]
    """Calls that end a worker, and the process it comes from, whatever their arguments are."""
    fatal_for_workers: tuple[int, ...]
    """The same for workers alone: the process that they come from makes these itself."""
    open: int | None = None
    openat: int
    prlimit64: int
    fcntl: int
    ioctl: int
    mmap: int


_ON_ALL = {
    "pidfd_open": 434,
    "pidfd_send_signal": 424,
    "process_mrelease": 448,
    "memfd_secret": 447,
    "openat2": 437,
    "fchmodat2": 452,
    "setxattrat": 463,
    "removexattrat": 466,
}
"""Calls younger than the common numbering: the same everywhere."""

_X86_64 = {
    "fork": 57,
    "vfork": 58,
    "execve": 59,
    "execveat": 322,
    "kill": 62,
    "tkill": 200,
    "tgkill": 234,
    "rt_sigqueueinfo": 129,
    "rt_tgsigqueueinfo": 297,
    "shmget": 29,
    "shmat": 30,
    "shmctl": 31,
    "semget": 64,
    "semop": 65,
    "semtimedop": 220,
    "semctl": 66,
    "msgget": 68,
    "msgsnd": 69,
    "msgrcv": 70,
    "msgctl": 71,
    "mq_open": 240,
    "mq_unlink": 241,
    "memfd_create": 319,
    "bind": 49,
    "connect": 42,
    "listen": 50,
    "accept": 43,
    "accept4": 288,
    "setpriority": 141,
    "ioprio_set": 251,
    "sched_setaffinity": 203,
    "sched_setscheduler": 144,
    "sched_setparam": 142,
    "sched_setattr": 314,
    "move_pages": 279,
    "migrate_pages": 256,
    "creat": 85,
    "mkdir": 83,
    "mkdirat": 258,
    "rmdir": 84,
    "unlink": 87,
    "unlinkat": 263,
    "rename": 82,
    "renameat": 264,
    "renameat2": 316,
    "link": 86,
    "linkat": 265,
    "symlink": 88,
    "symlinkat": 266,
    "mknod": 133,
    "mknodat": 259,
    "chmod": 90,
    "fchmodat": 268,
    "chown": 92,
    "lchown": 94,
    "fchownat": 260,
    "utime": 132,
    "utimes": 235,
    "futimesat": 261,
    "utimensat": 280,
    "truncate": 76,
    "setxattr": 188,
    "lsetxattr": 189,
    "fsetxattr": 190,
    "removexattr": 197,
    "lremovexattr": 198,
    "fremovexattr": 199,
    "inotify_init": 253,
    "inotify_init1": 294,
}

_AARCH64 = {
    "execve": 221,
    "execveat": 281,
    "kill": 129,
    "tkill": 130,
    "tgkill": 131,
    "rt_sigqueueinfo": 138,
    "rt_tgsigqueueinfo": 240,
    "shmget": 194,
    "shmat": 196,
    "shmctl": 195,
    "semget": 190,
    "semop": 193,
    "semtimedop": 192,
    "semctl": 191,
    "msgget": 186,
    "msgsnd": 189,
    "msgrcv": 188,
    "msgctl": 187,
    "mq_open": 180,
    "mq_unlink": 181,
    "memfd_create": 279,
    "bind": 200,
    "connect": 203,
    "listen": 201,
    "accept": 202,
    "accept4": 242,
    "setpriority": 140,
    "ioprio_set": 30,
    "sched_setaffinity": 122,
    "sched_setscheduler": 119,
    "sched_setparam": 118,
    "sched_setattr": 274,
    "move_pages": 239,
    "migrate_pages": 238,
    "mkdirat": 34,
    "unlinkat": 35,
    "renameat": 38,
    "renameat2": 276,
    "linkat": 37,
    "symlinkat": 36,
    "mknodat": 33,
    "fchmodat": 53,
    "fchownat": 54,
    "utimensat": 88,
    "truncate": 45,
    "setxattr": 5,
    "lsetxattr": 6,
    "fsetxattr": 7,
    "removexattr": 14,
    "lremovexattr": 15,
    "fremovexattr": 16,
    "inotify_init1": 26,
}

_OF_THE_ZYGOTE = ("kill", "pidfd_open", "memfd_create")


def _fatal(numbers: dict[str, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """For all, and for workers alone."""
    numbers = {**numbers, **_ON_ALL}
    workers = tuple(numbers.pop(name) for name in _OF_THE_ZYGOTE)
    return tuple(sorted(numbers.values())), workers


def _warm_calls(numbers: dict[str, int], **others: int) -> WarmCalls:
    fatal, fatal_for_workers = _fatal(numbers)
    return WarmCalls(fatal=fatal, fatal_for_workers=fatal_for_workers, **others)


WARM_CALLS = {
    "x86_64": _warm_calls(_X86_64, open=2, openat=257, prlimit64=302, fcntl=72, ioctl=16, mmap=9),
    "aarch64": _warm_calls(_AARCH64, openat=56, prlimit64=261, fcntl=25, ioctl=29, mmap=222),
}
"""By what `os.uname().machine` says."""

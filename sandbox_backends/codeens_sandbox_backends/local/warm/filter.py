"""The further system call filters of a warm worker: what only a worker of its own sandbox may do ends it.

Warm workers are forks of one process and share its namespaces, one after the other. So they must not be able to make
processes, to reach the process they come from, or to leave anything behind. Whatever could is answered with the death
of the worker (SIGSYS), not with an error: code cannot catch it, so that it never takes another way than it would with
everything allowed, and the job is run again in a sandbox of its own. What is refused there too (`seccomp.py`) is
refused here in the same way, by the filter that the sandbox as a whole has. Of several filters the strictest decides.
"""

from __future__ import annotations

from collections.abc import Iterable

from codeens_sandbox_backends.host import seccomp
from codeens_sandbox_backends.host.seccomp import step
from codeens_sandbox_backends.host.syscalls import Architecture

_CLONE_THREAD = 0x00010000
_WRITES = 0x3 | 0x40 | 0x200 | 0x400000
"""O_ACCMODE, O_CREAT, O_TRUNC, __O_TMPFILE."""
_SHARED_MEMORY = 0x1 | 0x20
"""MAP_SHARED and MAP_ANONYMOUS: memory that no limit of a process bounds."""
_FCNTL_OWNERS = (8, 10, 15, 1024)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE: they make the kernel send signals, or stop others."""
_IOCTL_OWNERS = (0x8901, 0x8902)
"""FIOSETOWN, SIOCSPGRP."""
_OF_THE_ZYGOTE = ("kill", "pidfd_open", "memfd_create")
"""Calls that the process which workers come from makes itself."""
_OUTLIVES = frozenset(
    {"shmget", "shmat", "shmctl", "semget", "semop", "semtimedop", "semctl", "msgget", "msgsnd", "msgrcv", "msgctl"}
    | {"mq_open", "mq_unlink", "setpriority", "ioprio_set", "sched_setscheduler", "sched_setparam", "sched_setattr"}
)
"""Calls by which a suite would leave something that stays, or change the process that it comes from."""
_AND = 0x54
"""BPF_ALU | BPF_AND | BPF_K of linux/bpf_common.h."""
_KILL = step(seccomp.RETURN, seccomp.KILL)
_ALLOW = step(seccomp.RETURN, seccomp.ALLOW)


def program_for_all(machine: Architecture) -> bytes:
    """Return what the process that workers come from can do without too, as an array of `struct sock_filter`.

    It takes this filter when it starts, so that each worker gets it for nothing.
    """
    inspected = machine.numbers["inspected"]
    numbers = [number for name, number in machine.numbers["fatal"].items() if name not in _OF_THE_ZYGOTE]
    steps = [*_begin(machine), *_fatal(sorted(numbers))]
    steps += _when(inspected["prlimit64"], [_argument(0), step(seccomp.EQUAL, 0, on_true=1), _KILL, _ALLOW])
    shared = [_argument(3), step(_AND, _SHARED_MEMORY), step(seccomp.EQUAL, _SHARED_MEMORY, on_false=1), _KILL, _ALLOW]
    steps += _when(inspected["mmap"], shared)
    for number, commands in ((inspected["fcntl"], _FCNTL_OWNERS), (inspected["ioctl"], _IOCTL_OWNERS)):
        tests = [part for command in commands for part in (step(seccomp.EQUAL, command, on_false=1), _KILL)]
        steps += _when(number, [_argument(1), *tests, _ALLOW])
    return b"".join([*steps, _ALLOW])


def program_for_workers(machine: Architecture) -> bytes:
    """Return what is fatal to workers alone. Short, since the kernel runs it for every number when a worker starts."""
    inspected = machine.numbers["inspected"]
    steps = [*_begin(machine), *_fatal(machine.numbers["fatal"][name] for name in _OF_THE_ZYGOTE)]
    writes = step(seccomp.ANY_BIT, _WRITES, on_false=1)
    if "open" in inspected:
        steps += _when(inspected["open"], [_argument(1), writes, _KILL, _ALLOW])
    steps += _when(inspected["openat"], [_argument(2), writes, _KILL, _ALLOW])
    steps += _when(inspected["clone"], [_argument(0), step(seccomp.ANY_BIT, _CLONE_THREAD, on_true=1), _KILL, _ALLOW])
    return b"".join([*steps, _ALLOW])


def program_for_suites(machine: Architecture) -> bytes:
    """Return what is fatal to warm suites: what neither their files' removal nor their processes' end undoes."""
    inspected = machine.numbers["inspected"]
    fatal = [number for name, number in machine.numbers["fatal"].items() if name in _OUTLIVES]
    steps = [*_begin(machine), *_fatal(sorted(fatal))]
    steps += _when(inspected["prlimit64"], [_argument(0), step(seccomp.EQUAL, 0, on_true=1), _KILL, _ALLOW])
    return b"".join([*steps, _ALLOW])


NO_FILTER = _ALLOW
"""For a process that may do what its sandbox allows."""


def _begin(machine: Architecture) -> list[bytes]:
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

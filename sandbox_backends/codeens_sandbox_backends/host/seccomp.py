"""The system call filter of a sandboxed process, as the classic BPF program that bubblewrap loads.

It is the second wall: namespaces already hide the network, other processes and mounts. Allowed is all that
ordinary Python needs, `fork` and `socketpair` included; refused is what only attacks on the kernel need, sockets, and
`flock`: it locks files that are only shown, the devices of this machine among them, for everybody else.
"""

from __future__ import annotations

import errno
import struct

from codeens_sandbox_backends.host.syscalls import Architecture

# linux/bpf_common.h, linux/seccomp.h
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
# struct seccomp_data: nr, arch, instruction pointer, six arguments (both machines are little-endian)
NUMBER_AT, ARCH_AT, ARGUMENT_AT = 0, 4, 16
_X32_BIT = 0x40000000
_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET (linux/sched.h)."""


def program(machine: Architecture) -> bytes:
    """Return the filter for a processor family: an array of `struct sock_filter`."""
    inspected = machine.numbers["inspected"]
    refuse = step(RETURN, ERRNO | errno.EPERM)
    steps = [
        step(LOAD, ARCH_AT),
        step(EQUAL, machine.audit_arch, on_true=1),
        step(RETURN, KILL),
        step(LOAD, NUMBER_AT),
    ]
    if machine.x32:
        steps += [step(AT_LEAST, _X32_BIT, on_false=1), step(RETURN, KILL)]
    # glibc falls back to `clone`, whose flags can be seen from here, when `clone3` does not exist.
    steps += [step(EQUAL, inspected["clone3"], on_false=1), step(RETURN, ERRNO | errno.ENOSYS)]
    for number in sorted(machine.numbers["denied"].values()):
        steps += [step(EQUAL, number, on_false=1), refuse]
    steps += [
        step(EQUAL, inspected["clone"], on_false=3),
        step(LOAD, ARGUMENT_AT),
        step(ANY_BIT, _NEW_NAMESPACES, on_false=1),
        refuse,
        step(RETURN, ALLOW),
    ]
    return b"".join(steps)


def step(code: int, operand: int, *, on_true: int = 0, on_false: int = 0) -> bytes:
    """Return one instruction; `on_true` and `on_false` are how many of the next ones a test skips."""
    return struct.pack("<HBBI", code, on_true, on_false, operand)

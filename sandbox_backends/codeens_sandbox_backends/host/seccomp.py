"""The system call filter of a sandboxed process, as the classic BPF program that bubblewrap loads.

It is the second wall: namespaces already hide the network, other processes and mounts. Allowed is all that
ordinary Python needs, `fork` and `socketpair` included; refused is what only attacks on the kernel need, and sockets.
"""

from __future__ import annotations

import errno
import struct

from msgspec import Struct

# linux/bpf_common.h, linux/seccomp.h
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
# struct seccomp_data: nr, arch, instruction pointer, six arguments (both machines are little-endian)
NUMBER_AT, ARCH_AT, ARGUMENT_AT = 0, 4, 16
_X32_BIT = 0x40000000
_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET (linux/sched.h)."""


def program(machine: Machine) -> bytes:
    """The filter for one machine: an array of `struct sock_filter`."""
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
    steps += [step(EQUAL, machine.clone3, on_false=1), step(RETURN, ERRNO | errno.ENOSYS)]
    for number in machine.denied:
        steps += [step(EQUAL, number, on_false=1), refuse]
    steps += [
        step(EQUAL, machine.clone, on_false=3),
        step(LOAD, ARGUMENT_AT),
        step(ANY_BIT, _NEW_NAMESPACES, on_false=1),
        refuse,
        step(RETURN, ALLOW),
    ]
    return b"".join(steps)


def step(code: int, operand: int, *, on_true: int = 0, on_false: int = 0) -> bytes:
    """One instruction; `on_true` and `on_false` are how many of the next ones a test skips."""
    return struct.pack("<HBBI", code, on_true, on_false, operand)


class Machine(Struct, frozen=True, kw_only=True):
    """What a filter must know of a processor family."""

    audit_arch: int
    """`AUDIT_ARCH_*` of linux/audit.h."""
    clone: int
    clone3: int = 435
    x32: bool = False
    """A second calling convention shares the architecture's name and must be refused."""
    denied: tuple[int, ...]


_NEW_ON_ALL = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "open_tree_attr": 467,
}
"""Calls younger than the common numbering: the same everywhere."""

_X86_64 = {
    "socket": 41,
    "ptrace": 101,
    "syslog": 103,
    "personality": 135,
    "modify_ldt": 154,
    "pivot_root": 155,
    "adjtimex": 159,
    "chroot": 161,
    "acct": 163,
    "settimeofday": 164,
    "mount": 165,
    "umount2": 166,
    "swapon": 167,
    "swapoff": 168,
    "reboot": 169,
    "sethostname": 170,
    "setdomainname": 171,
    "iopl": 172,
    "ioperm": 173,
    "init_module": 175,
    "delete_module": 176,
    "quotactl": 179,
    "lookup_dcookie": 212,
    "clock_settime": 227,
    "kexec_load": 246,
    "add_key": 248,
    "request_key": 249,
    "keyctl": 250,
    "unshare": 272,
    "perf_event_open": 298,
    "fanotify_init": 300,
    "name_to_handle_at": 303,
    "open_by_handle_at": 304,
    "clock_adjtime": 305,
    "setns": 308,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "kcmp": 312,
    "finit_module": 313,
    "kexec_file_load": 320,
    "bpf": 321,
    "userfaultfd": 323,
}

_AARCH64 = {
    "lookup_dcookie": 18,
    "umount2": 39,
    "mount": 40,
    "pivot_root": 41,
    "chroot": 51,
    "quotactl": 60,
    "acct": 89,
    "personality": 92,
    "unshare": 97,
    "kexec_load": 104,
    "init_module": 105,
    "delete_module": 106,
    "clock_settime": 112,
    "syslog": 116,
    "ptrace": 117,
    "reboot": 142,
    "sethostname": 161,
    "setdomainname": 162,
    "settimeofday": 170,
    "adjtimex": 171,
    "socket": 198,
    "add_key": 217,
    "request_key": 218,
    "keyctl": 219,
    "swapon": 224,
    "swapoff": 225,
    "perf_event_open": 241,
    "fanotify_init": 262,
    "name_to_handle_at": 264,
    "open_by_handle_at": 265,
    "clock_adjtime": 266,
    "setns": 268,
    "process_vm_readv": 270,
    "process_vm_writev": 271,
    "kcmp": 272,
    "finit_module": 273,
    "bpf": 280,
    "userfaultfd": 282,
    "kexec_file_load": 294,
}

MACHINES = {
    "x86_64": Machine(
        audit_arch=0xC000003E, clone=56, x32=True, denied=tuple(sorted({**_X86_64, **_NEW_ON_ALL}.values()))
    ),
    "aarch64": Machine(audit_arch=0xC00000B7, clone=220, denied=tuple(sorted({**_AARCH64, **_NEW_ON_ALL}.values()))),
}
"""By what `os.uname().machine` says."""

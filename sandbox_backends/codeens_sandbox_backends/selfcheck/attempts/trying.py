"""Making attempts and telling which of them worked."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable
from typing import Any

Attempt = tuple[str, Callable[[], object]]
_SHOWN = 300
_NUMBERS = {
    "x86_64": {
        "ptrace": 101,
        "mount": 165,
        "reboot": 169,
        "settimeofday": 164,
        "init_module": 175,
        "kexec_load": 246,
        "add_key": 248,
        "keyctl": 250,
        "unshare": 272,
        "perf_event_open": 298,
        "name_to_handle_at": 303,
        "setns": 308,
        "process_vm_readv": 310,
        "bpf": 321,
        "userfaultfd": 323,
        "clone": 56,
    },
    "aarch64": {
        "ptrace": 117,
        "mount": 40,
        "reboot": 142,
        "settimeofday": 170,
        "init_module": 105,
        "kexec_load": 104,
        "add_key": 217,
        "keyctl": 219,
        "unshare": 97,
        "perf_event_open": 241,
        "name_to_handle_at": 264,
        "setns": 268,
        "process_vm_readv": 270,
        "bpf": 280,
        "userfaultfd": 282,
        "clone": 220,
    },
}
_NEW = {"io_uring_setup": 425, "fsopen": 430, "clone3": 435, "pidfd_open": 434, "pidfd_getfd": 438}
"""Numbers of the kernel's system call tables; the new ones are the same everywhere."""


def worked(attempts: Iterable[Attempt]) -> list[str]:
    """Return the names of the attempts that did not raise, each with what came of it."""
    found: list[str] = []
    for name, attempt in attempts:
        try:
            result = attempt()
        except Exception:  # noqa: BLE001  # whatever stops an attempt, it was stopped
            continue
        found.append("%s: %.*r" % (name, _SHOWN, result))
    return found


def syscall(name: str, *arguments: Any) -> int:
    """Call the kernel directly; integers are passed as longs.

    Raises:
        OSError: the kernel, or a filter before it, refused.
    """
    import ctypes

    number = _NEW.get(name) or _NUMBERS[platform.machine()][name]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    plain = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    result = int(libc.syscall(ctypes.c_long(number), *plain))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def in_child(attempt: Callable[[], object]) -> str:
    """Make an attempt in a process of its own, which it may change.

    Raises:
        OSError: it did not work.
    """
    child = os.fork()
    if not child:
        try:
            attempt()
        except BaseException:  # noqa: BLE001  # the child must end here, whatever happened
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status:
        raise OSError("it was refused")
    return "it was allowed"

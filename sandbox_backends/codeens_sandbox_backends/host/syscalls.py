"""Numbers of the system calls that our filters name, for the processor families they are made for.

From the kernel's `arch/x86/entry/syscalls/syscall_64.tbl` and `scripts/syscall.tbl` (arm64).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal, NamedTuple, TypeAlias

Use: TypeAlias = Literal["denied", "fatal", "inspected"]

_TABLES: Mapping[Use, str] = {
    "denied": """
socket 41 198, ptrace 101 117, syslog 103 116, personality 135 92, modify_ldt 154 -, pivot_root 155 41,
flock 73 32, adjtimex 159 171, chroot 161 51, acct 163 89, settimeofday 164 170, mount 165 40, umount2 166 39,
swapon 167 224, swapoff 168 225, reboot 169 142, sethostname 170 161, setdomainname 171 162, iopl 172 -,
ioperm 173 -, init_module 175 105, delete_module 176 106, quotactl 179 60, lookup_dcookie 212 18,
clock_settime 227 112, kexec_load 246 104, add_key 248 217, request_key 249 218, keyctl 250 219,
unshare 272 97, perf_event_open 298 241, fanotify_init 300 262, name_to_handle_at 303 264,
open_by_handle_at 304 265, clock_adjtime 305 266, setns 308 268, process_vm_readv 310 270,
process_vm_writev 311 271, kcmp 312 272, finit_module 313 273, kexec_file_load 320 294, bpf 321 280,
userfaultfd 323 282, io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427,
open_tree 428 428, move_mount 429 429, fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433,
pidfd_getfd 438 438, process_madvise 440 440, mount_setattr 442 442, quotactl_fd 443 443,
open_tree_attr 467 467
""",
    "fatal": """
fork 57 -, vfork 58 -, execve 59 221, execveat 322 281, kill 62 129, tkill 200 130, tgkill 234 131,
rt_sigqueueinfo 129 138, rt_tgsigqueueinfo 297 240, shmget 29 194, shmat 30 196, shmctl 31 195, semget 64 190,
semop 65 193, semtimedop 220 192, semctl 66 191, msgget 68 186, msgsnd 69 189, msgrcv 70 188, msgctl 71 187,
mq_open 240 180, mq_unlink 241 181, memfd_create 319 279, bind 49 200, connect 42 203, listen 50 201,
accept 43 202, accept4 288 242, setpriority 141 140, ioprio_set 251 30, sched_setaffinity 203 122,
sched_setscheduler 144 119, sched_setparam 142 118, sched_setattr 314 274, move_pages 279 239,
migrate_pages 256 238, creat 85 -, mkdir 83 -, mkdirat 258 34, rmdir 84 -, unlink 87 -, unlinkat 263 35,
rename 82 -, renameat 264 38, renameat2 316 276, link 86 -, linkat 265 37, symlink 88 -, symlinkat 266 36,
mknod 133 -, mknodat 259 33, chmod 90 -, fchmodat 268 53, chown 92 -, lchown 94 -, fchownat 260 54,
utime 132 -, utimes 235 -, futimesat 261 -, utimensat 280 88, truncate 76 45, setxattr 188 5, lsetxattr 189 6,
fsetxattr 190 7, removexattr 197 14, lremovexattr 198 15, fremovexattr 199 16, inotify_init 253 -,
inotify_init1 294 26, pidfd_open 434 434, pidfd_send_signal 424 424, process_mrelease 448 448,
memfd_secret 447 447, openat2 437 437, fchmodat2 452 452, setxattrat 463 463, removexattrat 466 466
""",
    "inspected": """
clone 56 220, clone3 435 435, open 2 -, openat 257 56, prlimit64 302 261, fcntl 72 25, ioctl 16 29, mmap 9 222
""",
}
"""Name, number on x86-64, number on arm64 (`-`: it has none), by what a filter does with the call.

denied: refused in every sandbox. fatal: ends a warm worker too. inspected: the answer depends on the arguments.
"""


class Architecture(NamedTuple):
    """What a filter must know of a processor family."""

    audit_arch: int
    """`AUDIT_ARCH_*` of linux/audit.h."""
    x32: bool
    """A second calling convention shares the architecture's name and must be refused."""
    numbers: Mapping[Use, Mapping[str, int]]


@cache
def architecture(machine: str) -> Architecture | None:
    """Return what a filter must know of a machine, as `os.uname().machine` calls it; None where there is no filter."""
    match machine:
        case "x86_64":
            return Architecture(0xC000003E, x32=True, numbers=_column(1))
        case "aarch64":
            return Architecture(0xC00000B7, x32=False, numbers=_column(2))
        case _:
            return None


def _column(index: int) -> dict[Use, dict[str, int]]:
    columns: dict[Use, dict[str, int]] = {}
    for use, table in _TABLES.items():
        rows = [row.split() for row in table.replace("\n", " ").split(",")]
        columns[use] = {row[0]: int(row[index]) for row in rows if row[index] != "-"}
    return columns

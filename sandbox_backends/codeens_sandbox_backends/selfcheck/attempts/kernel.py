"""What only the kernel can grant."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from .trying import in_child, syscall, worked

_NEW_USER = 0x10000000
_NEW_NAMESPACE = 0x00020000
_SIGCHLD = 17
_OWN_KEYRING = -2
"""It goes away with the process."""
_HARMLESS_DEVICES = frozenset(["null", "zero", "full", "random", "urandom", "tty", "ptmx"])
_CONTROLS = ("/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger")
_SETUID_FOLDERS = ("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/local/bin", "/usr/libexec")
_CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapAmb")


def mount() -> list[str]:
    """Mount a file system; it goes away with the child that mounted it, or is taken off again."""
    folder = tempfile.mkdtemp()
    return worked([("mount", lambda: _mounted(folder)), ("fsopen", lambda: syscall("fsopen", b"tmpfs", 0))])


def _mounted(folder: str) -> str:
    import ctypes

    place = folder.encode()
    syscall("mount", b"codeens", place, b"tmpfs", 0, None)
    ctypes.CDLL(None).umount2(place, 2)
    return "mounted"


def namespaces() -> list[str]:
    """Make a user namespace inside the sandbox's own, where there would be a root again, or enter another."""
    return worked(
        [
            ("unshare user", lambda: in_child(lambda: syscall("unshare", _NEW_USER))),
            ("unshare mounts", lambda: in_child(lambda: syscall("unshare", _NEW_NAMESPACE))),
            ("clone", _cloned),
            *[(f"setns {name}", lambda name=name: in_child(lambda: _entered(name))) for name in ("mnt", "user")],
        ]
    )


def _cloned() -> str:
    child = syscall("clone", _NEW_USER | _SIGCHLD, 0, 0, 0, 0)
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    return "made"


def _entered(name: str) -> None:
    own = os.readlink(f"/proc/self/ns/{name}")
    for pid in os.listdir("/proc"):
        place = f"/proc/{pid}/ns/{name}"
        if pid.isdigit() and os.path.exists(place) and os.readlink(place) != own:
            syscall("setns", os.open(place, os.O_RDONLY), 0)
            return
    raise LookupError("no other one in sight")


def chroot() -> list[str]:
    """Change the root once more, as the classic way out of a changed root does."""
    return worked([("chroot", lambda: in_child(lambda: os.chroot(tempfile.mkdtemp())))])


def privileges() -> list[str]:
    """Rights that this process has, or could get by running a program that lends them."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    found = [f"{name}: {status[name]}" for name in _CAPABILITIES if int(status.get(name, "0"), 16)]
    if os.geteuid():
        found += worked([("setuid", lambda: in_child(lambda: os.setuid(0)))])
    if status.get("NoNewPrivs", "").strip() != "1":
        found.append("programs can lend rights: NoNewPrivs is not set")
        found += [f"{path} lends its owner's rights" for path in _lenders()]
    return found


def _lenders() -> list[str]:
    found: list[str] = []
    for folder in _SETUID_FOLDERS:
        for path in Path(folder).glob("*"):
            known = path.lstat()
            lends = stat.S_ISREG(known.st_mode) and known.st_mode & (stat.S_ISUID | stat.S_ISGID)
            if lends and known.st_uid != os.geteuid() and not os.statvfs(path).f_flag & os.ST_NOSUID:
                found.append(str(path))
    return found


def keyring() -> list[str]:
    """Keys that outlive the process and are shared with others of the user."""
    return worked(
        [
            ("add_key", lambda: syscall("add_key", b"user", b"codeens", b"x", 1, _OWN_KEYRING)),
            ("keyctl", lambda: syscall("keyctl", 0, _OWN_KEYRING, 1)),
        ]
    )


def io_uring() -> list[str]:
    """System calls that no filter sees."""
    import ctypes

    return worked(
        [("io_uring_setup", lambda: os.close(syscall("io_uring_setup", 1, ctypes.create_string_buffer(512))))]
    )


def watch() -> list[str]:
    """Watching the kernel: performance events, bpf, page faults."""
    import ctypes

    event = ctypes.create_string_buffer(128)
    event[0], event[4] = 1, 112  # a software event: the size is all that must be right
    table = ctypes.create_string_buffer(72)
    table[0], table[4], table[8], table[12] = 2, 4, 8, 1  # an array of one value
    return worked(
        [
            ("perf_event_open", lambda: os.close(syscall("perf_event_open", event, 0, -1, -1, 0))),
            ("bpf", lambda: os.close(syscall("bpf", 0, table, 72))),
            ("userfaultfd", lambda: os.close(syscall("userfaultfd", 0))),
        ]
    )


def power() -> list[str]:
    """Restart, another kernel, modules, the clock. Each with arguments that are refused after the right to it is."""
    return worked(
        [
            (name, lambda name=name, arguments=arguments: _allowed(name, *arguments))
            for name, arguments in (
                ("reboot", (0, 0, 0, 0)),
                ("kexec_load", (0, 0, 0, 0x7FFF)),
                ("init_module", (None, 0, None)),
                ("settimeofday", (None, None)),
            )
        ]
    )


def _allowed(name: str, *arguments: object) -> str:
    try:
        syscall(name, *arguments)
    except PermissionError:
        raise
    except OSError as error:
        if error.errno == 38:  # ENOSYS: it is not there at all
            raise
    return "allowed"


def devices() -> list[str]:
    """Devices that could be opened, found or made. None is: looking at some is enough to start a countdown."""
    found = [path for path in Path("/dev").rglob("*") if path.name not in _HARMLESS_DEVICES and "pts" not in path.parts]
    special = [path for path in found if stat.S_ISBLK(path.lstat().st_mode) or stat.S_ISCHR(path.lstat().st_mode)]
    made = Path(tempfile.mkdtemp(), "device")
    usable = [f"{path} can be opened" for path in special if os.access(path, os.R_OK) or os.access(path, os.W_OK)]
    return [*usable, *worked([("mknod", lambda: _node(made))])]


def _node(place: Path) -> None:
    os.mknod(place, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    os.close(os.open(place, os.O_RDONLY))


def controls() -> list[str]:
    """Files by which the kernel is told what to do; opened, not written."""
    groups = [str(path) for path in Path("/sys/fs/cgroup").glob("**/release_agent")] if Path("/sys").is_dir() else []
    attempts = [(path, lambda path=path: os.close(os.open(path, os.O_WRONLY))) for path in (*_CONTROLS, *groups)]
    return worked([*attempts, ("/proc/kcore", lambda: os.close(os.open("/proc/kcore", os.O_RDONLY)))])


def terminal(slave: str) -> list[str]:
    """Write to a terminal that is not ours: the controlling one, that of a descriptor, one by its name."""
    return worked(
        [
            ("/dev/tty", lambda: os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))),
            *[("descriptor %d" % number, lambda number=number: os.ttyname(number)) for number in range(3)],
            (f"write to {slave}", lambda: _type(slave)),
        ]
    )


def _type(slave: str) -> None:
    """Into a terminal of the outside; a sandbox may have one of the same name, so only the outside can tell."""
    opened = os.open(slave, os.O_RDWR | os.O_NOCTTY)
    os.write(opened, b"typed")
    os.close(opened)
    raise LookupError("ask outside")

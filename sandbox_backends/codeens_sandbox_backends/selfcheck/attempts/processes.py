"""Processes that are not the sandbox's, and some that should not stay."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .trying import syscall, worked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SECRET = re.compile(rb"codeens-[0-9a-f]{32}")
_SEIZE, _DETACH = 0x4206, 17
_LARGEST_REGION = 16 << 20
_LARGEST_FILE = 1 << 20
_KEPT_BUSY_S = 600


def look(names: list[str]) -> list[str]:
    """Read what the kernel shows of other processes: `cmdline`, `environ`, `mem`, `fd`. One secret is enough."""
    own = (os.getpid(), os.getppid())
    others = [folder for folder in Path("/proc").glob("[0-9]*") if int(folder.name) not in own]
    looks = {"mem": _memory, "fd": _open_files}
    for folder in others:
        for name in names:
            show, place = looks.get(name, _text), folder / name
            found = worked([(str(place), lambda show=show, place=place: _secrets(show(place)))])
            if found:
                return found
    return []


def go_through(path: str) -> list[str]:
    """Read a file by way of other processes' roots and folders."""
    places = [f"{folder}/{way}{path}" for folder in Path("/proc").glob("[0-9]*") for way in ("root", "cwd/../../../..")]
    return worked([(place, Path(place).read_text) for place in places])[:1]


def _secrets(chunks: Iterator[bytes]) -> str:
    for chunk in chunks:
        match = _SECRET.search(chunk)
        if match:
            return match.group().decode()
    raise LookupError("no secret there")


def _text(place: Path) -> Iterator[bytes]:
    yield place.read_bytes()


def _open_files(place: Path) -> Iterator[bytes]:
    for entry in place.iterdir():
        if entry.is_file():
            with entry.open("rb") as file:
                yield file.read(_LARGEST_FILE)


def _memory(place: Path) -> Iterator[bytes]:
    with place.with_name("maps").open() as maps, place.open("rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if rights.startswith("rw") and end - start <= _LARGEST_REGION:
                memory.seek(start)
                yield memory.read(end - start)


def visible(pid: int, started: str) -> list[str]:
    """Look for a process of the outside in /proc; `started` tells it from one of ours with its number."""
    return worked([("process %d" % pid, lambda: _is_it(pid, started))])


def _is_it(pid: int, started: str) -> str:
    fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    if fields[19] != started:
        raise LookupError("another one")
    return "seen"


def signals(pid: int, started: str) -> list[str]:
    """End a process of the outside."""
    attempts: list[tuple[str, Callable[[], object]]] = []
    if _not_ours(pid, started):
        attempts = [
            ("SIGTERM", lambda: os.kill(pid, signal.SIGTERM)),
            ("SIGKILL by its pidfd", lambda: signal.pidfd_send_signal(os.pidfd_open(pid), signal.SIGKILL)),
            ("SIGTERM to its group", lambda: os.killpg(pid, signal.SIGTERM)),
            ("priority", lambda: os.setpriority(os.PRIO_PROCESS, pid, 10)),
        ]
    return worked(attempts)


def prod(pid: int, started: str) -> list[str]:
    """Send a signal that does nothing to a process that must not be ended even where it can be."""
    if not _not_ours(pid, started):
        return []
    return worked([(f"SIGCONT to process {pid}", lambda: os.kill(pid, signal.SIGCONT))])


def trace(pid: int, started: str) -> list[str]:
    """Take a process of the outside over."""
    attempts: list[tuple[str, Callable[[], object]]] = []
    if _not_ours(pid, started):
        attempts = [
            ("ptrace", lambda: (syscall("ptrace", _SEIZE, pid, 0, 0), syscall("ptrace", _DETACH, pid, 0, 0))),
            ("descriptor by pidfd", lambda: syscall("pidfd_getfd", syscall("pidfd_open", pid, 0), 0, 0)),
            ("memory", lambda: _first_byte(pid)),
        ]
    return worked(attempts)


def _not_ours(pid: int, started: str) -> bool:
    """Return whether the number does not stand for a process of this sandbox."""
    try:
        fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return True
    return fields[19] == started


def _first_byte(pid: int) -> int:
    """Return one byte of the program's text, which lies at the same place in every process of this interpreter."""
    import ctypes

    class Vector(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    kept = ctypes.create_string_buffer(1)
    with open("/proc/%d/maps" % pid) as maps:
        place = int(next(iter(maps)).partition("-")[0], 16)
    here = Vector(ctypes.addressof(kept), 1)
    there = Vector(place, 1)
    return syscall("process_vm_readv", pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)


def stay(marker: str) -> list[str]:
    """Leave processes behind in several ways. Returns when they run; told only by the outside."""
    reading, writing = os.pipe()
    for leave in (_plainly, _as_daemon, _deafly):
        if not os.fork():
            os.close(reading)
            leave()
            for number in (0, 1, 2):
                os.close(number)
            program = "import time; time.sleep(%d)" % _KEPT_BUSY_S
            os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", program, marker])
    os.close(writing)  # the others' ends close when they run the new program
    os.read(reading, 1)
    return []


def _plainly() -> None:
    """A child."""


def _as_daemon() -> None:
    """A session of its own, and no parent."""
    os.setsid()
    if os.fork():
        os._exit(0)


def _deafly() -> None:
    """It heeds no signal that can be ignored."""
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXCPU):
        signal.signal(number, signal.SIG_IGN)

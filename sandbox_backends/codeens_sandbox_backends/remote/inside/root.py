"""The root that a worker sees: the system's programs, what was sent, folders of its own, and nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from ...host.inside import kernel

PLACE = "/codeens"
"""All that is ours, outside of a worker; inside, what it imports."""
_SENT = PLACE + "/sent"
"""Where the bundle was unpacked."""
_ROOT = PLACE + "/root"
"""Where a worker's root is put together, in a mount namespace of its own."""
_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/ld.so.cache",
    "/etc/alternatives",
)
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
_SCRATCH = ("/tmp", "/dev/shm")


def build(order: dict[str, Any]) -> None:
    """Put it together in the mount namespace of this process, and make it the root. `/proc` is of its processes."""
    kernel.mount("none", "/", "", kernel.WITH_ALL_BELOW | kernel.PRIVATE)
    Path(_ROOT).mkdir(exist_ok=True)
    kernel.mount("codeens", _ROOT, "tmpfs", kernel.NO_SETUID | kernel.NO_DEVICES, "mode=755")
    _devices()
    _scratch(order["disk_bytes"])  # before the rest, which may lie in there
    for path in (*_SYSTEM, *_interpreter_folders()):
        _show_as_it_is(path)
    for path in order["shown"]:
        _show(_SENT + "/bundle" + path, path)
    for path, target in order["links"]:
        if not os.path.lexists(_place(path)):
            _place(path).parent.mkdir(parents=True, exist_ok=True)
            _place(path).symlink_to(target)
    _show(_SENT + "/worker", PLACE)
    _cover(order["covered"])
    _place("/proc").mkdir()
    kernel.mount("proc", str(_place("/proc")), "proc", kernel.NO_SETUID | kernel.NO_DEVICES | kernel.NO_EXEC)
    kernel.enter(_ROOT)
    kernel.make_read_only("/")


def _place(path: str) -> Path:
    """Where it is now what will be at `path`."""
    return Path(_ROOT + path)


def _interpreter_folders() -> list[str]:
    """Of the interpreter that runs this, by the names that it goes by."""
    names = {sys.prefix, sys.base_prefix, str(Path(sys.executable).parent.parent)}
    folders = sorted(names | {os.path.realpath(name) for name in names})
    return [folder for folder in folders if folder not in ("/", "/usr") and not folder.startswith("/usr/")]


def _show_as_it_is(path: str) -> None:
    if Path(path).is_symlink():
        _place(path).symlink_to(os.readlink(path))  # noqa: PTH115  # as it is written
    elif Path(path).exists():
        _show(path, path)


def _show(source: str, path: str) -> None:
    place = _place(path)
    if Path(source).is_dir():
        place.mkdir(parents=True, exist_ok=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch(mode=0)
    kernel.bind(source, str(place))


def _devices() -> None:
    folder = _place("/dev")
    folder.mkdir()
    kernel.mount("codeens", str(folder), "tmpfs", kernel.NO_SETUID, "mode=755")
    for name in _DEVICES:
        if Path("/dev", name).exists():
            (folder / name).touch()
            kernel.mount("/dev/" + name, str(folder / name), "", kernel.BIND)
    for name, target in _DEVICE_LINKS.items():
        (folder / name).symlink_to(target)
    (folder / "shm").mkdir()
    kernel.make_read_only(str(folder))


def _scratch(disk_bytes: int) -> None:
    for path in _SCRATCH:
        _place(path).mkdir(exist_ok=True)
        options = f"mode=1777,size={disk_bytes}"
        kernel.mount("codeens", str(_place(path)), "tmpfs", kernel.NO_SETUID | kernel.NO_DEVICES, options)


def _cover(paths: list[str]) -> None:
    """Put nothing over what must not be read."""
    folder, file = Path(PLACE, "nothing"), Path(PLACE, "nothing.txt")
    folder.mkdir(exist_ok=True)
    file.touch(mode=0)
    for path in paths:
        if os.path.lexists(_place(path)):
            kernel.bind(str(folder if _place(path).is_dir() else file), str(_place(path)))

"""What a container may see and use, as the daemon's API wants to be told.

Names and meaning: Docker DockerClient API, `POST /containers/create`.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from codeens_sandbox_backends import worker
from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.docker import first
from codeens_sandbox_backends.docker.container import SOCKET_NAME, CallerSocket
from codeens_sandbox_backends.docker.engine import IMAGE_SETTING, NAME, DockerClient
from codeens_sandbox_backends.driver.launcher import WorkerKind
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.host import inside
from codeens_sandbox_backends.host.layout import layout_of
from codeens_sandbox_backends.host.start import INTERPRETER_FLAGS
from codeens_sandbox_backends.jobs import Limits
from codeens_sandbox_backends.local.bwrap import ENVIRONMENT
from codeens_sandbox_backends.local.staging import NOBODY

_PLACE = "/codeens"
_DOOR = f"{_PLACE}/door"
_TEXT = f"""\
import sys
sys.path.insert(0, {_PLACE!r})
from codeens_inside.docker.first import main
main('{_DOOR}/{SOCKET_NAME}')
"""
_HOME = "/tmp"  # noqa: S108  # inside, where it is a tmpfs of the container's own
_SCRATCH = (_HOME, "/dev/shm")  # noqa: S108  # likewise
_WRITTEN_BY_DAEMONS = ("/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/etc/passwd", "/etc/group")
"""Put into every container by Docker or podman, partly from this machine's, unless told what to show there."""
_OWN_TASKS = 2
"""Of the first process: itself, and its thread."""
_OWN_BYTES = 24 << 20
_OPEN_FILES = 1024
_TASKS_OF_USER = 4096
"""In all containers together; the bound of one is its control group's. Podman would try to raise it."""
_PROCESSORS = 2
_SMALLEST_BYTES = 4096


class Bounds(NamedTuple):
    """What is settled for a container as a whole when it is made."""

    memory_bytes: int
    processes: int
    disk_bytes: int
    hides: bool
    """Whether the spec's hidden files are."""


def bounds_of(limits: Limits, kind: WorkerKind) -> Bounds:
    """Return what a worker of that kind needs."""
    return Bounds(limits.memory_bytes, limits.processes, limits.disk_bytes, hides=kind != "suite")


class ContainerConfig:
    """Builds configurations of containers for one spec."""

    def __init__(self, spec: SandboxSpec, engine: DockerClient, labels: dict[str, str]) -> None:
        """Raises `SandboxUnavailable` when the spec's folders cannot be shown."""
        layout = layout_of(spec, backend=NAME)
        for path in layout.private:
            _require_readable(path)
        given = os.environ.get(IMAGE_SETTING)
        shown = _with_mounts_inside(layout.private if given else (*layout.system, *layout.private))
        covered = [place for place, _ in layout.links if place.startswith(tuple(f"{folder}/" for folder in _SCRATCH))]
        links = [(place, target) for place, target in layout.links if place not in covered]
        self._image = given or ensure_image(engine, links)
        self._mounts = [
            *(_mount(path, path) for path in shown),
            # A tmpfs hides what the image has there; what it leads to is shown instead of the link.
            *(_mount(os.path.realpath(place), place) for place in covered),
            _mount(os.path.realpath(Path(worker.__file__).parent), f"{_PLACE}/codeens_worker"),
            _mount(os.path.realpath(Path(inside.__file__).parent), f"{_PLACE}/codeens_inside/host/inside"),
            _mount(os.path.realpath(first.__file__), f"{_PLACE}/codeens_inside/docker/first.py"),
        ]
        self._command = [spec.python, *INTERPRETER_FLAGS, "-c", _TEXT]
        self._labels = labels
        self._hidden = [os.path.realpath(path) for path in spec.hidden if Path(path).exists()]
        self._processors = min(_PROCESSORS, engine.processors)
        self._runtime = engine.runtime
        self._is_in_no_network = engine.may_stand_still

    def config(self, bounds: Bounds, door: CallerSocket) -> dict[str, Any]:
        """Return the body of the request for one container, whose first process calls at `door`."""
        closed = str(door.closed_file)
        hidden = [_nothing(path, closed) for path in self._hidden] if bounds.hides else []
        hidden += [_mount(closed, path) for path in _WRITTEN_BY_DAEMONS]
        host = self._isolation() | self._bounds(bounds)
        host["Mounts"] = [*self._mounts, *hidden, _mount(str(door.folder), _DOOR)]
        if self._runtime is not None:
            host["Runtime"] = self._runtime.name
        return {
            "Image": self._image,
            "Entrypoint": self._command,
            "Cmd": [],
            "User": f"{NOBODY}:{NOBODY}",
            "WorkingDir": "/",
            "Hostname": "sandbox",
            # A namespace of its own all the same, in which not even the loopback device is up.
            "NetworkDisabled": self._is_in_no_network,
            "Env": [f"{name}={value}" for name, value in ENVIRONMENT.items()],
            "Labels": self._labels,
            "StopSignal": "SIGKILL",
            "HostConfig": host,
        }

    def _isolation(self) -> dict[str, Any]:
        return {
            "AutoRemove": True,
            "NetworkMode": "none",
            "IpcMode": "none",
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "LogConfig": {"Type": "none"},
        }

    def _bounds(self, bounds: Bounds) -> dict[str, Any]:
        memory = bounds.memory_bytes + _OWN_BYTES
        scratch = f"rw,exec,nosuid,nodev,mode=1777,size={bounds.disk_bytes}"
        ulimits = {"core": 0, "nofile": _OPEN_FILES, "nproc": _TASKS_OF_USER}
        return {
            "Memory": memory,
            "MemorySwap": memory,
            "PidsLimit": bounds.processes + _OWN_TASKS,
            "NanoCpus": self._processors * 10**9,
            "Ulimits": [{"Name": name, "Soft": most, "Hard": most} for name, most in ulimits.items()],
            "Tmpfs": dict.fromkeys(_SCRATCH, scratch),
        }


def _mount(source: str, target: str) -> dict[str, Any]:
    """Read-only, and without what is mounted inside it: older daemons would show that writable."""
    options = {"Propagation": "rprivate", "NonRecursive": True}
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": True, "BindOptions": options}


def _nothing(path: str, closed_file: str) -> dict[str, Any]:
    """Return a mount that covers a path with something unreadable."""
    if not Path(path).is_dir():
        return _mount(closed_file, path)
    options = {"SizeBytes": _SMALLEST_BYTES, "Mode": 0}
    return {"Type": "tmpfs", "Target": path, "ReadOnly": True, "TmpfsOptions": options}


def _with_mounts_inside(paths: Sequence[str]) -> list[str]:
    """Return the paths, and each mount point inside one of them."""
    inner = {place for place in _mount_points() for path in paths if place.startswith(path.rstrip("/") + "/")}
    return [*paths, *sorted(inner)]


def _mount_points() -> Iterable[str]:
    """Mount points of this process; the kernel writes blanks and backslashes in octal (proc(5))."""
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        yield re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), line.split()[4])


def _require_readable(path: str) -> None:
    mode = Path(path).stat().st_mode
    needed = 0o005 if Path(path).is_dir() else 0o004
    if mode & needed != needed:
        raise SandboxUnavailable(
            NAME,
            f"{path} cannot be read by the unprivileged user that code runs as",
            "Allow all to read it (chmod -R o+rX); folders above it may stay closed",
        )


_PREFIX = "localhost/codeens-empty-"
"""No registry's host stands in front, or podman would look there."""
_TAG = "latest"
"""Podman 4 gives this one, whatever is asked for."""
_DIGEST_LENGTH = 16


def ensure_image(engine: DockerClient, links: Iterable[tuple[str, str]]) -> str:
    """Name of an image that holds these symbolic links (place, what it points to); made when it is not there."""
    archive = _archive(links)
    repository = _PREFIX + hashlib.sha256(archive).hexdigest()[:_DIGEST_LENGTH]
    name = f"{repository}:{_TAG}"
    if not engine.has_image(name):
        engine.import_image(archive, repository, _TAG)
    return name


def _archive(links: Iterable[tuple[str, str]]) -> bytes:
    """Return a tar archive of links, the same bytes for the same links."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        mount_point = tarfile.TarInfo("codeens")
        mount_point.type, mount_point.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(mount_point)
        for place, target in sorted(links):
            link = tarfile.TarInfo(place.lstrip("/"))
            link.type, link.linkname = tarfile.SYMTYPE, target
            tar.addfile(link)
    return buffer.getvalue()

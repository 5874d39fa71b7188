"""What is sent to a service's sandbox: the relay, the worker, the workspace, and packages that it imports.

Code runs there with the sandbox's own interpreter. Compiled files are not sent: they are of this machine.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from codeens_sandbox_backends import worker
from codeens_sandbox_backends.base import SandboxSpec
from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.host import inside as shared
from codeens_sandbox_backends.host import memory_watch
from codeens_sandbox_backends.host.layout import SYSTEM, is_below, links_on, outermost
from codeens_sandbox_backends.remote import inside
from codeens_sandbox_backends.remote.packages import imported_packages, installations_of, site_packages_of

FILES_AT_MOST = 20_000
BYTES_AT_MOST = 128 << 20
ARCHIVE_BYTES_AT_MOST = 32 << 20
_PASSED_OVER = {"__pycache__", ".git", ".hg", ".svn", "node_modules", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
_COMPILED = {".so", ".pyd", ".dylib", ".pyc", ".a", ".o"}
_LEVEL = 6


class Bundle(NamedTuple):
    """Folders of the archive: `inside` for the relay, `worker` for what workers import, and `bundle`, which holds the
    workspace's files under their absolute paths."""

    archive: bytes
    """A tar archive, compressed with gzip."""
    shown: tuple[str, ...]
    """Absolute paths that workers see; none lies in another one."""
    links: tuple[tuple[str, str], ...]
    """Symbolic links on the way there: (place, what it points to)."""


def bundle_of(spec: SandboxSpec, backend: str) -> Bundle:
    """Return all that a specification needs to be sent.

    Raises:
        SandboxUnavailable: it is too much, or cannot be read.
    """
    system = [os.path.realpath(path) for path in SYSTEM]
    there = [*system, *installations_of(spec.python)]
    wanted = [path for path in spec.readable if Path(path).exists() and not is_below(os.path.realpath(path), there)]
    packages = imported_packages(wanted, site_packages_of(spec.python))
    shown = outermost(os.path.realpath(path) for path in wanted)
    archive = Archive(backend)
    archive.add_ours()
    for path in shown:
        for file in files_below(path):
            archive.add(file, f"bundle{file}")
    for site, entry in packages:
        for file in files_below(str(site / entry)):
            archive.add(file, f"worker/packages/{file.relative_to(site)}")
    links = {place: target for path in wanted for place, target in links_on(path)}
    return Bundle(
        archive=archive.finished(),
        shown=tuple(shown),
        links=tuple((place, target) for place, target in links.items() if not is_below(place, [*shown, *system])),
    )


def files_below(path: str) -> Iterator[Path]:
    """What is sent of a folder, or the file itself: links as links, without what is compiled, kept or installed."""
    if not Path(path).is_dir() or Path(path).is_symlink():
        yield Path(path)
        return
    for folder, inner, names in os.walk(path):
        inner[:] = sorted(name for name in inner if name not in _PASSED_OVER and not _is_environment(folder, name))
        linked = [name for name in inner if (Path(folder) / name).is_symlink()]
        yield Path(folder)
        for name in sorted([*names, *linked]):
            if Path(name).suffix not in _COMPILED:
                yield Path(folder) / name


def _is_environment(folder: str, name: str) -> bool:
    return (Path(folder) / name / "pyvenv.cfg").is_file()


class Archive:
    """A compressed tar archive in memory, bounded while it grows."""

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self._buffer = io.BytesIO()
        # Without a time, so that the same files are the same bytes.
        self._zip = gzip.GzipFile(fileobj=self._buffer, mode="wb", compresslevel=_LEVEL, mtime=0)
        self._tar = tarfile.open(fileobj=self._zip, mode="w")  # noqa: SIM115  # see finished
        self._files = 0
        self._bytes = 0

    def add_ours(self) -> None:
        """The relay and the worker. What is above the relay's folder is there in name only."""
        top = "inside/codeens_sandbox_backends"
        for package in ("", "/host", "/remote"):
            self._tar.addfile(tarfile.TarInfo(f"{top}{package}/__init__.py"))
        self.add(Path(memory_watch.__file__), f"{top}/host/memory_watch.py")
        folders = ((inside, f"{top}/remote/inside"), (shared, f"{top}/host/inside"), (worker, "worker/codeens_worker"))
        for package, place in folders:
            for folder in package.__path__:
                for file in sorted(Path(folder).rglob("*.py")):
                    self.add(file, f"{place}/{file.relative_to(folder)}")

    def add(self, file: Path, place: str) -> None:
        """One file, folder or link, readable by all; nothing else."""
        found = file.lstat()
        kind = stat.S_IFMT(found.st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
            return
        self._count(found.st_size if kind == stat.S_IFREG else 0, file)
        entry = self._tar.gettarinfo(file, place)
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = ""
        entry.mode = 0o755 if kind == stat.S_IFDIR or found.st_mode & stat.S_IXUSR else 0o644
        if entry.isreg():
            with file.open("rb") as content:
                self._tar.addfile(entry, content)
        else:
            self._tar.addfile(entry)

    def finished(self) -> bytes:
        """Return all of it; nothing can be added any more."""
        self._tar.close()
        self._zip.close()
        return self._buffer.getvalue()

    def _count(self, size: int, file: Path) -> None:
        self._files += 1
        self._bytes += size
        over = (
            f"more than {FILES_AT_MOST} files"
            if self._files > FILES_AT_MOST
            else f"more than {BYTES_AT_MOST >> 20} MB of files"
            if self._bytes > BYTES_AT_MOST
            else f"more than {ARCHIVE_BYTES_AT_MOST >> 20} MB, compressed"
            if self._buffer.tell() > ARCHIVE_BYTES_AT_MOST
            else ""
        )
        if over:
            raise SandboxUnavailable(
                self._backend,
                f"{over} would have to be sent into each of its sandboxes (at {file})",
                "Move data and other large folders out of the workspace, or use a sandbox of this machine",
            )

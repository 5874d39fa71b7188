"""Shows root's private folders to an unprivileged user, and to nobody else.

An unprivileged bubblewrap cannot reach a workspace below `/root`, whose mode is 700. So root makes a mount namespace
that no process lives in, attaches the folders there in a place that all may enter, and shows their files as owned by
the unprivileged user (an id-mapped mount: nothing changes on disk). Only a descriptor keeps the namespace: nothing is
mounted on the host, and nothing stays when codeens is killed.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from codeens_sandbox_backends.errors import SandboxUnavailable
from codeens_sandbox_backends.local import linux

NOBODY = 65534
_PLACE = "/run"
"""Covered by a tmpfs of our own, in the new namespace only."""


class Staging(NamedTuple):
    """A mount namespace, and where each source is attached in it. Close it when done."""

    namespace: int
    places: dict[str, str]

    def close(self) -> None:
        os.close(self.namespace)


def stage(sources: Sequence[str]) -> Staging:
    """Attach `sources`, real paths of files and folders, in a new mount namespace. Needs root.

    Raises:
        SandboxUnavailable: root may not mount here, or a source cannot be shown to an unprivileged user.
    """
    try:
        # A thread can leave its process's mount namespace for itself alone, and this one ends with the block.
        with ThreadPoolExecutor(1, "codeens staging") as thread:
            return thread.submit(_stage_in_this_thread, sources).result()
    except OSError as error:
        raise SandboxUnavailable(
            "local",
            f"root may not prepare mounts here ({error})",
            "Run codeens as an ordinary user, or start the container with --cap-add SYS_ADMIN",
        ) from error


def _stage_in_this_thread(sources: Sequence[str]) -> Staging:
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", "", linux.MS_REC_PRIVATE, "")
    places = {source: f"{_PLACE}/{number}" for number, source in enumerate(sources)}
    with ExitStack() as descriptors:
        mapping = _OwnerMapping(descriptors)
        trees = {source: linux.clone_tree(source) for source in sources}
        for source, tree in trees.items():
            descriptors.callback(os.close, tree)
            _open_to_nobody(source, tree, mapping)
        linux.mount("codeens", _PLACE, "tmpfs", 0, "mode=755")
        for source, place in places.items():
            if Path(source).is_dir():
                Path(place).mkdir()
            else:
                Path(place).touch()
            linux.attach_tree(trees[source], place)
    return Staging(os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC), places)


class _OwnerMapping:
    """User namespaces in which one owner is NOBODY outside, made when first asked for."""

    def __init__(self, descriptors: ExitStack) -> None:
        self._descriptors = descriptors
        self._known: dict[tuple[int, int], int] = {}

    def of(self, uid: int, gid: int) -> int:
        if (uid, gid) not in self._known:
            namespace = _namespace_mapping(uid, gid)
            self._descriptors.callback(os.close, namespace)
            self._known[uid, gid] = namespace
        return self._known[uid, gid]


def _open_to_nobody(source: str, tree: int, mapping: _OwnerMapping) -> None:
    """Make the owner's files the unprivileged user's; where the file system cannot, all must be allowed to read."""
    found = Path(source).stat()
    try:
        linux.map_owners(tree, mapping.of(found.st_uid, found.st_gid))
    except OSError as error:
        needed = stat.S_IROTH | stat.S_IXOTH if stat.S_ISDIR(found.st_mode) else stat.S_IROTH
        if found.st_mode & needed != needed:
            raise SandboxUnavailable(
                "local",
                f"{source} cannot be read by the unprivileged user that code runs as ({error})",
                "Run codeens as the folder's owner instead of root, or allow all to read it (chmod -R o+rX)",
            ) from error


def _namespace_mapping(uid: int, gid: int) -> int:
    """Return a descriptor of a user namespace in which one user and one group are NOBODY outside."""
    with subprocess.Popen(
        ["unshare", "--user", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as holder:
        if holder.stdin is None or holder.stdout is None:
            raise OSError("no pipes to the holder of a user namespace")
        try:
            holder.stdin.write(b".")
            holder.stdin.flush()
            if not holder.stdout.read(1):  # the echo says that it is in its namespace
                raise OSError("no user namespace could be made")
            own = Path("/proc") / str(holder.pid)
            (own / "uid_map").write_text(f"{uid} {NOBODY} 1", encoding="utf-8")
            (own / "gid_map").write_text(f"{gid} {NOBODY} 1", encoding="utf-8")
            return os.open(own / "ns" / "user", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            holder.kill()

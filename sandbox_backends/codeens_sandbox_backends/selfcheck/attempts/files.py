"""Files that are not the sandbox's."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

from .trying import worked

_ROOTS = ("", "/proc/self/root", "/proc/1/root", "/proc/self/cwd/../../../../..", "/proc/thread-self/root")


def read(path: str) -> list[str]:
    """Read a file by its name and by ways around it."""
    return worked([(root + path, Path(root + path).read_text) for root in _ROOTS])


def digests(paths: list[str]) -> list[str]:
    """`path sha256` of those of the files that can be read."""
    found: list[str] = []
    for path in paths:
        try:
            found.append(f"{path} {hashlib.sha256(Path(path).read_bytes()).hexdigest()}")
        except OSError:
            continue
    return found


def create(folders: list[str], name: str) -> list[str]:
    """Create a file of that name in each folder, and beside this interpreter's modules; only the outside is told."""
    for folder in (*folders, sys.prefix, sys.base_prefix, *sys.path):
        for root in _ROOTS:
            worked([("", lambda place=root + folder: Path(place, name).write_text("was here"))])
    return []


def change(path: str) -> list[str]:
    """Try every way to change a file or its metadata, the harshest last."""
    file = Path(path)
    return worked(
        [
            ("append", lambda: _append(file)),
            ("chmod", lambda: file.chmod(0o777)),
            ("utime", lambda: os.utime(path, (1, 1))),
            ("chown", lambda: os.chown(path, 12345, 12345)),
            ("setxattr", lambda: os.setxattr(path, "user.codeens", b"x")),
            ("new file beside it", lambda: file.with_name("beside").write_text("x")),
            ("new folder beside it", lambda: file.with_name("folder").mkdir()),
            ("new link beside it", lambda: file.with_name("link").symlink_to("/")),
            ("hard link", lambda: os.link(path, Path(tempfile.gettempdir(), "linked"))),
            ("rename", lambda: file.rename(file.with_name("renamed"))),
            ("truncate", lambda: os.truncate(path, 0)),
            ("unlink", file.unlink),
        ]
    )


def _append(file: Path) -> int:
    with file.open("a") as opened:
        return opened.write("changed")


def follow(folder: str) -> list[str]:
    """Through links in a folder that may be read, and through links of our own that lead there."""
    own = Path(tempfile.mkdtemp())
    return worked(
        [
            *[(str(place), place.read_text) for place in Path(folder).rglob("*") if place.is_symlink()],
            *[
                (f"own link to {place}", lambda place=place: _through(own, place))
                for place in Path(folder).iterdir()
                if place.is_symlink()
            ],
        ]
    )


def _through(folder: Path, place: Path) -> str:
    link = folder / place.name
    link.symlink_to(os.readlink(place))
    return link.read_text()

"""Files that a call makes, changes or removes, as the interpreter's audit events tell (PEP 578).

Before the first event about a path its content is kept, so that afterwards it can be compared, and put back. What C
code opens without telling the interpreter is not seen.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from importlib import import_module
from operator import itemgetter
from typing import Any, Callable, Dict, List, Tuple

from .values.codec import encode
from .values.frames import MARK, without_own_frames

_LARGEST = 1 << 20
"""Bytes of a file of which all counts; of a larger one its size and its ends."""
_LONGEST = 1000
"""Bytes told of a file; of a longer one also its digest."""
_MOST = 200
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""Where nobody else may do anything with a file, its mode counts."""
_FOLDER = ("folder",)
_Content = Any
"""Bytes of a file, before them its mode if it is private; a link's target; `_FOLDER`; or None: there is nothing."""
_lstat, _readlink, _symlink, _unlink = os.lstat, os.readlink, os.symlink, os.unlink
_mkdir, _rmdir, _absolute = os.mkdir, os.rmdir, os.path.abspath
_chmod = os.chmod
_open, _read, _write, _close = os.open, os.read, os.write, os.close


class Files:
    """Watches from when it is made, as long as a call runs."""

    def __init__(self) -> None:
        self.active = False
        self._touched: Dict[str, _Content] = {}
        self._times: Dict[str, Tuple[Any, Any]] = {}
        """Of files whose times were set: what they were set to, and what they were."""
        sys.addaudithook(self._hear)

    def begin(self) -> None:
        """A call begins."""
        self._touched.clear()
        self._times.clear()
        self.active = True

    def _hear(self, event: str, args: Tuple[Any, ...]) -> None:
        if not self.active or event not in _PATHS:
            return
        self.active = False  # what is done here is not the call's
        try:
            for path in _PATHS[event](args):
                self._touch(path)
            if event == "os.utime":
                self._note_times(*args[:3])
        finally:
            self.active = True

    def _touch(self, path: Any) -> None:
        try:
            name = _absolute(os.fsdecode(path))
        except (TypeError, ValueError):
            return
        if name not in self._touched and len(self._touched) < _MOST and not name.startswith(("/dev/", "/proc/")):
            self._touched[name] = _content(name)

    def _note_times(self, path: Any, times: Any, nanoseconds: Any) -> None:
        with suppress(TypeError, ValueError, OSError):  # then there is no such file
            name = _absolute(os.fsdecode(path))
            before = self._times[name][1] if name in self._times else _times_of(name)
            self._times[name] = ([*map(float, times or ()), *map(int, nanoseconds or ())], before)

    def taken(self) -> Dict[str, Any]:
        """Return the effects `files` and `times of files`, if there are any, and put all files back."""
        self.active = False
        if not self._touched:
            return {}
        times = [[encode(path), ["list", *map(encode, told)]] for path, (told, _) in sorted(self._times.items())]
        return {**self._contents(), **({"times of files": ["dict", *times]} if times else {})}

    def _contents(self) -> Dict[str, Any]:
        changed = {path: after for path in sorted(self._touched) if (after := _content(path)) != self._touched[path]}
        for path in sorted(changed, reverse=True):
            _put_back(path, self._touched[path])
        for path, (_, before) in self._times.items():
            with suppress(OSError):  # it was made by the call
                os.utime(path, ns=before)
        pairs = [[encode(path), _encoded(after)] for path, after in changed.items()]
        return {"files": ["dict", *pairs]} if pairs else {}


def _times_of(path: str) -> Tuple[int, int]:
    found = _lstat(path)
    return found.st_atime_ns, found.st_mtime_ns


def _content(path: str) -> _Content:
    try:
        kind = _lstat(path).st_mode
        if stat.S_ISLNK(kind):
            return ("link", _readlink(path))
        if stat.S_ISDIR(kind):
            return _FOLDER
        if not stat.S_ISREG(kind):
            return ("special",)
        content = _bytes_of(path)
        return ("private", stat.S_IMODE(kind), content) if not kind & _OTHERS else content
    except OSError:
        return None


def _bytes_of(path: str) -> bytes:
    descriptor = _open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        pieces: List[bytes] = []
        while sum(map(len, pieces)) <= _LARGEST:
            piece = _read(descriptor, _LARGEST)
            if not piece:
                break
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        _close(descriptor)


def _encoded(content: _Content) -> Any:
    if isinstance(content, bytes) and MARK.encode() in content:
        content = without_own_frames(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    if isinstance(content, bytes) and len(content) > _LONGEST:
        return ["tuple", encode(content[:_LONGEST]), len(content), import_module("hashlib").sha256(content).hexdigest()]
    if content is None or isinstance(content, bytes):
        return encode(content)
    if content[0] == "private":
        return ["tuple", *content[:2], _encoded(content[2])]
    return ["tuple", *map(encode, content)]


def _put_back(path: str, content: _Content) -> None:
    with suppress(OSError):  # then the next call finds it as it is, as it would outside
        now = _content(path)
        if now == _FOLDER:
            _rmdir(path)
        elif now is not None:
            _unlink(path)
        if content == _FOLDER:
            _mkdir(path)
        elif isinstance(content, bytes):
            _write_new(path, content)
        elif content is not None and content[0] == "link":
            _symlink(content[1], path)
        elif content is not None and content[0] == "private":
            _write_new(path, content[2])
            _chmod(path, content[1])


def _write_new(path: str, content: bytes) -> None:
    descriptor = _open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[_write(descriptor, rest) :]
    finally:
        _close(descriptor)


def _opened(args: Tuple[Any, ...]) -> Tuple[Any, ...]:
    path, _, flags = args
    return (path,) if flags & _WRITING and not isinstance(path, int) else ()


_PATHS: Dict[str, Callable[[Tuple[Any, ...]], Tuple[Any, ...]]] = {
    "open": _opened,
    **dict.fromkeys(
        ("os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.utime", "sqlite3.connect"),
        itemgetter(slice(0, 1)),
    ),
    **dict.fromkeys(("os.rename", "shutil.move"), itemgetter(slice(0, 2))),
    **dict.fromkeys(("os.link", "os.symlink"), itemgetter(slice(1, 2))),
}
"""What events are about paths, and which of their arguments these are."""

"""Whether the code under test opens the files of its tests, where the right answers are, as audit events tell."""

from __future__ import annotations

import linecache
import os
import re
import sys
from types import FrameType
from typing import Any, Dict, FrozenSet, List, Optional, Sequence, Set, Tuple

from .loader import Program, path_of

_COMMANDS = frozenset(("os.system", "os.posix_spawn", "os.exec", "subprocess.Popen"))
_EVENTS = _COMMANDS | {"open", "os.link", "os.symlink", "os.rename"}
_READERS = frozenset(("cat", "find", "grep", "egrep", "fgrep", "head", "tail", "sed", "awk", "strings", "tar", "cp"))
"""Programs that read all files of a folder which they are told of."""
_SEARCHERS = frozenset(("rg", "ag", "ack", "git"))
"""Those that need not be told."""
_RECURSIVE = re.compile(r"-\w*[rR]\w*|--recursive")
_WORD = re.compile(r"[^\s'\"()=;|&<>,]+")
_PATHS: Any = (str, bytes, os.PathLike)
_ENDINGS = (".py", ".pyc")
_WHERE_IT_IS = "__file__"
"""What a test names that gives its own file as an argument."""
_read, _open, _absolute = os.read, os.open, os.path.abspath
_is_folder, _exists = os.path.isdir, os.path.exists
_frame_above: Any = vars(sys)["_getframe"]
_MOST_READ = 1 << 20


class Peeking:
    """Listens from when it is made on."""

    def __init__(self, program: Program, selection: Sequence[str]) -> None:
        self._path = path_of(program)
        own = _stem(self._path)
        self._stems: FrozenSet[str] = frozenset(
            {"conftest", *(_stem(test.partition("::")[0]) for test in selection)} - {own, ""}
        )
        self._is_busy = False
        self.seen: Set[str] = set()
        """Names of files of tests."""
        if self._path:
            sys.addaudithook(self._hear)

    def _hear(self, event: str, args: Tuple[Any, ...]) -> None:
        if event not in _EVENTS or self._is_busy:
            return
        self._is_busy = True
        try:
            texts = _texts(args)
            for name in texts:
                if name.endswith(_ENDINGS) and _stem(name) in self._stems:
                    self._weigh(name)
            if event in _COMMANDS:
                self._weigh_search(texts)
        finally:
            self._is_busy = False

    def _weigh(self, name: str) -> None:
        frames = _frames_of(self._path)
        if frames and not (_WHERE_IT_IS in _text_of(name) and any(_is_given(frame, name) for frame in frames)):
            self.seen.add(_last(name))

    def _weigh_search(self, words: Sequence[str]) -> None:
        """See whether a command reads all files of a folder, other than one that the function was given."""
        frames = _frames_of(self._path)
        for folder in _searched(words) if frames else ():
            if not any(_is_given(frame, folder) for frame in frames):
                self.seen.add("all files of a folder")


def _searched(words: Sequence[str]) -> Set[str]:
    """Return folders that a command reads."""
    programs = {_last(word) for word in words}
    if programs.isdisjoint(_READERS | _SEARCHERS):
        return set()
    globbed = {word.partition("*")[0].rpartition(os.sep)[0] or "." for word in words if "*" in word}
    named = globbed | {word for word in words if _is_folder(word)}
    by_itself = not programs.isdisjoint(_SEARCHERS) or any(map(_RECURSIVE.fullmatch, words))
    return named or ({"."} if by_itself and not any(map(_exists, words)) else set())


def _texts(args: Sequence[Any]) -> List[str]:
    """Return the paths among the arguments of an event, and the words of commands."""
    found: List[str] = []
    for each in args:
        if type(each) in (list, tuple):
            found += _texts(each)
        elif isinstance(each, _PATHS):
            text: str = os.fsdecode(each)
            found += [text, *_WORD.findall(text)]
    return found


def _stem(path: str) -> str:
    return _last(path).partition(".")[0]


def _last(path: str) -> str:
    return path.rpartition(os.sep)[2]


def _frames_of(path: str) -> List[FrameType]:
    """Return the frames of a file's code that are running; none where only a line of code is looked up for a text."""
    found: List[FrameType] = []
    frame: Optional[FrameType] = _frame_above(2)
    while frame is not None:
        if frame.f_code.co_filename == linecache.__file__ and not found:
            return []
        if frame.f_code.co_filename == path:
            found.append(frame)
        frame = frame.f_back
    return found


def _is_given(frame: FrameType, name: str) -> bool:
    """Whether a function was given this path, or a folder that it lies in."""
    values: Dict[str, Any] = frame.f_locals
    given = [values.get(argument) for argument in frame.f_code.co_varnames[: frame.f_code.co_argcount]]
    paths = _texts([each for each in given if each])
    whole = _absolute(name)
    return any(f"{whole}{os.sep}".startswith(f"{_absolute(path)}{os.sep}") for path in paths)


def _text_of(name: str) -> str:
    try:
        descriptor = _open(name, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return _read(descriptor, _MOST_READ).decode("utf-8", "replace")
    finally:
        os.close(descriptor)

"""Files: foreign ones read within bounds, the user's folders, and private ones written whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Callable
from pathlib import Path

_MAX_NAME = 80
MOST_BYTES = 16 << 20
"""Of a file that people write."""
_WAITED = 6.0
"""So many times as long as a thread may work at something may it take in all."""


def work_bound(seconds: float) -> Callable[[], bool]:
    """Return what says whether this thread has worked for so many seconds of processor time, beginning now.

    A busy machine has as much done as an idle one, only later; six times as long in all is waited.
    """
    worked_s, deadline = time.thread_time() + seconds, time.monotonic() + _WAITED * seconds
    return lambda: time.thread_time() > worked_s or time.monotonic() > deadline


def read_regular(path: Path, most: int = MOST_BYTES) -> bytes:
    """Read a regular file of at most so many bytes; what is none (a pipe, a device) is not waited for.

    Raises:
        OSError: it is none, is larger, or cannot be read.
    """
    _check_regular(path.stat(), path)  # to open some devices does something
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        _check_regular(os.fstat(descriptor), path)
        data = file.read(most + 1)
    if data is None:  # pyright: ignore[reportUnnecessaryComparison]  # some files of the kernel would be waited for
        raise OSError(errno.EAGAIN, "it has nothing to read", str(path))
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most} bytes", str(path))
    return data


def _check_regular(found: os.stat_result, path: Path) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))


def data_folder() -> Path:
    """Return the user's folder for what codeens keeps: runs, the log, tokens."""
    from platformdirs import user_data_path

    return user_data_path("codeens", appauthor=False)


def settings_folder() -> Path:
    """Return the user's folder for what is written by hand: settings and variants."""
    from platformdirs import user_config_path

    return user_config_path("codeens", appauthor=False)


def private_folder(path: Path) -> Path:
    """Make a folder (mode 0700), and those above it that are missing; one that exists is left as it is."""
    for folder in [*reversed(path.parents), path]:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a text (UTF-8, mode 0600) so that a reader sees the old file or the new one, never a part."""
    import tempfile  # takes milliseconds, and an editor that waits for a first answer writes nothing

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def own_token(name: str) -> tuple[str, Path]:
    """Return a secret of the user and the file of that name that holds it, made at the first time (mode 0600).

    Raises:
        OSError: the user's data folder cannot be written.
    """
    import secrets  # see `write_private`

    path = private_folder(data_folder()) / name
    try:
        token = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        token = ""
    if not token:
        token = secrets.token_urlsafe(32)
        write_private(path, f"{token}\n")
    return token, path


def safe_name(name: str) -> str:
    """Return the name as one path component on any system, whoever chose it."""
    plain = re.sub(r"[^\w.-]", "_", name, flags=re.ASCII).lstrip(".")
    return plain[:_MAX_NAME] or "_"

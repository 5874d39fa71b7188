"""The file of a benchmark: a line is on the disk before the next question is asked.

A process that is killed loses the answers that it was waiting for, and of the line that it was writing the torn part,
which the next one cuts off.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import anyio.to_thread
import msgspec

from codeens_server.bench.records import Record
from codeens_server.errors import Hint, InputError

Key: TypeAlias = tuple[str, str, str, int]
_CHUNK = 1 << 16


def read_records(path: Path) -> Iterator[Record]:
    """Yield the records of a file. A last line that is torn is left out.

    Raises:
        InputError: it cannot be read, or a whole line is no record (named).
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):
                    yield _record(line, f"{path}:{number}")
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise InputError(message) from None


def _record(line: bytes, place: str) -> Record:
    try:
        return msgspec.json.decode(line, type=Record)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = f"{place} is no record of a benchmark: {error}."
        raise InputError(message, hint=Hint("fix", "Begin the file anew, or name another.")) from None


class ResultsFile:
    """Appends records, each kept when `append` returns. One process at a time has the file."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        """Open the file.

        Args:
            path: made where it is missing, with the folders above it.
            resume: go on with what it has; else it must be empty or missing, so that no result is lost.

        Raises:
            InputError: it has results and is not to be gone on with, another process writes it, or it cannot be used.
        """
        self.path = path
        self.known: dict[Key, Record] = {}
        """What was there before, and says something of a model: those calls that failed are made again."""
        self.not_run: dict[Key, Record] = {}
        """Of what was there before, programs that nobody has run."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror}."
            raise InputError(message) from None
        try:
            self._take(resume=resume)
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    async def append(self, record: Record) -> None:
        """Write a record; it is on the disk when this returns. It is not cancelled halfway."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.write, record)

    def write(self, record: Record) -> None:
        """Write a record; it is on the disk when this returns.

        Raises:
            InputError: the disk does not take it; what was written of it is cut off.
        """
        line = msgspec.json.encode(record) + b"\n"
        before = os.fstat(self._file).st_size
        try:
            self._write_all(line)
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, before)
            message = f"{self.path} cannot be written: {error.strerror}."
            raise InputError(message) from None

    def _write_all(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._file, data) :]

    def _take(self, *, resume: bool) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            message = f"another process is writing {self.path}."
            raise InputError(message, code="in_use") from None
        if os.fstat(self._file).st_size and not resume:
            message = f"{self.path} has results already."
            raise InputError(message, code="has_results", hint=Hint("option", "resume"))
        self._cut_torn_line()
        for record in read_records(self.path):
            if record.counts:
                self.known[record.key] = record
            elif record.ending == "not_run":
                self.not_run[record.key] = record

    def _cut_torn_line(self) -> None:
        size = end = os.fstat(self._file).st_size
        while end:
            start = max(0, end - _CHUNK)
            newline = os.pread(self._file, end - start, start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            os.ftruncate(self._file, end)
            os.fsync(self._file)

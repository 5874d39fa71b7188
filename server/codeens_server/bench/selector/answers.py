"""Answers from a file: lines of their own, or the records of `codeens bench run`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import UNSET, Struct, UnsetType

from codeens_server.bench.records import Ending
from codeens_server.bench.samples import lines_of
from codeens_server.ranking.selector.features import Submission


class FiledAnswer(Struct, frozen=True, kw_only=True):
    """An answer of a file."""

    line: int
    """From 1."""
    task_id: str
    answer: Submission
    """Its code is empty where the reply had no program."""
    sample: int
    key: tuple[object, ...]
    """The same for lines about the same answer."""
    right: bool | None = None
    """None: the file does not say."""


class _Attempt(Struct, frozen=True, kw_only=True):
    source: str = ""


class _Line(Struct, frozen=True, kw_only=True):
    """A line of either form. Of the one, `code` is null where the reply had no program; the other has `attempts`."""

    task_id: str
    model: str = ""
    code: str | None = None
    style: str = ""
    label: str | UnsetType = UNSET
    sample: int = 0
    variant: str = ""
    ending: Ending | UnsetType = UNSET
    attempts: tuple[_Attempt, ...] = ()


def answers_of(path: Path) -> Iterator[FiledAnswer]:
    """Yield the answers of a file, JSONL, also compressed.

    Raises:
        InputError: it cannot be read, or a line is of another form (named).
    """
    for number, line in lines_of(path, _Line):
        code = line.attempts[-1].source if line.attempts else line.code or ""
        yield FiledAnswer(
            line=number + 1,
            task_id=line.task_id,
            answer=Submission(code=code, model=line.model, variant=line.variant or line.style),
            sample=line.sample,
            key=(line.model, line.variant, line.sample) if line.attempts else (number,),
            right=_is_right(line),
        )


def _is_right(line: _Line) -> bool | None:
    if line.label is not UNSET:
        return line.label == "pass"
    known = line.ending is not UNSET and line.ending not in {"no_answer", "not_run"}
    return line.ending == "passed" if known else None

"""Choose among answers that nobody has run: those to each task in order of how likely they are right."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from msgspec import Struct

from codeens_server.bench.samples import lines_of
from codeens_server.bench.selector.features import Submission
from codeens_server.bench.selector.model import Selector
from codeens_server.errors import InputError


class _Line(Struct, frozen=True, kw_only=True):
    """A line of answers. `code` is null where the reply had no program."""

    task_id: str
    code: str | None = None
    model: str = ""
    style: str = ""


class Likely(Struct, frozen=True, kw_only=True):
    """An answer, and how likely it is right; nothing of it was run."""

    task_id: str
    line: int
    """Of the file, from 1."""
    model: str
    style: str
    probability: float


def in_order(path: Path, selector: Selector) -> list[Likely]:
    """Return the answers of a file, task by task in the order of the file, of each task the likeliest first.

    An answer without a program is left out: it cannot be right.

    Raises:
        InputError: the file cannot be read, a line is of another form (named), or there is no answer.
    """
    tasks: defaultdict[str, list[tuple[int, _Line]]] = defaultdict(list)
    for number, line in lines_of(path, _Line):
        if line.code:
            tasks[line.task_id].append((number + 1, line))
    if not tasks:
        message = f"{path} has no answers (`code`)."
        raise InputError(message)
    found: list[Likely] = []
    for task, lines in tasks.items():
        pool = [Submission(code=line.code or "", model=line.model, variant=line.style) for _, line in lines]
        said = [
            Likely(task_id=task, line=number, model=line.model, style=line.style, probability=probability)
            for (number, line), probability in zip(lines, selector.probabilities(pool), strict=True)
        ]
        found += sorted(said, key=lambda one: -one.probability)
    return found

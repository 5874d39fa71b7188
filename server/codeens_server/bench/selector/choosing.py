"""Choose among answers that nobody has run: those to each task in order of how likely they are right."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from msgspec import Struct

from codeens_server.bench.selector.answers import FiledAnswer, answers_of
from codeens_server.errors import InputError
from codeens_server.ranking.selector.model import Selector


class Likely(Struct, frozen=True, kw_only=True):
    """An answer, and how likely it is right; nothing of it was run."""

    task_id: str
    line: int
    """Of the file, from 1."""
    model: str
    style: str
    """The variant, where the file is of `codeens bench run`."""
    sample: int
    probability: float
    status: str = "not run"


def in_order(path: Path, selector: Selector) -> list[Likely]:
    """Return the answers of a file, task by task in the order of the file, of each task the likeliest first.

    An answer without a program is left out: it cannot be right. Of lines about the same answer the last counts.

    Raises:
        InputError: the file cannot be read, a line is of another form (named), or there is no answer.
    """
    tasks: defaultdict[str, dict[object, FiledAnswer]] = defaultdict(dict)
    for one in answers_of(path):
        if one.answer.code:
            tasks[one.task_id][one.key] = one
    if not tasks:
        message = f"{path} has no answers (`code`)."
        raise InputError(message)
    found: list[Likely] = []
    for task, answers in tasks.items():
        probabilities = selector.probabilities([one.answer for one in answers.values()])
        said = [
            Likely(
                task_id=task,
                line=one.line,
                model=one.answer.model,
                style=one.answer.variant,
                sample=one.sample,
                probability=probability,
            )
            for one, probability in zip(answers.values(), probabilities, strict=True)
        ]
        found += sorted(said, key=lambda one: -one.probability)
    return found

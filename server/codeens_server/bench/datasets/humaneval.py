"""HumanEval (github.com/openai/human-eval): a stub with its docstring, and `check(candidate)`."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from codeens_server.bench.datasets.base import Choice, Dataset, Hub, Item, Row, typed
from codeens_server.tasks.schema import Task


class HumanEvalLine(Struct, frozen=True, kw_only=True):
    """A line of HumanEval.jsonl."""

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    """Continues the prompt."""
    test: str


def item(row: Row, place: str, choice: Choice) -> Item:
    """Return a line as a task."""
    del choice
    line = typed(row, HumanEvalLine, place)
    return Item(
        task=Task(
            id=line.task_id,
            prompt=line.prompt,
            entry_point=line.entry_point,
            tests=line.test,
            reference_solution=line.prompt + line.canonical_solution,
        )
    )


DATASET = Dataset(
    name="humaneval",
    file=Path("humaneval", "HumanEval.jsonl.gz"),
    hub=Hub(repo="openai/openai_humaneval", pattern="openai_humaneval/test-*.parquet"),
    item=item,
)

"""HumanEval+ (EvalPlus): HumanEval's tasks with many more inputs."""

from __future__ import annotations

from pathlib import Path

from codeens_server.bench.datasets.base import Choice, Dataset, Item, Row, typed
from codeens_server.bench.datasets.evalplus import EvalPlusLine, task_of


def item(row: Row, place: str, choice: Choice) -> Item:
    """Return a line as a task."""
    del choice
    line = typed(row, EvalPlusLine, place)
    return Item(task=task_of(line, reference=line.prompt + line.canonical_solution, prompt=line.prompt))


DATASET = Dataset(name="humanevalplus", file=Path("humaneval", "HumanEvalPlus-Mini.jsonl.gz"), item=item)

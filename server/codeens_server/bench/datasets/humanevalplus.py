"""HumanEval+ (EvalPlus), as HumanEvalPlus.jsonl has it, and as the rows of Hugging Face do, with `check`."""

from __future__ import annotations

from pathlib import Path

from codeens_server.bench.datasets import humaneval
from codeens_server.bench.datasets.base import Choice, Dataset, Hub, Item, Row, typed
from codeens_server.bench.datasets.evalplus import EvalPlusLine, task_of


def item(row: Row, place: str, choice: Choice) -> Item:
    """Return a line or row as a task."""
    if "test" in row:
        return humaneval.item(row, place, choice)
    line = typed(row, EvalPlusLine, place)
    return Item(task=task_of(line, reference=line.prompt + line.canonical_solution, prompt=line.prompt))


DATASET = Dataset(
    name="humanevalplus",
    file=Path("humaneval", "HumanEvalPlus-Mini.jsonl.gz"),
    hub=Hub(repo="evalplus/humanevalplus", pattern="data/test-*.parquet"),
    item=item,
)

"""HumanEvalPack (github.com/bigcode-project/octopack), repair: a function with a fault in it is to be mended."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from codeens_server.bench.datasets.base import Choice, Dataset, Hub, Item, Row, typed
from codeens_server.tasks.schema import Task


class HumanEvalPackLine(Struct, frozen=True, kw_only=True):
    """A line of its Python part."""

    task_id: str
    prompt: str
    declaration: str
    canonical_solution: str
    """Continues the prompt, as the faulty one does."""
    buggy_solution: str
    bug_type: str = ""
    failure_symptoms: str = ""
    test: str
    example_test: str = ""
    """What the docstring shows, as tests: it may be known."""
    entry_point: str


def item(row: Row, place: str, choice: Choice) -> Item:
    """Return a line as a repair."""
    del choice
    line = typed(row, HumanEvalPackLine, place)
    task = Task(
        id=line.task_id,
        prompt=line.prompt,
        entry_point=line.entry_point,
        tests=line.test,
        reference_solution=line.prompt + line.canonical_solution,
        metadata={"bug_type": line.bug_type, "failure_symptoms": line.failure_symptoms},
    )
    return Item(
        task=task,
        mode="repair",
        shown=line.prompt + line.buggy_solution,
        public=_with_tests(task, line.example_test) if line.example_test.strip() else None,
    )


def _with_tests(task: Task, tests: str) -> Task:
    return Task(id=task.id, prompt=task.prompt, entry_point=task.entry_point, tests=tests)


DATASET = Dataset(
    name="humanevalpack",
    file=Path("humaneval", "HumanEvalPack_python.jsonl.gz"),
    hub=Hub(repo="bigcode/humanevalpack", pattern="data/python/data/*.jsonl"),
    item=item,
)

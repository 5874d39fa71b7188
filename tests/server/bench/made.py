"""Records and rows that tests of benchmarks share."""

from __future__ import annotations

from typing import Any

from codeens_server.bench.records import Attempt, Ending, Provenance, Record

MACHINE = Provenance(codeens="0", python="3.11", system="Linux", cpus=2, sandbox="fake")


def record(
    task: str = "t/0", model: str = "m", sample: int = 0, ending: Ending = "passed", cost_usd: float | None = 0.5
) -> Record:
    return Record(
        dataset="d",
        digest="0" * 64,
        task_id=task,
        model=model,
        variant="v",
        sample=sample,
        passed=ending == "passed",
        ending=ending,
        attempts=(Attempt(ending=ending, cost_usd=cost_usd, source="def f(): ...\n"),),
        machine=MACHINE,
    )


TWICE: dict[str, Any] = {
    "task_id": "Small/0",
    "prompt": 'def twice(n):\n    """Return n two times."""\n',
    "entry_point": "twice",
    "canonical_solution": "    return 2 * n\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(3) == 6\n",
}
FIRST: dict[str, Any] = {
    "task_id": "Small/1",
    "prompt": 'def first(xs):\n    """Return the first."""\n',
    "entry_point": "first",
    "canonical_solution": "    return xs[0]\n",
    "test": "def check(candidate):\n    assert candidate([1, 2]) == 1\n    assert candidate([3]) == 3\n",
}

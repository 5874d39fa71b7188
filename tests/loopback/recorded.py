"""Answers that real models once gave to HumanEval tasks, from the folder that `CODEENS_DATA` names."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.loopback.server import ChatRequest


def data_folder() -> Path:
    """The folder that `CODEENS_DATA` names, else the one beside the repository; it need not be there."""
    return Path(os.environ.get("CODEENS_DATA", Path(__file__).parents[3] / "shared" / "data"))


def humaneval_tasks(data: Path) -> list[dict[str, str]]:
    """The tasks of HumanEval: `task_id`, `prompt`, `entry_point`, `canonical_solution`, `test`."""
    return list(_read(data / "humaneval/HumanEval.jsonl.gz"))


class RecordedAnswers:
    """Answers a prompt with the recorded replies to the task whose function it names, one after the other."""

    def __init__(self, data: Path, labels: frozenset[str] | None = None) -> None:
        """`labels`: only replies labelled so (`pass`, `fail:assert`, …); None: all, in the order of the file."""
        names = {task["task_id"]: task["entry_point"] for task in humaneval_tasks(data)}
        self._answers: dict[str, list[str]] = {}
        self._given: Counter[str] = Counter()
        for row in _read(data / "candidates/humaneval_even.jsonl.gz"):
            text = row["code"] if row["raw"] is None else row["raw"]
            if text and (labels is None or row["label"] in labels):
                self._answers.setdefault(names[row["task_id"]], []).append(text)

    def __call__(self, request: ChatRequest) -> str:
        named = re.findall(r"\bdef (\w+)", request.prompt)
        for name in reversed(named):
            if name in self._answers:
                answers = self._answers[name]
                self._given[name] += 1
                return answers[(self._given[name] - 1) % len(answers)]
        return "No task of that name is recorded."


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
